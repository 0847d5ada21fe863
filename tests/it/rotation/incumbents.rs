//! How the programs before this one lost keys, each as a test. All that is known of them stands in tests/incumbents.md.

use std::time::Duration;

use aws_sim::{Failure, Kind, Status};
use vault::disk::RealDisk;

use super::failures::{denied, server_error};
use super::stage::Stage;

/// V1, aws-vault: killed between CreateAccessKey and the save, the new secret is lost and the key is nobody's. Here it has a
/// name and a way to go, and the old one works.
#[test]
fn v1_a_rotation_that_ends_after_create_loses_no_key_without_its_name() {
    let stage = Stage::new();
    stage.sim().fail(Failure::on("CreateAccessKey").kind(Kind::AfterApplied));
    stage.sim().fail(Failure::on("ListAccessKeys").nth(4).kind(Kind::BeforeSend).lasting());
    stage.rotate(&[]).exits(7);
    stage.sim().stop_failing();
    assert_eq!(stage.held().state, Some("intended"));
    stage.signs_in();
    let ran = stage.rotate(&["--resume"]);
    ran.exits(8).says("deletes it, and goes on");
    stage.follow_hint(&ran).succeeds();
    stage.is_rotated();
    stage.recovers();
}

/// V2, aws-vault: the new key is made, and can't be written.
#[test]
fn v2_a_new_key_that_cannot_be_saved_is_deleted_again() {
    let stage = Stage::new();
    let disk = stage.fault_disk();
    stage.fills_when(&disk, "CreateAccessKey");
    let ran = stage.rotate_on(&disk, &[]);
    ran.exits(1).says("the new key could not be saved, and was deleted again");
    assert_eq!(ran.changes(), ["UpdateAccessKey", "CreateAccessKey", "DeleteAccessKey"]);
    assert_eq!(stage.sim().access_keys(&stage.user).len(), 1);
    assert_eq!(stage.held_on(&disk).current.id.as_str(), stage.user.access_key_id());
    disk.mend();
    stage.rotate_on(&disk, &["--resume"]).succeeds();
    stage.signs_in_on(&disk);
}

/// The worst of it: a full disk, and AWS does not take the key back either.
#[test]
fn v2_a_new_key_that_can_neither_be_saved_nor_deleted_is_named() {
    let stage = Stage::new();
    let disk = stage.fault_disk();
    stage.fills_when(&disk, "CreateAccessKey");
    stage.sim().fail(Failure::on("DeleteAccessKey").kind(Kind::BeforeSend).lasting());
    let ran = stage.rotate_on(&disk, &[]);
    stage.sim().stop_failing();
    let keys = stage.sim().access_keys(&stage.user);
    let left = keys.iter().find(|key| key.access_key_id != stage.user.access_key_id()).unwrap();
    ran.exits(1).says(&format!("the new key {} could not be saved, nor deleted again", left.access_key_id));
    disk.mend();
    stage.signs_in_on(&disk);
    stage.follow_hint_on(&disk, &ran).succeeds();
    assert_eq!(stage.held_on(&disk).state, Some("retired"));
    assert_eq!(stage.status(&left.access_key_id), None);
    stage.signs_in_on(&disk);
}

/// V3, aws-vault: it gives up where the new key is not live in time, or the old one can't be deleted, and keeps neither.
#[test]
fn v3_a_key_that_is_not_live_in_twenty_seconds_and_a_delete_that_is_refused_leave_two_keys_that_the_vault_has() {
    let stage = Stage::new();
    stage.sim().new_keys_live_after(Duration::from_secs(60), Duration::from_secs(60));
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    stage.sim().fail(Failure::on("DeleteAccessKey").kind(denied("DeleteAccessKey")));
    let ran = stage.rotate(&["--now", "--force"]);
    ran.exits(4);
    stage.is_rotated();
    stage.signs_in();
    stage.rotate(&["--now", "--force"]).succeeds();
    assert_eq!(stage.status(stage.user.access_key_id()), None);
    stage.signs_in();
}

/// V4, aws-vault: a second code is asked for in the middle, after the key was made.
#[test]
fn v4_one_code_is_enough() {
    let stage = Stage::new();
    stage.sim().require_mfa_for(&stage.user, &["iam:*"], None);
    let ran = stage.rotate(&[]);
    ran.succeeds();
    let coded = ran.requests.iter().filter(|request| request.parameter("TokenCode").is_some());
    assert_eq!(coded.count(), 1);
}

/// A5, awsmfa: the old key is deleted first, and making the new one fails.
#[test]
fn a5_a_create_that_fails_leaves_the_old_key_working() {
    for kind in [denied("CreateAccessKey"), server_error(), Kind::BeforeSend] {
        let stage = Stage::new();
        stage.sim().fail(Failure::on("CreateAccessKey").kind(kind));
        let ran = stage.run_on(&RealDisk, &["rotate", "prod", "--mfa-code", &stage.case.phone.code()]);
        let first = ran.changes().iter().position(|action| *action == "CreateAccessKey").unwrap();
        assert!(!ran.changes()[..first].contains(&"DeleteAccessKey"), "{}", ran.shown());
        stage.recovers();
    }
}

/// R5, AWS-recipes: the old key can't be deleted, and the new one is lost with the error.
#[test]
fn r5_a_delete_that_is_refused_is_resumed() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    stage.pass(Duration::from_secs(25 * 3600));
    stage.sim().fail(Failure::on("DeleteAccessKey").kind(server_error()).lasting());
    let ran = stage.rotate(&["--resume"]);
    ran.exits(7);
    stage.sim().stop_failing();
    stage.is_rotated();
    stage.follow_hint(&ran).succeeds();
    let held = stage.held();
    assert_eq!((stage.status(stage.user.access_key_id()), held.state), (None, None));
    assert_eq!(stage.status(held.current.id.as_str()), Some(Status::Active));
    stage.signs_in();
}

/// vaulted: the profile lost what else it had with its old key.
#[test]
fn what_a_profile_says_stays_when_its_key_is_replaced() {
    let stage = Stage::new();
    let settings = ["region=eu-central-1", "duration_seconds=7200", "rotate_every=90d", "destination_profile=work"];
    stage.case.run(&[&["set", "prod"], &settings[..]].concat()).succeeds();
    let of_the_key = ["access_key = ", "added = ", "created = ", "verified = ", "rotation = "];
    let others = || {
        let shown = stage.case.run(&["show", "prod"]).succeeds().out.clone();
        let lines = shown.lines().filter(|line| !of_the_key.iter().any(|key| line.starts_with(key)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = others();
    assert!(before.len() > settings.len() && before.iter().any(|line| line.starts_with("mfa_serial = ")), "{before:?}");
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    assert_eq!(others(), before);
}
