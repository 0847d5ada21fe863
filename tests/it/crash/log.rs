//! What the vault knows of the log must be true of it after any power cut: a log that looks cut accuses somebody.

use std::path::Path;

use jiff::Timestamp;
use vault::log::{Act, Event, Files, Mark, Text, append, check};
use vault::process::host_name;

use super::Scenario;
use super::command::{IDENTITY, run};
use super::vault::{Adding, identity, opened_by};
use crate::fault_disk::{Body, FaultDisk};

const STATE: &str = "/home/alice/.local/state/vault";

fn log_something(disk: &FaultDisk) {
    let event = Event { act: Act::IdentityRevealed, profile: None, access_key: None, role: None };
    append(disk, Path::new(STATE), Timestamp::UNIX_EPOCH, &event).unwrap();
}

#[test]
fn no_power_cut_makes_the_log_look_changed_that_a_save_has_seen() {
    let identity_file = Body::File(identity().expose().as_bytes().to_vec());
    let disk = FaultDisk::on(Adding.start().with(IDENTITY, 0o600, identity_file));
    log_something(&disk);
    log_something(&disk);
    assert!(run(&["set", "--vault", "agent.idle=30m", "--identity", IDENTITY], &disk).is_ok());
    let mut marked = 0;
    for crash in disk.crashes_from(0).distinct {
        let left = FaultDisk::on(crash.image.clone());
        let files = Files::read(&left, Path::new(STATE)).unwrap();
        let text = Text::of(&files.current);
        let Ok(Some(vault)) = opened_by(&left, identity()) else { panic!("the vault is lost after {crash}") };
        let Some(mark) = vault.document().log_mark(&host_name()) else { continue };
        let marks = [Mark { at: mark.at, length: mark.length, sha256: mark.sha256 }];
        let held = check(&files, &marks).unwrap_or_else(|broken| panic!("{broken:?} after {crash}"));
        assert!(held.len() == 1 && text.entries.len() == 2, "{text:?} after {crash}");
        marked += 1;
    }
    assert!(marked >= 5, "{marked}");
}
