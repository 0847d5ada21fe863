//! A whole command on a disk that fails: `vault add`, from its arguments to its exit code.

use std::cell::{Cell, RefCell};

use vault::cli::{Report, World, run_in};
use vault::clock::SystemClock;
use vault::paths::{Environment, Paths};
use vault::process::harden;
use vault::secret::IdentityText;
use vault::store::plugin::NoPlugins;

use super::vault::{Adding, FILE, SECRET, VAULT, identity, opened_by};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image};

const CSV: &str = "/home/alice/key.csv";
pub const IDENTITY: &str = "/home/alice/identity";
const ADD: [&str; 9] =
    ["add", "prod", "--from-csv", CSV, "--no-verify", "--mfa-serial", "none", "--identity", IDENTITY];

/// A whole command on this disk, in alice's home.
pub fn run(arguments: &[&str], disk: &FaultDisk) -> Result<(), Report> {
    run_with(&[], arguments, disk)
}

/// The same with more variables.
pub fn run_with(variables: &[(&str, &str)], arguments: &[&str], disk: &FaultDisk) -> Result<(), Report> {
    let usual = [("HOME", "/home/alice"), ("VAULT_FILE", VAULT)];
    let environment: Environment = usual.iter().chain(variables).copied().collect();
    let mut world = World {
        paths: Paths::from_environment(&environment).unwrap(),
        environment,
        // Any program that nobody else can change.
        started_as: "/bin/sh".into(),
        disk,
        clock: &SystemClock,
        plugins: &NoPlugins,
        hardened: harden(),
        unlock: Default::default(),
        held_key: &|_| None,
        agent_is_silent: Cell::new(false),
        clock_is_told: Cell::new(false),
        output: RefCell::new(Box::new(Vec::new())),
        messages: RefCell::new(Box::new(Vec::new())),
    };
    run_in(arguments, &mut world)
}

struct AddCommand;

impl Scenario for AddCommand {
    fn start(&self) -> Image {
        let csv = format!("Access key ID,Secret access key\r\nAKIAIOSFODNN7EXAMPLE,{SECRET}\r\n");
        let file = |text: &str| Body::File(text.as_bytes().to_vec());
        Adding.start().with(CSV, 0o600, file(&csv)).with(IDENTITY, 0o600, file(identity().expose()))
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        match run(&ADD, disk) {
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

/// A new vault where one is missing that this machine knows: whatever the power cut leaves is none, or one that is not taken
/// for an exchanged one.
#[test]
fn a_vault_that_is_made_in_the_place_of_a_missing_one_is_believed_after_any_crash() {
    let (passphrase, recovery) = ("/home/alice/passphrase", "/home/alice/recovery");
    let words = Body::File(b"correct horse battery staple mountain".to_vec());
    let disk = FaultDisk::on(Adding.start().without(FILE).with(passphrase, 0o600, words));
    let init = ["init", "--kdf", "small", "--passphrase-file", passphrase, "--recovery-key", recovery];
    assert!(run(&init, &disk).is_err(), "without a terminal to ask on");
    let made = run(&[&init[..], &["--forget-missing"]].concat(), &disk);
    assert!(made.is_ok(), "{}", made.err().map(|report| report.message).unwrap_or_default());
    let image = disk.image();
    let text = String::from_utf8(image.file(recovery).unwrap().to_vec()).unwrap();
    let identity = IdentityText::new(text.lines().last().unwrap().to_owned());
    let mut vaults = 0;
    for crash in disk.crashes_from(0).distinct {
        if crash.image.file(FILE).is_some() {
            let disk = FaultDisk::on(crash.image.clone());
            let opened = opened_by(&disk, &identity);
            assert!(matches!(opened, Ok(Some(_))), "{:?} after {crash}", opened.err());
            vaults += 1;
        }
    }
    assert!(vaults > 5, "{vaults}");
}
