//! An identity that opens the vault with nobody there: wherever making or removing it was cut short, the machine knows of it, and
//! taking it back takes all of it.

use std::path::Path;

use vault::cli::Report;

use super::command::{IDENTITY, run_with};
use super::vault::{STATE, fresh_vault, identity, judge_folder, opened};
use crate::fault_disk::{Body, FaultDisk, Image, Seen};

const MAKE: [&str; 7] = ["schedule", "install", "--systemd", "--unattended", "--yes", "--identity", IDENTITY];
const TAKE_BACK: [&str; 5] = ["schedule", "remove", "--yes", "--identity", IDENTITY];

/// Without any program of the system.
fn run(arguments: &[&str], disk: &FaultDisk) -> Result<(), Report> {
    run_with(&[("PATH", "/no/such/folder")], arguments, disk)
}

fn start() -> Image {
    fresh_vault().with(IDENTITY, 0o600, Body::File(identity().expose().as_bytes().to_vec()))
}

fn made() -> Image {
    let disk = FaultDisk::on(start());
    run(&MAKE, &disk).map_err(|report| report.message).unwrap();
    disk.image()
}

/// The files of it that stand. Halves of those without a secret, which the next one sweeps, do no harm.
fn left(image: &Image) -> Vec<String> {
    let paths = image.tree().0.into_iter().filter(|(_, seen)| matches!(seen, Seen::File { .. }));
    let paths = paths.map(|(path, _)| path.display().to_string());
    let ours = |path: &String| path.contains("unattended") || path.contains("vault-rotate");
    paths.filter(|path| ours(path) && !path.ends_with(".tmp")).collect()
}

fn is_recipient(image: &Image) -> Result<bool, String> {
    let disk = FaultDisk::on(image.clone());
    let vault = opened(&disk)?;
    Ok(vault.document().recipients.iter().any(|one| one.name.starts_with("unattended-")))
}

/// Nobody else can open the vault without this machine saying so, and the next command takes it back.
fn judge(image: &Image) -> Result<(), String> {
    // What systemd reads is for everybody to read.
    let units = Path::new("/home/alice/.config");
    let secret = image.clone();
    judge_folder(&if image.find(units).is_some() { secret.without("/home/alice/.config") } else { secret })?;
    let known = image.file(format!("{STATE}/unattended.json")).is_some();
    if is_recipient(image)? && !known {
        return Err("a recipient that the machine has forgotten".to_owned());
    }
    let disk = FaultDisk::on(image.clone());
    run(&TAKE_BACK, &disk).map_err(|report| format!("not taken back: {}", report.message))?;
    let image = disk.image();
    match left(&image).as_slice() {
        [] if is_recipient(&image)? => Err("the recipient is still there".to_owned()),
        [] => Ok(()),
        left => Err(format!("left behind: {left:?}")),
    }
}

/// Every crash, and every disk error with the power off afterwards.
fn try_all(start: &Image, arguments: &[&str]) -> usize {
    let undisturbed = FaultDisk::on(start.clone());
    run(arguments, &undisturbed).map_err(|report| report.message).unwrap();
    let mut tried = 0;
    for crash in undisturbed.crashes_from(0).distinct {
        judge(&crash.image).unwrap_or_else(|wrong| panic!("{wrong}\n{crash}{}", undisturbed.told_up_to(crash.before)));
        tried += 1;
    }
    for fault in undisturbed.faults() {
        let disk = FaultDisk::failing(start.clone(), fault);
        let _ = run(arguments, &disk);
        judge(&disk.image()).unwrap_or_else(|wrong| panic!("{wrong}\n{fault:?}\n{}", disk.told()));
        tried += 1;
    }
    tried
}

#[test]
fn an_unattended_identity_is_known_and_can_be_taken_back_after_any_crash_and_any_disk_error() {
    assert_eq!(left(&made()).len(), 4);
    assert!(is_recipient(&made()).unwrap());
    let (making, taking_back) = (try_all(&start(), &MAKE), try_all(&made(), &TAKE_BACK));
    println!("schedule: {making} states while making, {taking_back} while taking back");
    assert!(making >= 200 && taking_back >= 200, "{making} {taking_back}");
}
