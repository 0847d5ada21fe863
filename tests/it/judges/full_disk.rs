//! The disk is full when a new key is made and not yet saved: the real program, with the vault on a small file system of its
//! own.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use aws_sim::{Failure, Kind, Status};

use super::PROGRAM;
use crate::program::{Case, Output};
use crate::rotation::failures::denied;
use crate::waiting;

/// Long enough to fill the disk before the answer comes.
const HELD_BACK: Duration = Duration::from_secs(5);

/// `$1` is the vault's folder and `$2` a code. The disk is filled once there is a file `full`; in it stands what to say besides
/// when there is room again.
const SCRIPT: &str = "set -eu; cd \"$TMPDIR\"
    cp \"$1\"/vault.age kept; mount -t tmpfs -o size=256k,mode=0700 tmpfs \"$1\"
    cp kept \"$1\"/vault.age; chmod 600 \"$1\"/vault.age; rm kept
    \"$0\" rotate prod --mfa-code \"$2\" & rotation=$!
    until [ -e full ]; do sleep 0.05; done
    cat /dev/zero > \"$1\"/filler 2> /dev/null || true
    wait \"$rotation\" && exit 90; echo \"exit $?\"
    \"$0\" get prod aws_access_key_id --force --no-mfa > /dev/null; echo 'the old key works'
    rm \"$1\"/filler; \"$0\" rotate prod $(cat full); \"$0\" show prod; ls -A \"$1\"";

/// A rotation that meets that, and then goes on with the flags that `then` has for the key that was made.
fn on_a_full_disk(case: &Case, then: impl FnOnce(&str) -> String) -> Output {
    case.sim.fail(Failure::on("CreateAccessKey").kind(Kind::Delay(HELD_BACK)));
    let (folder, code) = (case.vault_file().parent().unwrap().to_owned(), case.phone.code());
    let arguments = ["--map-root-user", "--mount", "sh", "-c", SCRIPT, PROGRAM, folder.to_str().unwrap(), &code];
    let running = case.command("unshare", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).start();
    wait_for(case, "CreateAccessKey");
    let new = keys(case).pop().unwrap().0;
    let full: PathBuf = case.home().with_file_name("tmp").join("full");
    fs::write(full.with_extension("new"), then(&new)).unwrap();
    fs::rename(full.with_extension("new"), full).unwrap();
    wait_for(case, "DeleteAccessKey");
    // Longer than a list may lag behind a call: else the next rotation waits for that.
    case.sim.advance(Duration::from_secs(120));
    running.finish()
}

fn wait_for(case: &Case, action: &str) {
    waiting::until(action, || case.sim.count(action) > 0);
}

fn keys(case: &Case) -> Vec<(String, Status)> {
    case.sim.access_keys(&case.alice).into_iter().map(|key| (key.access_key_id, key.status)).collect()
}

/// The old key worked all the time, and in the end it is off and another is in use.
fn went_through(case: &Case, output: &Output) {
    output.succeeds().stdout_has("exit 1\nthe old key works\n");
    let keys = keys(case);
    let old = case.alice.access_key_id().to_owned();
    assert!(keys.len() == 2 && keys[0] == (old, Status::Inactive) && keys[1].1 == Status::Active, "{keys:?}");
    output.stdout_has(&keys[1].0);
    assert!(!output.out.contains(".tmp"), "{}", output.out);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_new_key_that_the_disk_has_no_room_for_is_deleted_again() {
    let case = Case::with_prod();
    let output = on_a_full_disk(&case, |_| String::new());
    went_through(&case, &output);
    output.stderr_has(
        "vault: error: prod: the new key could not be saved, and was deleted again: No space left on device (os error 28)\n\
         vault: hint: the key in the vault works on; once a save succeeds again, `vault rotate prod` makes another\n",
    );
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_new_key_that_the_disk_has_no_room_for_and_that_can_not_be_deleted_is_named() {
    let case = Case::with_prod();
    case.sim.fail(Failure::on("DeleteAccessKey").kind(denied("DeleteAccessKey")));
    let mut left = String::new();
    let output = on_a_full_disk(&case, |new| {
        left = new.to_owned();
        format!("--delete-key {new}")
    });
    went_through(&case, &output);
    output.stderr_has(&format!(
        "vault: error: prod: the new key {left} could not be saved, nor deleted again: No space left on device \
         (os error 28); the key in the vault works on\n\
         vault: hint: `vault rotate prod --delete-key {left}` deletes it and makes another\n",
    ));
}
