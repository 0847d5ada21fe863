//! `vault configure --take-over` and `--restore` on a disk that fails: at every moment the role is in the vault, or in the
//! config file as it stood there.

use std::sync::OnceLock;

use rustix::io::Errno;
use vault::store::document::Document;
use vault::store::plugin::Plugins;
use vault::store::vault::{Key, peek};

use super::command::{IDENTITY, run};
use super::vault::{FILE as VAULT_FILE, add_profile, fresh_vault, identity, opened};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, Fault, FaultDisk, Image};

const CONFIG: &str = "/home/alice/.aws/config";
/// What the config file is a link to.
const FILE: &str = "/home/alice/dotfiles/config";

const ROLE: &str = "# kept\r\n[profile ops]\r\nrole_arn=arn:aws:iam::123456789012:role/ops ; mine\r\nregion = eu-west-1\r\n\
                    source_profile = prod\r\n\r\n[profile z]\r\nx=y";
const LINE: &str = "# kept\r\n[profile ops]\r\ncredential_process = /bin/sh credential-process ops\r\nregion = eu-west-1\r\n\
                    \r\n[profile z]\r\nx=y";

/// One of the two ways.
#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

impl Way {
    fn make_start(self) -> Image {
        let file = |text: &str| Body::File(text.as_bytes().to_vec());
        let link = Body::Symlink("../dotfiles/config".into());
        let disk = FaultDisk::on(fresh_vault().with(FILE, 0o644, file(ROLE)).with(CONFIG, 0o777, link).with(
            IDENTITY,
            0o600,
            file(identity().expose()),
        ));
        add_profile(&mut opened(&disk).unwrap(), "prod").unwrap();
        if let Self::Back = self {
            Self::There.configure(&disk).unwrap();
        }
        disk.image()
    }

    fn configure(self, disk: &FaultDisk) -> Result<(), String> {
        let flag = match self {
            Self::There => "--take-over",
            Self::Back => "--restore",
        };
        run(&["configure", "ops", flag, "--identity", IDENTITY], disk).map_err(|report| report.message)
    }

    /// Which file's save is the last.
    fn last_may_be_undone(self, message: &str) -> bool {
        match self {
            Self::There => message.contains("may not survive a power cut"),
            Self::Back => message.contains("a power cut now may undo it"),
        }
    }

    fn first_may_be_undone(self, message: &str) -> bool {
        match self {
            Self::There => Self::Back.last_may_be_undone(message),
            Self::Back => Self::There.last_may_be_undone(message),
        }
    }

    fn judge(self, image: &Image, document: &Document) -> Result<State, String> {
        let held = document.profiles.get(&"ops".parse().unwrap());
        let held = held.is_some_and(|profile| profile.role_arn.is_some() && profile.source_profile.is_some());
        let in_config = match image.file(FILE) {
            Some(bytes) if bytes == ROLE.as_bytes() => true,
            Some(bytes) if bytes == LINE.as_bytes() => false,
            Some(bytes) => return Err(format!("neither of the two files: {}", bytes.escape_ascii())),
            None => return Err("the file is gone".to_owned()),
        };
        match (self, in_config, held) {
            (_, false, false) => Err("the role is nowhere".to_owned()),
            (Self::There, false, true) | (Self::Back, true, false) => Ok(State::New),
            (_, true, _) | (_, false, true) => Ok(State::Old),
        }
    }
}

impl Scenario for Way {
    fn start(&self) -> Image {
        static STARTS: [OnceLock<Image>; 2] = [OnceLock::new(), OnceLock::new()];
        STARTS[*self as usize].get_or_init(|| self.make_start()).clone()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        match self.configure(disk) {
            Ok(()) => Ended::Committed,
            Err(message) if self.last_may_be_undone(&message) => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        self.configure(disk)?;
        match Scenario::judge(self, &disk.image())? {
            State::New => Ok(()),
            State::Old => Err("it did not finish".to_owned()),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        Way::judge(*self, image, opened(&FaultDisk::on(image.clone()))?.document())
    }
}

#[test]
fn a_role_that_is_taken_over_is_never_nowhere_and_running_it_again_finishes() {
    let tried = try_everything(&Way::There).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("vault configure --take-over: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn a_role_that_is_restored_is_never_nowhere_and_running_it_again_finishes() {
    let tried = try_everything(&Way::Back).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("vault configure --restore: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

/// A disk on which the first of the two saves stands and a power cut may undo it, if that is what this fault leads to.
fn with_a_save_that_may_not_last(way: Way, fault: Fault) -> Option<FaultDisk> {
    let disk = FaultDisk::failing(way.start(), fault);
    way.configure(&disk).is_err_and(|message| way.first_may_be_undone(&message)).then_some(disk)
}

/// Whether a vault that fell behind what was remembered is believed is not what this is about.
fn judge_crashes(way: Way, disk: &FaultDisk, from: usize) -> usize {
    let crashes = disk.crashes_from(from).distinct;
    for crash in &crashes {
        let vault = crash.image.file(VAULT_FILE).unwrap();
        let document = peek(vault, Key::Identity(identity()), &Plugins::none()).unwrap();
        way.judge(&crash.image, &document).unwrap_or_else(|wrong| panic!("{wrong}\n{crash}"));
    }
    crashes.len()
}

/// To the next run it looks like any other save, and the second must not be built on it.
#[test]
fn a_first_save_that_may_not_last_is_made_again_before_the_second() {
    for way in [Way::There, Way::Back] {
        let undisturbed = FaultDisk::on(way.start());
        way.configure(&undisturbed).unwrap();
        let mut tried = 0;
        for fault in undisturbed.faults().into_iter().filter(|fault| fault.is_once(Errno::IO)) {
            let Some(disk) = with_a_save_that_may_not_last(way, fault) else { continue };
            let again = disk.operation_count();
            way.configure(&disk).unwrap();
            tried += judge_crashes(way, &disk, again);
            for second in disk.faults().into_iter().filter(|second| second.at >= again && second.is_once(Errno::IO)) {
                let disk = with_a_save_that_may_not_last(way, fault).expect("it did so before");
                disk.fail(second);
                // However it ends.
                let _ = way.configure(&disk);
                tried += judge_crashes(way, &disk, again);
            }
        }
        println!("configure after a save that may not last: {tried} states");
        assert!(tried >= 500, "{tried}");
    }
}
