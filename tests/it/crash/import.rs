//! `vault import --remove` on a disk that fails: at every moment each key is in the vault or still in its file.

use std::path::Path;

use rustix::io::Errno;
use vault::store::document::Document;
use vault::store::plugin::Plugins;
use vault::store::vault::{Key, peek};

use super::command::{IDENTITY, run};
use super::vault::{FILE as VAULT_FILE, SECRET, fresh_vault, identity, opened};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, Fault, FaultDisk, Image, Seen};

const CREDENTIALS: &str = "/home/alice/.aws/credentials";
/// What the credentials file is a link to.
const FILE: &str = "/home/alice/dotfiles/credentials";
const CSV: &str = "/home/alice/bob_accessKeys.csv";
const BOBS: &str = "bobs/SECRET/K7MDENG/bPxRfiCYEXAMPLEKEY12";

const OTHERS: &str = "# kept\r\n[other]\r\nregion = eu-central-1";

struct ImportCommand;

/// Named by what is there: a file that is gone would be an error of its own.
fn import(disk: &FaultDisk) -> Result<(), String> {
    let mut arguments = vec!["import", "--yes", "--no-verify", "--remove", "--identity", IDENTITY];
    if lies_in(&disk.image(), FILE, SECRET) {
        arguments.extend(["--from", "credentials"]);
    }
    if disk.image().file(CSV).is_some() {
        arguments.extend(["--csv", CSV]);
    }
    run(&arguments, disk).map_err(|report| report.message)
}

fn lies_in(image: &Image, path: &str, secret: &str) -> bool {
    image.file(path).is_some_and(|bytes| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

fn holds(document: &Document, name: &str, secret: &str) -> bool {
    let profile = document.profiles.get(&name.parse().unwrap());
    profile.and_then(|profile| profile.access_key.as_ref()).is_some_and(|key| key.secret.expose() == secret)
}

impl Scenario for ImportCommand {
    fn start(&self) -> Image {
        let file = |text: &str| Body::File(text.as_bytes().to_vec());
        let pair =
            format!("[prod]\r\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\r\naws_secret_access_key = {SECRET}\r\n");
        let csv = format!("Access key ID,Secret access key\r\nAKIABOBSFODNN7EXAMPL,{BOBS}\r\n");
        let link = Body::Symlink("../dotfiles/credentials".into());
        let image = fresh_vault().with(FILE, 0o644, file(&(pair + OTHERS))).with(CREDENTIALS, 0o777, link);
        image.with(CSV, 0o600, file(&csv)).with(IDENTITY, 0o600, file(identity().expose()))
    }

    /// The end that counts is the plaintext's: before it is gone for good, nothing is.
    fn save(&self, disk: &FaultDisk) -> Ended {
        match import(disk) {
            Ok(()) => Ended::Committed,
            Err(message) if message.contains("may not survive a power cut") => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        if self.judge(&disk.image())? == State::Old {
            import(disk)?;
        }
        match self.judge(&disk.image())? {
            State::New => Ok(()),
            State::Old => Err("the plaintext is still there".to_owned()),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        judge_keys(image, opened(&FaultDisk::on(image.clone()))?.document())
    }
}

fn judge_keys(image: &Image, document: &Document) -> Result<State, String> {
    let mut gone = true;
    for (name, secret, path) in [("prod", SECRET, FILE), ("bob", BOBS, CSV)] {
        let in_file = lies_in(image, path, secret);
        if !in_file && !holds(document, name, secret) {
            return Err(format!("the key of {name} is nowhere"));
        }
        gone &= !in_file;
    }
    judge_files(image)?;
    Ok(if gone { State::New } else { State::Old })
}

/// The link is a link, what others wrote is there, and no copy is open to others.
fn judge_files(image: &Image) -> Result<(), String> {
    let tree = image.tree().0;
    if !matches!(tree.get(Path::new(CREDENTIALS)), Some(Seen::Symlink(_))) {
        return Err("the link is no link any more".to_owned());
    }
    if !image.file(FILE).is_some_and(|bytes| bytes.ends_with(OTHERS.as_bytes())) {
        return Err("others' lines are gone".to_owned());
    }
    let wide = |(path, seen): (&std::path::PathBuf, &Seen)| {
        path != Path::new(FILE) && matches!(seen, Seen::File { mode, .. } if mode & 0o077 != 0)
    };
    if tree.iter().any(wide) { Err("a copy is open to others".to_owned()) } else { Ok(()) }
}

#[test]
fn after_any_crash_of_import_remove_each_key_is_in_the_vault_or_still_in_its_file() {
    let tried = try_everything(&ImportCommand).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("vault import --remove: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

/// A disk on which the save stands and a power cut may undo it, if that is what this fault leads to.
fn with_a_save_that_may_not_last(fault: Fault) -> Option<FaultDisk> {
    let disk = FaultDisk::failing(ImportCommand.start(), fault);
    let told = import(&disk);
    told.is_err_and(|message| message.contains("a power cut now may undo it")).then_some(disk)
}

/// Whether a vault that fell behind what was remembered is believed is not what this is about.
fn judge_keys_after_crashes(disk: &FaultDisk, from: usize) -> usize {
    let crashes = disk.crashes_from(from).distinct;
    for crash in &crashes {
        let document =
            peek(crash.image.file(VAULT_FILE).unwrap(), Key::Identity(identity()), &Plugins::none()).unwrap();
        judge_keys(&crash.image, &document).unwrap_or_else(|wrong| panic!("{wrong}\n{crash}"));
    }
    crashes.len()
}

/// To the next run it looks like any other save. Opening the vault makes it durable, and where that fails too, only a new
/// save does.
#[test]
fn a_save_that_may_not_last_is_made_again_before_the_plaintext_goes() {
    let undisturbed = FaultDisk::on(ImportCommand.start());
    import(&undisturbed).unwrap();
    let (mut tried, mut tried_with_errors) = (0, 0);
    for fault in undisturbed.faults().into_iter().filter(|fault| fault.is_once(Errno::IO)) {
        let Some(disk) = with_a_save_that_may_not_last(fault) else { continue };
        let again = disk.operation_count();
        import(&disk).unwrap();
        tried += judge_keys_after_crashes(&disk, again);
        for second in disk.faults().into_iter().filter(|second| second.at >= again && second.is_once(Errno::IO)) {
            let disk = with_a_save_that_may_not_last(fault).expect("it did so before");
            disk.fail(second);
            // However it ends.
            let _ = import(&disk);
            tried_with_errors += judge_keys_after_crashes(&disk, again);
        }
    }
    println!("import after a save that may not last: {tried} states, {tried_with_errors} after one more disk error");
    assert!(tried >= 40 && tried_with_errors >= 2000, "{tried} {tried_with_errors}");
}
