//! Several keys in one run.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sim::{Failure, Status, User};

use super::failures::denied;
use super::stage::{Ran, Stage};
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

/// What ~/.aws/config says of bob and carol is wrong, so that neither can be resolved; of dave it says nothing.
fn with_unusable_profiles() -> (Stage, Vec<User>) {
    let (stage, users) = stage(&["bob", "carol", "dave"]);
    let config = "[profile bob]\nregion = eu west 1\n[profile carol]\nduration_seconds = soon\n";
    stage.case.write(&stage.case.config(), 0o600, config);
    (stage, users)
}

#[test]
fn a_profile_that_can_not_be_resolved_holds_none_of_the_others_up() {
    let (stage, users) = with_unusable_profiles();
    let told = |ran: &Ran| {
        ran.exits(1).says("error: bob: line 2 of ").says("; carol: line 4 of ");
    };
    let rehearsed = stage.run(&["rotate", "--all", "--dry-run"]);
    told(&rehearsed);
    let dave = rehearsed.out.lines().find(|line| line.starts_with("dave")).expect("nothing is told of dave");
    assert!(dave.contains(users[2].access_key_id()), "{dave}");
    let ran = stage.run(&["rotate", "--all"]);
    told(&ran);
    let rows = ran.out.lines().skip(1).map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    let rows: Vec<String> = rows.collect();
    assert_eq!(rows[..2], ["bob not tried", "carol not tried"]);
    assert!(rows[2].starts_with("dave in grace") && rows[3].starts_with("prod in grace"), "{rows:?}");
    stage.is_rotated();
    let status: Vec<_> = users.iter().map(|user| old_key_is(&stage, user)).collect();
    assert_eq!(status, [Some(Status::Active), Some(Status::Active), Some(Status::Inactive)]);
    // By its name it is nothing else that could go on.
    assert!(stage.run(&["rotate", "dave", "bob"]).exits(1).requests.is_empty());
}

#[test]
fn a_scheduled_run_remembers_a_profile_that_can_not_be_resolved_and_rotates_the_others() {
    let (stage, users) = with_unusable_profiles();
    stage.run(&["set", "--vault", "rotate_every=1d"]).succeeds();
    stage.pass(Duration::from_secs(2 * 86_400));
    let ran = stage.run(&["rotate", "--due", "--scheduled"]);
    ran.exits(1);
    assert_eq!(old_key_is(&stage, &users[2]), Some(Status::Inactive));
    let standing = stage.run(&["schedule", "status", "--json"]);
    let standing: serde_json::Value = serde_json::from_str(&standing.succeeds().out).unwrap();
    let failed = |name: &str| serde_json::json!({"profile": name, "reason": "state"});
    assert_eq!(standing["last_run"]["failed"], serde_json::json!([failed("bob"), failed("carol")]));
    assert_eq!(standing["last_run"]["rotated"], 2);
}

/// prod's hook ends only when bob's old key is off: whoever waits for a hook keeps nobody waiting.
#[test]
fn a_hook_that_takes_its_time_holds_no_other_rotation_up() {
    let (stage, users) = stage(&["bob"]);
    let (entered, free) = (stage.case.given("entered"), stage.case.given("free"));
    let script = format!(
        "#!/bin/sh\ntest -e {0} || exit 3\n: > {1}\nuntil test -e {0}/go; do sleep 0.05; done\n",
        free.display(),
        entered.display()
    );
    let hook = stage.case.give_program("hook", script);
    stage.run(&["set", "prod", &format!("rotate_hook={}", hook.display())]).succeeds();
    // All that is left to do for prod is what comes after its proof.
    stage.run(&["rotate", "prod"]).exits(7);
    assert_eq!(stage.held().state, Some("proven"));
    fs::create_dir(&free).unwrap();
    let (onlooker, before, is_over) =
        (stage.sim().onlooker(), stage.sim().count("UpdateAccessKey"), AtomicBool::new(false));
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            // bob's preflight, and the end of bob's old key.
            while onlooker.count("UpdateAccessKey") < before + 2 && !is_over.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            assert!(entered.exists(), "bob was done before the hook began");
            fs::write(free.join("go"), "").unwrap();
        });
        let ran = stage.run(&["rotate", "--all"]);
        is_over.store(true, Ordering::Relaxed);
        ran
    });
    ran.succeeds();
    stage.is_rotated();
    assert_eq!(old_key_is(&stage, &users[0]), Some(Status::Inactive));
}

#[test]
fn hooks_run_one_after_the_other_each_of_them_once() {
    let (stage, _) = stage(&["bob", "carol"]);
    let (one, heard) = (stage.case.given("one"), stage.case.given("heard"));
    let script = format!(
        "#!/bin/sh\nmkdir {0} || exit 3\necho $1 >> {1}\nsleep 0.2\nrmdir {0}\n",
        one.display(),
        heard.display()
    );
    let hook = stage.case.give_program("hook", script);
    for name in ["bob", "carol", "prod"] {
        stage.run(&["set", name, &format!("rotate_hook={}", hook.display())]).succeeds();
    }
    stage.run(&["rotate", "--all"]).succeeds();
    let mut heard: Vec<String> = fs::read_to_string(&heard).unwrap().lines().map(str::to_owned).collect();
    heard.sort();
    assert_eq!(heard, ["bob", "carol", "prod"]);
}
