//! Several keys in one run.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sim::{Failure, Status, User};

use super::failures::denied;
use super::stage::Stage;
use crate::program::ACCOUNT;

/// Others without MFA beside alice, who has none either; their profiles have their names.
pub fn stage(others: &[&str]) -> (Stage, Vec<User>) {
    let stage = Stage::without_mfa();
    let users: Vec<User> = others.iter().map(|name| stage.sim().add_user(ACCOUNT, name)).collect();
    for user in &users {
        add(&stage, user.name(), user);
    }
    stage.pass(Duration::from_secs(60));
    (stage, users)
}

pub fn add(stage: &Stage, profile: &str, user: &User) {
    stage.case.keep_secret("another user's secret key", user.secret_access_key());
    let words = ["add", profile, "--access-key-id", user.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    stage.case.vault(&words).stdin(user.secret_access_key()).run().succeeds();
}

pub fn old_key_is(stage: &Stage, user: &User) -> Option<Status> {
    let keys = stage.sim().access_keys(user);
    keys.iter().find(|key| key.access_key_id == user.access_key_id()).map(|key| key.status)
}

#[test]
fn all_keys_are_rotated_in_the_time_of_one_and_told_in_a_table() {
    let (stage, users) = stage(&["bob", "carol", "dave"]);
    let ran = stage.run(&["rotate", "--all"]);
    ran.succeeds();
    stage.is_rotated();
    for user in &users {
        assert_eq!(old_key_is(&stage, user), Some(Status::Inactive), "{}", user.name());
        assert_eq!(stage.sim().access_keys(user).len(), 2);
    }
    let named: Vec<&str> = ran.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(named, ["NAME", "bob", "carol", "dave", "prod"]);
    assert!(ran.waited.as_secs() < 60, "{:?}", ran.waited);
    assert!(stage.run(&["rotate", "--resume"]).succeeds().changes().is_empty());
}

#[test]
fn a_key_that_fails_among_others_holds_none_of_them_up() {
    let (stage, users) = stage(&["bob", "carol"]);
    stage.sim().deny(&users[0], "iam:CreateAccessKey");
    let ran = stage.run(&["rotate", "--all"]);
    ran.exits(4).says("bob");
    stage.is_rotated();
    assert_eq!(old_key_is(&stage, &users[0]), Some(Status::Active));
    assert_eq!(old_key_is(&stage, &users[1]), Some(Status::Inactive));
}

#[test]
fn a_key_that_two_profiles_have_is_rotated_once_and_replaced_in_both() {
    let (stage, _) = stage(&[]);
    add(&stage, "same", &stage.user);
    let ran = stage.run(&["rotate", "--all"]);
    ran.succeeds();
    assert_eq!(ran.count("CreateAccessKey"), 1);
    stage.is_rotated();
    let document = stage.document_on(&vault::disk::RealDisk);
    let keys: BTreeSet<_> =
        document.profiles.values().map(|profile| &profile.access_key.as_ref().unwrap().id).collect();
    assert_eq!(keys.len(), 1);
}

#[test]
fn what_stopped_for_some_is_resumed_for_all_of_them() {
    let (stage, users) = stage(&["bob"]);
    stage.sim().fail(Failure::on("UpdateAccessKey").nth(3).kind(denied("UpdateAccessKey")).lasting());
    stage.run(&["rotate", "--all"]).exits(4);
    stage.sim().stop_failing();
    assert_eq!(stage.held().state, Some("proven"));
    stage.run(&["rotate", "--resume"]).succeeds();
    stage.is_rotated();
    assert_eq!(old_key_is(&stage, &users[0]), Some(Status::Inactive));
}
