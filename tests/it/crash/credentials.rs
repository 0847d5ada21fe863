//! Writing a session into `~/.aws/credentials`, where other people's sections stand.

use std::path::Path;

use vault::aws_files::config::ConfigFile;
use vault::credentials::SessionCredentials;
use vault::disk::Disk;
use vault::export::credentials_file::{Exported, Target, prepare, remove_exported};
use vault::export::error::ExportError;
use vault::names::ProfileName;
use vault::secret::{SecretAccessKey, SessionToken};

use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image, Seen, our_id};

const PATH: &str = "/home/alice/.aws/credentials";
/// The dotfiles repository that the credentials file is a link into.
const FILE: &str = "/home/alice/dotfiles/credentials";

const BEFORE: &[u8] = b"\xef\xbb\xbf# kept by hand \xff\r\n[other]\r\n\taws_access_key_id = AKIAOTHEROTHEROTHER1\r\n\
aws_secret_access_key=others/secret\r\ns3 =\r\n  max_concurrent_requests = 20\r\n\r\n";
const OURS_OLD: &[u8] = b"[prod]\r\n; ours to fill\r\nregion = eu-central-1\r\n";
const AFTER: &[u8] = b"\r\n[last]\nAWS_ACCESS_KEY_ID = AKIALASTLASTLASTLAST";

fn old() -> Vec<u8> {
    [BEFORE, OURS_OLD, AFTER].concat()
}

fn target() -> ProfileName {
    "prod".parse().unwrap()
}

fn session() -> SessionCredentials {
    SessionCredentials {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
        secret_access_key: SecretAccessKey::new("session/secret".to_owned()),
        session_token: SessionToken::new("session+token".to_owned()),
        expiration: "2026-11-22T11:56:42Z".parse().unwrap(),
    }
}

fn export(disk: &dyn Disk) -> Result<(), ExportError> {
    let config = ConfigFile::parse(Path::new("/home/alice/.aws/config"), b"");
    let target = target();
    let target = Target { name: &target, vault_key: None, replace_long_term: false };
    prepare(disk, Path::new(PATH), &config, target)?.commit(disk, &session())
}

fn ended(result: Result<(), ExportError>) -> Ended {
    match result {
        Ok(()) => Ended::Committed,
        Err(ExportError::CommittedNotDurable { .. }) => Ended::CommittedNotDurable,
        Err(_) => Ended::NotCommitted,
    }
}

fn with_file(bytes: Vec<u8>) -> Image {
    Image::empty(our_id()).with(FILE, 0o600, Body::File(bytes)).with(
        PATH,
        0o777,
        Body::Symlink("../dotfiles/credentials".into()),
    )
}

/// A file without a fault, to know the new bytes by.
fn exported() -> Image {
    let disk = FaultDisk::on(with_file(old()));
    export(&disk).unwrap();
    disk.image()
}

fn judge(image: &Image, old: &[u8], new: &[u8]) -> Result<State, String> {
    let tree = image.tree();
    if !matches!(tree.0.get(Path::new(PATH)), Some(Seen::Symlink(_))) {
        return Err("the link is no link any more".to_owned());
    }
    if tree.0.values().any(|seen| matches!(seen, Seen::File { mode, .. } if mode & 0o077 != 0)) {
        return Err("others can read it".to_owned());
    }
    match image.file(FILE) {
        Some(bytes) if bytes == new => Ok(State::New),
        Some(bytes) if bytes == old => Ok(State::Old),
        Some(bytes) => Err(format!("neither the old file nor the new one: {}", bytes.escape_ascii())),
        None => Err("the file is gone".to_owned()),
    }
}

/// Temporary files hold everybody's secrets; the next run removes them.
fn leftovers(image: &Image) -> Result<(), String> {
    let temporary =
        |path: &&std::path::PathBuf| path.display().to_string().contains(".vault-") && !path.ends_with(LOCK);
    match image.tree().0.keys().find(temporary) {
        Some(left) => Err(format!("left behind: {}", left.display())),
        None => Ok(()),
    }
}

const LOCK: &str = ".credentials.vault-lock";

struct Exporting {
    new: Vec<u8>,
}

impl Scenario for Exporting {
    fn start(&self) -> Image {
        with_file(old())
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        ended(export(disk))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        export(disk).map_err(|error| error.to_string())?;
        leftovers(&disk.image())?;
        judge(&disk.image(), &self.new, &self.new).map(drop)
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        judge(image, &old(), &self.new)
    }
}

/// `logout`: what was written goes, and nothing else.
struct Removing {
    new: Vec<u8>,
}

fn remove(disk: &dyn Disk) -> Result<(), ExportError> {
    remove_exported(disk, Path::new(PATH), Exported::All).map(drop)
}

impl Scenario for Removing {
    fn start(&self) -> Image {
        exported()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        ended(remove(disk))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        remove(disk).map_err(|error| error.to_string())?;
        judge(&disk.image(), &self.new, &self.new).map(drop)
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        judge(image, exported().file(FILE).unwrap(), &self.new)
    }
}

#[test]
fn an_export_changes_its_section_and_no_other_byte() {
    let image = exported();
    let bytes = image.file(FILE).unwrap();
    let ours = bytes.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER)).expect("foreign bytes are kept");
    let ours = String::from_utf8(ours.to_vec()).unwrap();
    for line in ["; ours to fill\r\n", "region = eu-central-1\r\n", "aws_session_token = session+token"] {
        assert!(ours.contains(line), "{line} is not in {ours}");
    }
}

#[test]
fn an_export_leaves_the_old_or_the_new_credentials_file_after_any_crash_and_any_disk_error() {
    let scenario = Exporting { new: exported().file(FILE).unwrap().to_vec() };
    let tried = try_everything(&scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("writing a session: {tried}");
    assert!(tried.crashes >= 800 && tried.faults >= 60, "{tried}");
}

#[test]
fn a_removed_session_leaves_the_old_or_the_new_credentials_file_after_any_crash_and_any_disk_error() {
    let disk = FaultDisk::on(exported());
    remove(&disk).unwrap();
    let scenario = Removing { new: disk.image().file(FILE).unwrap().to_vec() };
    let tried = try_everything(&scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("removing a session: {tried}");
    assert!(tried.crashes >= 400 && tried.faults >= 50, "{tried}");
}
