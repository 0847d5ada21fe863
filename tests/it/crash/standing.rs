//! Saves that keep nothing, keeping what stands, and making it durable.

use std::path::Path;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use vault::disk::Disk;
use vault::store::group::Group;
use vault::store::kept::Keep;
use vault::store::vault::{EditError, Vault};

use super::vault::{Adding, FILE, Judged, add_profile, has, judge_folder, opened, stamp, vault_in_use};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{FaultDisk, Image};

/// As [`Adding`], and keeps nothing.
struct AddingUnkept;

fn add_unkept(vault: &mut Vault) -> Ended {
    let added = vault.edit_keeping(Keep::Nothing, &stamp(), |document| {
        let earlier = document.profiles[&"earlier".parse().unwrap()].clone();
        document.profiles.insert("prod".parse().unwrap(), earlier);
        Ok::<(), String>(())
    });
    match added {
        Ok(()) => Ended::Committed,
        Err(EditError::NotDurable(_)) => Ended::CommittedNotDurable,
        Err(EditError::NotCommitted(_) | EditError::Refused(_)) => Ended::NotCommitted,
    }
}

impl Scenario for AddingUnkept {
    fn start(&self) -> Image {
        vault_in_use()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        opened(disk).map_or(Ended::NotCommitted, |mut vault| add_unkept(&mut vault))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        Adding.recover(disk)
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        Adding.judge(image)
    }
}

#[test]
fn a_save_that_keeps_nothing_leaves_a_vault_that_opens_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&AddingUnkept).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("adding a profile and keeping nothing: {tried}");
    assert!(tried.crashes >= 1000 && tried.faults >= 80, "{tried}");
}

struct Keeping;

/// The newest generation, which no save has kept yet.
const STANDING: u64 = 13;

/// Whether what stood at the start is kept, and kept well.
fn is_kept(image: &Image) -> Result<bool, String> {
    static STOOD: LazyLock<Vec<u8>> = LazyLock::new(|| vault_in_use().file(FILE).unwrap().to_vec());
    let hash = Sha256::digest(&*STOOD);
    let name = format!("{FILE}.g{STANDING}-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    match image.file(name) {
        Some(kept) if kept == *STOOD => Ok(true),
        Some(_) => Err("something else stands under the kept file's name".to_owned()),
        None => Ok(false),
    }
}

impl Scenario for Keeping {
    fn start(&self) -> Image {
        vault_in_use()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(mut vault) = opened(disk) else { return Ended::NotCommitted };
        match vault.keep_standing() {
            Ok(()) => Ended::Committed,
            // Kept or not, it is not promised.
            Err(_) if is_kept(&disk.image()) == Ok(true) => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        let mut vault = opened(disk)?;
        vault.keep_standing().map_err(|error| format!("not kept: {error}"))?;
        if !is_kept(&disk.image())? && vault.version().generation == STANDING {
            return Err("told to be kept, and is not".to_owned());
        }
        add_profile(&mut vault, "next").map_err(|error| format!("no new edit: {error}"))?;
        match disk.image().leftovers().as_slice() {
            [] if is_kept(&disk.image())? => Ok(()),
            [] => Err("no longer kept after the next save".to_owned()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || {
            let disk = FaultDisk::on(image.clone());
            opened(&disk).map(|_| State::Old)
        })?;
        Ok(if is_kept(image)? { State::New } else { State::Old })
    }
}

#[test]
fn what_was_told_to_be_kept_is_kept_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&Keeping).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("keeping what stands: {tried}");
    assert!(tried.crashes >= 50 && tried.faults >= 50, "{tried}");
}

/// Every power cut at once must leave the vault with `prod` in it.
fn judge_durable(disk: &FaultDisk) {
    for crash in disk.crashes_at_the_end() {
        let left = FaultDisk::on(crash.image.clone());
        let vault = opened(&left).unwrap_or_else(|wrong| panic!("{wrong}: {crash}\n{}", disk.told()));
        assert!(has(vault.document(), "prod"), "lost: {crash}\n{}", disk.told());
    }
}

