//! What it says of modes: who else can get at files, and at the folders above them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{VAULT, about, doctor, error, only, said_of, told};
use crate::program::Case;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn who_else_can_get_at_files_is_told_with_the_mode_that_mends_it() {
    let case = Case::with_prod();
    case.login().succeeds();
    set_mode(&case.vault_file(), 0o644);
    set_mode(&case.credentials(), 0o640);
    let vault = "~/.local/share/vault/vault.age";
    assert_eq!(
        only(&case, &[], "vault"),
        told("problem", &format!("others can read {vault} (mode 644)"), Some(&format!("`chmod 600 {vault}`")))
    );
    set_mode(&case.home().join(".local/state/vault"), 0o777);
    assert_eq!(
        only(&case, &[], "state"),
        told("problem", "others can change ~/.local/state/vault (mode 777)", Some("`chmod go-w ~/.local/state/vault`"))
    );
    assert_eq!(
        only(&case, &[], "aws files"),
        told(
            "problem",
            "others can read ~/.aws/credentials (mode 640), and credentials are in it",
            Some("`chmod 600 ~/.aws/credentials`"),
        )
    );
}

#[test]
fn a_folder_above_that_others_can_change_is_a_problem_and_is_counted_once() {
    let case = Case::with_prod();
    let home = case.home();
    let one_problem = |open: &Path, shown: &str| {
        let mode = fs::metadata(open).unwrap().permissions().mode();
        set_mode(open, 0o777);
        let ran = doctor(&case, &[]).run();
        ran.exits(1).stderr(&error("one problem was found"));
        let next = format!("`chmod go-w {shown}`");
        assert_eq!(
            about(&case, &[], "folders"),
            [told("problem", &format!("others can change {shown} (mode 777)"), Some(&next))]
        );
        set_mode(open, mode & 0o755);
    };
    // Above the vault, the state folder and AWS's files.
    one_problem(&home, home.to_str().unwrap());
    one_problem(&home.join(".local"), "~/.local");
    // Where the vault is elsewhere, and only a link to it here.
    let elsewhere = home.join("sync/vaults");
    fs::create_dir_all(&elsewhere).unwrap();
    let vault = case.vault_file();
    fs::rename(&vault, elsewhere.join("vault.age")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("vault.age"), &vault).unwrap();
    set_mode(&elsewhere, 0o770);
    doctor(&case, &[]).run().exits(1).stderr(&error("one problem was found"));
    let opened = about(&case, &[], "vault");
    assert_eq!(
        opened.last(),
        Some(&told("problem", "others can change ~/sync/vaults (mode 770)", Some("`chmod go-w ~/sync/vaults`")))
    );
}

#[test]
fn the_folder_of_both_of_awss_files_is_counted_once() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[default]\nregion = eu-west-1\n");
    case.login().succeeds();
    let folder = case.home().join(".aws");
    set_mode(&folder, 0o775);
    let found = format!("others can write to {} (mode 775)", folder.display());
    let once_more = "then `vault doctor` once more: nothing in it was looked at";
    let next = format!("`chmod go-w ~/.aws`, {once_more}");
    assert_eq!(only(&case, &[], "aws files"), told("problem", &found, Some(&next)));
    doctor(&case, &[]).run().exits(1).stderr(&error("one problem was found"));
    set_mode(&folder, 0o700);
    set_mode(&case.credentials(), 0o666);
    let found = format!("others can write to {} (mode 666)", case.credentials().display());
    let next = format!("`chmod 600 ~/.aws/credentials`, {once_more}");
    assert_eq!(only(&case, &[], "aws files"), told("problem", &found, Some(&next)));
}

#[test]
fn a_folder_that_takes_no_file_is_a_problem_before_a_save_fails_there() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile x]\nregion = eu-west-1\n");
    let (vault, aws) = (case.vault_file().parent().unwrap().to_owned(), case.home().join(".aws"));
    let words = [VAULT, "doctor", "--offline", "--json"];
    // The administrator writes everywhere, unless that power is put down first.
    let powerless = [&["setpriv", "--bounding-set", "-dac_override,-dac_read_search"][..], &words].concat();
    let words = if crate::fault_disk::our_id() == 0 { &powerless[..] } else { &words };
    let uid = crate::fault_disk::our_id();
    for (what, folder, shown) in [("vault", &vault, "~/.local/share/vault"), ("aws files", &aws, "~/.aws")] {
        set_mode(folder, 0o500);
        let ran = case.command(words[0], &words[1..]).variable("VAULT_IDENTITY", case.given("recovery.txt")).run();
        let found = format!("you may make no file in {shown}: nothing can be saved there");
        let typed = folder.display();
        let next = format!("`chmod u+wx {typed}`, or as root `chown {uid} {typed}`");
        assert!(said_of(&ran, what).contains(&told("problem", &found, Some(&next))), "{}", ran.out);
        ran.exits(1).stderr(&error("one problem was found"));
        set_mode(folder, 0o700);
    }
    doctor(&case, &[]).run().succeeds();
}
