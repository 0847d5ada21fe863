//! A person accepts a file that is not what this machine remembers.

use std::sync::LazyLock;

use vault::store::pin::Distrust;
use vault::store::plugin::Plugins;
use vault::store::seal::unseal;
use vault::store::vault::{Key, Opened, TrustError, Unproven, open};

use super::vault::{FILE, add_profile, identity, judge_folder, opened, place, stamp, vault_saved};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image};

/// An older file was put back: two generations before what is remembered.
fn put_back() -> Image {
    static PUT_BACK: LazyLock<Image> = LazyLock::new(|| {
        let disk = FaultDisk::on(vault_saved(3));
        let older = disk.image().file(FILE).unwrap().to_vec();
        let mut vault = opened(&disk).unwrap();
        (0..2).for_each(|_| add_profile(&mut vault, "later").unwrap());
        disk.image().without(FILE).with(FILE, 0o600, Body::File(older))
    });
    PUT_BACK.clone()
}

fn generation(image: &Image) -> Result<u64, String> {
    let file = image.file(FILE).ok_or("the vault is gone")?;
    unseal(file, identity(), &Plugins::none())
        .map(|document| document.meta.generation)
        .map_err(|error| error.to_string())
}

/// What is not believed; None where all is well.
fn distrusted(disk: &FaultDisk) -> Result<Option<(Unproven<'_>, Distrust)>, String> {
    let place = place(disk);
    let loaded = place.load().map_err(|error| format!("does not load: {error}"))?;
    match open(&place, &loaded, Key::Identity(identity())).map_err(|error| format!("does not open: {error}"))? {
        Opened::Known(_) => Ok(None),
        Opened::FirstSight(_) => Err("what was remembered is forgotten".to_owned()),
        Opened::Distrusted(unproven, distrust) => Ok(Some((unproven, *distrust))),
    }
}

struct Trusting;

impl Scenario for Trusting {
    fn start(&self) -> Image {
        put_back()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(Some((unproven, distrust))) = distrusted(disk) else { return Ended::NotCommitted };
        match unproven.close().trust(&distrust, &stamp()) {
            Ok(_) => Ended::Committed,
            Err(TrustError::NotDurable(_)) => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    /// The person may have to say it again, and never more than that.
    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        if let Some((unproven, distrust)) = distrusted(disk)? {
            unproven.close().trust(&distrust, &stamp()).map_err(|error| format!("not trusted again: {error}"))?;
        }
        add_profile(&mut opened(disk)?, "next").map_err(|error| format!("no new edit: {error}"))?;
        opened(disk)?;
        match disk.image().leftovers().as_slice() {
            [] => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        judge_folder(image)?;
        let start = generation(&put_back())?;
        Ok(if generation(image)? == start { State::Old } else { State::New })
    }
}

#[test]
fn an_accepted_file_is_accepted_or_asked_about_again_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&Trusting).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("trust: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn an_accepted_file_is_known_from_then_on() {
    let disk = FaultDisk::on(put_back());
    assert_eq!(Trusting.save(&disk), Ended::Committed);
    assert!(distrusted(&disk).unwrap().is_none());
    // Later than what was remembered, so that every other machine takes it for what comes after.
    assert_eq!(generation(&disk.image()).unwrap(), generation(&put_back()).unwrap() + 3);
}
