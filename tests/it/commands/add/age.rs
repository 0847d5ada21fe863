//! How old the key is that comes in: as AWS tells it, where it does.

use std::time::Duration;

use aws_sim::{Failure, Kind};

use super::{added, next, profile};
use crate::program::{ACCOUNT, Case};

const AGE: Duration = Duration::from_secs(400 * 86_400);

/// The line of `prod` in the table of `status`: the age of its key, and when that is due.
fn age_and_due(case: &Case) -> (String, String) {
    let status = case.run(&["status"]);
    let line = status.succeeds().out.lines().find(|line| line.starts_with("prod ")).unwrap().to_owned();
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    (cells[2].to_owned(), cells[4].to_owned())
}

#[test]
fn a_key_that_is_added_is_as_old_as_aws_says_and_due_by_that() {
    let case = Case::with_vault();
    case.sim.age_key(case.alice.access_key_id(), AGE);
    case.add("prod").succeeds();
    case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
    assert_eq!(age_and_due(&case), ("400 d".to_owned(), "overdue by 310 d".to_owned()));
    case.run(&["status", "--due"]).exits(1).stderr_has("due: the access keys of `prod`");

    // Also of the key that takes its place.
    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.sim.age_key(&id, AGE / 100);
    case.keep_secret("the second key", &secret);
    let replace = case.vault(&["add", "prod", "--access-key-id", &id, "--secret-stdin", "--replace"]).stdin(&secret);
    replace.run().succeeds();
    assert_eq!(age_and_due(&case), ("4 d".to_owned(), "due in 85 d 23 h".to_owned()));
}

#[test]
fn a_root_users_key_is_as_old_as_aws_says_too() {
    let case = Case::with_vault();
    let root = case.sim.add_root(ACCOUNT);
    case.sim.age_key(root.access_key_id(), AGE);
    case.keep_secret("the root user's key", root.secret_access_key());
    let add = case.vault(&["add", "prod", "--access-key-id", root.access_key_id(), "--secret-stdin"]);
    add.stdin(root.secret_access_key()).run().succeeds();
    assert_eq!(age_and_due(&case).0, "400 d");
}

#[test]
fn a_key_whose_age_aws_does_not_tell_is_added_without_a_word_and_may_be_older_than_it_looks() {
    type Trouble = fn(&Case);
    let mfa_needed: Trouble = |case| case.sim.require_mfa_for(&case.alice, &["iam:ListAccessKeys"], None);
    let denied: Trouble = |case| case.sim.deny(&case.alice, "iam:ListAccessKeys");
    let cut: Trouble = |case| case.sim.fail(Failure::on("ListAccessKeys").kind(Kind::BeforeSend).lasting());
    let silent: Trouble = |case| {
        let later = Kind::Delay(Duration::from_secs(60));
        case.sim.fail(Failure::on("ListAccessKeys").kind(later).lasting());
    };
    for trouble in [mfa_needed, denied, cut, silent] {
        let case = Case::with_vault();
        case.sim.age_key(case.alice.access_key_id(), AGE);
        trouble(&case);
        case.add("prod").succeeds().stdout("").stderr(&format!("{}{}", added(&case, "prod"), next("prod")));
        case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
        let (age, due) = age_and_due(&case);
        assert!(age.starts_with("at least ") && due.starts_with("due in 89 d 23 h"), "{age}, {due}");
        assert_eq!(profile(&case, "prod")["created"], serde_json::Value::Null);
    }
}

#[test]
fn a_key_that_comes_unchecked_is_not_asked_for_its_age() {
    let case = Case::with_vault();
    let id = case.alice.access_key_id();
    let add = case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin", "--no-verify"]);
    add.stdin(case.alice.secret_access_key()).run().succeeds();
    assert_eq!(case.sim.requests(), []);
    assert!(age_and_due(&case).0.starts_with("at least "));
}
