//! A whole command on a disk that fails: `vault add`, from its arguments to its exit code.

use std::cell::RefCell;

use vault::cli::{World, run_in};
use vault::clock::SystemClock;
use vault::paths::{Environment, Paths};
use vault::process::harden;
use vault::store::plugin::NoPlugins;

use super::vault::{Adding, SECRET, VAULT, identity};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image};

const CSV: &str = "/home/alice/key.csv";
const IDENTITY: &str = "/home/alice/identity";
const ADD: [&str; 9] =
    ["add", "prod", "--from-csv", CSV, "--no-verify", "--mfa-serial", "none", "--identity", IDENTITY];

struct AddCommand;

impl Scenario for AddCommand {
    fn start(&self) -> Image {
        let csv = format!("Access key ID,Secret access key\r\nAKIAIOSFODNN7EXAMPLE,{SECRET}\r\n");
        let file = |text: &str| Body::File(text.as_bytes().to_vec());
        Adding.start().with(CSV, 0o600, file(&csv)).with(IDENTITY, 0o600, file(identity().expose()))
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let environment: Environment = [("HOME", "/home/alice"), ("VAULT_FILE", VAULT)].into_iter().collect();
        let mut world = World {
            paths: Paths::from_environment(&environment).unwrap(),
            environment,
            disk,
            clock: &SystemClock,
            plugins: &NoPlugins,
            hardened: harden(),
            unlock: Default::default(),
            output: RefCell::new(Box::new(Vec::new())),
            messages: RefCell::new(Box::new(Vec::new())),
        };
        match run_in(&ADD, &mut world) {
            Ok(()) => Ended::Committed,
            Err(report) if report.message.contains("a power cut now may undo it") => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        Adding.recover(disk)
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        Adding.judge(&image.clone().without(CSV))
    }
}

#[test]
fn the_add_command_tells_the_truth_after_any_disk_error_and_survives_any_crash() {
    let tried = try_everything(&AddCommand).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("vault add: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}
