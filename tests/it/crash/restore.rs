//! `vault restore` on a disk that fails: both profiles come back, or neither.

use std::sync::LazyLock;

use super::command::{IDENTITY, run};
use super::vault::{Judged, add_profile, fresh_vault, has, identity, judge_folder, opened, stamp};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image};

const RESTORE: [&str; 5] = ["restore", "3", "--no-verify", "--identity", IDENTITY];

struct RestoreCommand;

/// After generation 3 `prod` was given a region, and `gone` was removed with its key.
fn with_a_history() -> Image {
    let disk = FaultDisk::on(fresh_vault());
    let mut vault = opened(&disk).unwrap();
    ["prod", "gone"].iter().for_each(|name| add_profile(&mut vault, name).unwrap());
    let changed = vault.edit(&stamp(), |document| {
        document.profiles.remove(&"gone".parse().unwrap());
        document.profiles.get_mut(&"prod".parse().unwrap()).unwrap().region = Some("eu-west-3".parse().unwrap());
        Ok::<(), String>(())
    });
    changed.unwrap();
    disk.image().with(IDENTITY, 0o600, Body::File(identity().expose().as_bytes().to_vec()))
}

impl Scenario for RestoreCommand {
    fn start(&self) -> Image {
        static START: LazyLock<Image> = LazyLock::new(with_a_history);
        START.clone()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        match run(&RESTORE, disk) {
            Ok(()) => Ended::Committed,
            Err(report) if report.message.contains("a power cut now may undo it") => Ended::CommittedNotDurable,
            Err(report) => {
                let unread = report.message.contains("is not kept beside the vault");
                assert!(!unread, "a folder that can't be listed is not an empty one: {}", report.message);
                Ended::NotCommitted
            }
        }
    }

    /// It can be said again, and then there is nothing left to restore.
    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        run(&RESTORE, disk).map_err(|report| report.message)?;
        if self.judge(&disk.image())? == State::Old {
            return Err("not restored".to_owned());
        }
        add_profile(&mut opened(disk)?, "next").map_err(|error| format!("no new edit: {error}"))?;
        match disk.image().leftovers().as_slice() {
            [] => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || {
            let disk = FaultDisk::on(image.clone());
            let vault = opened(&disk)?;
            let prod = vault.document().profiles.get(&"prod".parse().unwrap()).ok_or("`prod` is gone")?;
            match (has(vault.document(), "prod"), prod.region.is_some(), has(vault.document(), "gone")) {
                (true, true, false) => Ok(State::Old),
                (true, false, true) => Ok(State::New),
                (true, ..) => Err("one of the two came back".to_owned()),
                (false, ..) => Err("the standing key is gone".to_owned()),
            }
        })
    }
}

#[test]
fn a_restore_brings_back_all_or_nothing_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&RestoreCommand).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("vault restore: {tried}");
    assert!(tried.crashes >= 1000 && tried.faults >= 90, "{tried}");
}
