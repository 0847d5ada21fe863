//! File systems that are full or may not be written, in a mount namespace of their own.

use std::fs;
use std::time::{Duration, Instant};

use super::PROGRAM;
use crate::program::{Case, Output, files_below};

/// In a mount namespace of its own; `$0` is the program and `$1` the vault's folder.
fn among_mounts(case: &Case, script: &str) -> Output {
    let folder = case.vault_file().parent().unwrap().to_owned();
    let script = format!("set -eu; {script}");
    let arguments = ["--map-root-user", "--mount", "sh", "-c", &script, PROGRAM, folder.to_str().unwrap()];
    case.command("unshare", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).run()
}

/// With the vault's folder on a file system that is full.
fn on_a_full_disk(case: &Case, script: &str) -> Output {
    let around = "cp \"$1\"/vault.age \"$TMPDIR\"/kept; mount -t tmpfs -o size=64k,mode=0700 tmpfs \"$1\"; \
                  cp \"$TMPDIR\"/kept \"$1\"/vault.age; chmod 600 \"$1\"/vault.age; \
                  cat /dev/zero > \"$1\"/filler 2> /dev/null || true; ";
    among_mounts(case, &format!("{around}{script}"))
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_full_disk_leaves_the_old_vault_and_says_so() {
    let case = Case::with_prod();
    let started = Instant::now();
    let output = on_a_full_disk(
        &case,
        "\"$0\" set prod region=eu-west-1 && exit 90; echo \"exit $?\"; \"$0\" show prod; \
         rm \"$1\"/filler; \"$0\" set prod region=eu-west-2; \"$0\" show prod; ls -A \"$1\"",
    );
    output.succeeds().stdout_has("exit 1\n").stderr_has(
        "the vault was not saved: No space left on device (os error 28)\n\
         vault: hint: make room: `vault doctor` says on which disk\n",
    );
    output.stdout_has("region = eu-west-2\n");
    assert!(!output.out.contains("region = eu-west-1") && !output.out.contains(".tmp"), "{}", output.out);
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// Reads the vault, and then fails to save it.
const READ_AND_SAVE: &str =
    "\"$0\" list > \"$TMPDIR\"/list; \"$0\" set prod region=eu-west-1 && exit 90; echo \"exit $?\"";

/// Refused with exactly these words, and the vault is as it was, with nothing half-written beside it.
#[track_caller]
fn read_and_not_saved(case: &Case, mounts: &str, told: &str) {
    let before = fs::read(case.vault_file()).unwrap();
    among_mounts(case, &format!("{mounts}; {READ_AND_SAVE}")).succeeds().stdout("exit 1\n").stderr(told);
    assert!(fs::read(case.vault_file()).unwrap() == before, "the vault was changed");
    let names = files_below(case.vault_file().parent().unwrap());
    assert!(!names.iter().any(|name| name.extension().is_some_and(|end| end == "tmp")), "{names:?}");
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_vault_in_a_read_only_folder_is_read_and_not_saved() {
    let told = "vault: error: the vault is on a read-only file system: it can be read, not saved\n\
                vault: hint: save it where its folder is mounted for writing\n";
    read_and_not_saved(&Case::with_prod(), "mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\"", told);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_vault_mounted_as_a_single_file_is_read_and_not_saved() {
    let told = "vault: error: the vault is mounted as a single file and can't be replaced safely; nothing was changed\n\
                vault: hint: mount its folder instead\n";
    for mode in ["rw", "ro"] {
        let file = "\"$1\"/vault.age";
        let mounts = format!("mount --bind {file} {file}; mount -o remount,bind,{mode} {file}");
        read_and_not_saved(&Case::with_prod(), &mounts, told);
    }
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_container_with_a_read_only_vault_and_nowhere_to_write_gets_its_sessions() {
    let case = Case::with_prod();
    let home = case.home().display().to_string();
    let because = "Read-only file system (os error 30)";
    for command in ["exec prod --no-mfa -- env", "get prod aws_access_key_id --no-mfa", "env prod --no-mfa"] {
        let read_only = format!("mount --bind {home} {home}; mount -o remount,bind,ro {home}");
        let output = among_mounts(&case, &format!("{read_only}; \"$0\" {command}"));
        let told = format!(
            "vault: warning: `prod`: without MFA, as asked; policies see aws:MultiFactorAuthPresent as absent\n\
             vault: warning: the session could not be cached: {because}\n\
             vault: warning: the log could not be written: {because}\n"
        );
        output.succeeds().stdout_has("ASIA").stderr(&told);
    }
}
