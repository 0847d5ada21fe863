//! A user who has two access keys already: AWS allows no third, and which one makes room is a person's to say.

use std::time::Duration;

use aws_sim::Status;

use super::by_hand::{created, proven, retired};
use super::stage::Stage;

#[test]
fn a_key_is_not_deleted_to_make_room_while_the_vault_has_two() {
    for (stage, old, new) in [created(), proven(), retired()] {
        for key in [&old, &new] {
            let ran = stage.rotate(&["--delete-key", key, "--force", "--now"]);
            ran.exits(1).says("is not a key to delete");
            assert!(ran.changes().is_empty(), "{}", ran.shown());
        }
        assert!(stage.status(&old).is_some() && stage.status(&new).is_some());
    }
}

#[test]
fn two_keys_stop_a_rotation_before_anything_is_changed() {
    let stage = Stage::new();
    let second = stage.another_key();
    stage.sim().age_key(&second, Duration::from_secs(10 * 86_400));
    let ran = stage.rotate(&[]);
    ran.exits(1).says("prod: alice has two access keys, and AWS allows no third").says(&second);
    ran.says("91 d ago, last used ").says("by iam in us-east-1, in the vault").says("10 d ago, never used)");
    let way_on = format!(
        "`vault rotate prod --delete-key AKIA...{}` deletes that one first, if nobody needs it: it may be another machine's",
        &second[16..]
    );
    ran.hint(&way_on);
    let rehearsed = stage.run(&["rotate", "prod", "--dry-run"]);
    rehearsed.succeeds().says("\n  it would stop there: prod: alice has two access keys, and AWS allows no third: ");
    rehearsed.says(&format!("\n     next: {way_on}\n"));
    assert!(!rehearsed.out.contains("1. "), "{}", rehearsed.shown());
    assert!(ran.changes().is_empty(), "{}", ran.shown());
    assert_eq!(ran.codes_spent(), 0);
    stage.is_untouched();
    stage.rotate(&["--delete-key", &second[16..]]).succeeds().says("is deleted");
    assert_eq!(stage.status(&second), None);
    stage.is_rotated();
    stage.recovers();
}

#[test]
fn two_keys_whose_uses_may_not_be_asked_for_are_shown_all_the_same() {
    let stage = Stage::new();
    let second = stage.another_key();
    stage.sim().age_key(&second, Duration::from_secs(10 * 86_400));
    let shown = |stage: &Stage| {
        let ran = stage.rotate(&["--json"]);
        ran.exits(1);
        assert_eq!(ran.codes_spent(), 0);
        let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told["keys"][0]["outcome"], "two-keys");
        let of = |id: &str| {
            let mut keys = told["keys"][0]["keys"].as_array().unwrap().iter();
            keys.find(|key| key["access_key_id"] == id).unwrap().clone()
        };
        (of(stage.user.access_key_id()), of(&second), ran)
    };
    stage.sim().deny(&stage.user, "iam:GetAccessKeyLastUsed");
    let (own, other, ran) = shown(&stage);
    ran.says("91 d ago, use unknown, in the vault)").says("10 d ago, use unknown)");
    assert_eq!((&own["use_known"], &other["use_known"]), (&false.into(), &false.into()));
    stage.sim().allow(&stage.user, "iam:GetAccessKeyLastUsed");
    let (own, other, _) = shown(&stage);
    assert_eq!((&own["last_used"]["service"], &own["status"]), (&"iam".into(), &"active".into()));
    assert_eq!((&other["use_known"], &other["last_used"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(own["age_seconds"].as_i64().unwrap() / 86_400, 91);
}

#[test]
fn the_key_in_use_is_not_deleted_to_make_room() {
    let stage = Stage::new();
    let second = stage.another_key();
    let ran = stage.rotate(&["--delete-key", stage.user.access_key_id()]);
    ran.exits(1).says("is not a key to delete");
    stage.rotate(&["--delete-key", "AKIAIOSFODNN7EXAMPLE"]).exits(1).says("has no access key");
    assert_eq!(stage.status(&second), Some(Status::Active));
    stage.is_untouched();
}

#[test]
fn the_key_of_another_profile_is_not_deleted_to_make_room_and_no_code_is_spent_on_it() {
    let stage = Stage::new();
    let (second, secret) = stage.sim().add_access_key(&stage.user);
    stage.case.keep_secret("another's secret", &secret);
    let add = ["add", "legacy", "--access-key-id", &second, "--secret-stdin", "--mfa-serial", "none"];
    stage.case.vault(&add).stdin(&secret).run().succeeds();
    for rehearsed in [true, false] {
        let more: &[&str] = if rehearsed { &["--dry-run"] } else { &[] };
        let ran = stage.rotate(&[&["--delete-key", &second], more].concat());
        ran.exits(1).says(&format!("prod: AKIA...{} is the key of another profile of this vault", &second[16..]));
        assert!(ran.changes().is_empty() && ran.codes_spent() == 0, "{}", ran.shown());
    }
    assert_eq!(stage.status(&second), Some(Status::Active));
    stage.is_untouched();
}