#[test]
fn a_save_that_a_power_cut_could_undo_is_safe_once_it_was_made_durable() {
    let undisturbed = FaultDisk::on(vault_in_use());
    assert_eq!(AddingUnkept.save(&undisturbed), Ended::Committed);
    let (mut unsure, mut refused) = (0, 0);
    for fault in undisturbed.faults() {
        let disk = FaultDisk::failing(vault_in_use(), fault);
        let Ok(mut vault) = opened(&disk) else { continue };
        if add_unkept(&mut vault) != Ended::CommittedNotDurable {
            continue;
        }
        unsure += 1;
        match vault.make_durable() {
            Ok(()) => judge_durable(&disk),
            Err(_) => refused += 1,
        }
    }
    println!("{unsure} saves that were not durable, {refused} of them for good");
    assert!(unsure > refused && refused > 0);
}

/// A sync program's: nothing was waited for, neither for its bytes nor for its name.
fn put_there_by_another(disk: &FaultDisk, bytes: &[u8]) {
    let folder = disk.open_folder(Path::new(FILE).parent().unwrap()).unwrap();
    folder.create(".sync").unwrap().write(bytes).unwrap();
    folder.rename(".sync", "vault.age").unwrap();
}

fn with_prod() -> Image {
    let disk = FaultDisk::on(vault_in_use());
    add_profile(&mut opened(&disk).unwrap(), "prod").unwrap();
    disk.image()
}

#[test]
fn what_a_sync_program_put_there_is_made_durable_with_its_bytes() {
    // This machine has seen them before, so that opening them is no reason to wait for the disk.
    let disk = FaultDisk::on(with_prod());
    put_there_by_another(&disk, disk.image().file(FILE).unwrap());
    opened(&disk).unwrap().make_durable().unwrap();
    judge_durable(&disk);
}

/// A group that has saved already, and waited for the disk then.
fn group_that_saved(disk: &FaultDisk) -> Group<'static, '_> {
    let group = Group::new(opened(disk).unwrap().close());
    group.edit(Keep::Nothing, &stamp, |_| Ok::<(), ()>(())).unwrap();
    group
}

#[test]
fn what_a_group_saved_or_kept_it_does_not_wait_for_the_disk_for_again() {
    let disk = FaultDisk::on(vault_in_use());
    let group = group_that_saved(&disk);
    let waits = || disk.told().matches("fsync").count();
    let before = waits();
    group.read_durable(|_| ()).unwrap().unwrap();
    assert_eq!((waits(), before > 0), (before, true));
    group.keep_standing().unwrap();
    let kept = waits();
    group.keep_standing().unwrap();
    assert_eq!((waits(), kept > before), (kept, true));
}

#[test]
fn what_a_sync_program_put_there_over_a_groups_save_is_made_durable_before_it_is_read_as_that() {
    let disk = FaultDisk::on(vault_in_use());
    let group = group_that_saved(&disk);
    let elsewhere = FaultDisk::on(disk.image());
    add_profile(&mut opened(&elsewhere).unwrap(), "prod").unwrap();
    put_there_by_another(&disk, elsewhere.image().file(FILE).unwrap());
    assert!(group.read_durable(|vault| has(vault.document(), "prod")).unwrap().unwrap());
    judge_durable(&disk);
}

#[test]
fn what_a_sync_program_put_there_is_not_remembered_before_it_is_durable() {
    let disk = FaultDisk::on(vault_in_use());
    put_there_by_another(&disk, with_prod().file(FILE).unwrap());
    opened(&disk).unwrap();
    judge_durable(&disk);
}

#[test]
fn a_kept_file_that_a_sync_program_put_there_is_made_durable_with_its_bytes() {
    let disk = FaultDisk::on(vault_in_use());
    put_there_by_another(&disk, vault_in_use().file(FILE).unwrap());
    opened(&disk).unwrap().keep_standing().unwrap();
    assert_eq!(is_kept(&disk.image()), Ok(true));
    for crash in disk.crashes_at_the_end() {
        assert_eq!(is_kept(&crash.image), Ok(true), "{crash}\n{}", disk.told());
    }
}
