//! `vault keys`: a user's access keys as IAM has them.

use std::time::Duration;

use aws_sim::{Failure, Kind, Status};

use super::{error, error_and_hint, json, screen, short, warning};
use crate::program::{ACCOUNT, Case};

/// alice, signed in with MFA, with a second key that she made 91 days ago and never used.
fn with_two_keys() -> (Case, String) {
    let case = Case::with_prod();
    let (second, secret) = case.sim.add_access_key(&case.alice);
    case.keep_secret("the second key's secret", &secret);
    case.sim.age_key(&second, Duration::from_secs(91 * 86_400));
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    case.sim.clear_requests();
    (case, second)
}

fn statuses(case: &Case) -> Vec<(String, Status)> {
    case.sim.access_keys(&case.alice).into_iter().map(|key| (key.access_key_id, key.status)).collect()
}

fn changes(case: &Case) -> usize {
    case.sim.count("UpdateAccessKey") + case.sim.count("DeleteAccessKey")
}

#[test]
fn keys_are_listed_with_status_age_last_use_and_the_profiles_that_have_them() {
    let (case, second) = with_two_keys();
    case.sim.set_key_status(&second, Status::Inactive);
    case.add("same").succeeds();
    case.sim.clear_requests();
    let output = case.run(&["keys", "prod"]);
    let rows: Vec<Vec<&str>> = output
        .succeeds()
        .stderr("")
        .out
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let now = case.sim.now();
    let day = |ago: i64| (now - jiff::SignedDuration::from_hours(24 * ago)).strftime("%F").to_string();
    assert_eq!(rows[0], ["ACCESS KEY", "STATUS", "CREATED", "AGE", "LAST USED", "IN THE VAULT"]);
    assert_eq!(rows[1], [&*short(&second), "inactive", &day(91), "91 d", "never", "-"]);
    assert_eq!(rows[2][..3], [&*short(case.alice.access_key_id()), "active", &day(0)]);
    assert_eq!(rows[2][4..], [&*format!("{}, iam in us-east-1", day(0)), "prod, same"]);
    case.run(&["keys", "list", "prod"]).succeeds().stdout(&output.out);
    let named = |action: &str, parameter: &str, value: &str| {
        let requests = case.sim.requests();
        requests
            .iter()
            .filter(|request| request.action == action)
            .all(|request| request.parameter(parameter) == Some(value))
    };
    assert!(named("ListAccessKeys", "UserName", "alice"));
    assert!(case.sim.requests().iter().all(|request| request.signed_with_token), "by the session with MFA");
}

#[test]
fn keys_as_json_have_the_whole_ids_and_the_very_times() {
    let (case, second) = with_two_keys();
    let document = json(&case.run(&["keys", "prod", "--json"]));
    assert_eq!((&document["version"], &document["user"]), (&1.into(), &"alice".into()));
    assert_eq!((&document["account"], &document["name"]), (&ACCOUNT.into(), &"prod".into()));
    let facts = case.sim.access_keys(&case.alice);
    let (old, own) = (&document["keys"][0], &document["keys"][1]);
    assert_eq!((&old["access_key_id"], &old["status"]), (&second.into(), &"active".into()));
    assert_eq!(old["created"].as_str().unwrap(), facts[0].created.strftime("%FT%TZ").to_string());
    let age = old["age_seconds"].as_i64().unwrap();
    assert!((7_862_400..7_862_500).contains(&age), "{age}");
    assert_eq!((&old["last_used"], &old["use_known"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!((&old["profiles"], &own["profiles"]), (&serde_json::json!([]), &serde_json::json!(["prod"])));
    assert_eq!((&own["last_used"]["service"], &own["last_used"]["region"]), (&"sts".into(), &"us-east-1".into()));
}

#[test]
fn a_last_use_that_may_not_be_asked_for_is_unknown_and_never_never() {
    let (case, _) = with_two_keys();
    case.sim.deny(&case.alice, "iam:GetAccessKeyLastUsed");
    let output = case.run(&["keys", "prod"]);
    assert_eq!(output.succeeds().stderr("").out.matches("use unknown").count(), 2, "{}", output.out);
    let document = json(&case.run(&["keys", "prod", "--json"]));
    assert_eq!((&document["keys"][0]["use_known"], &document["keys"][0]["last_used"]), (&false.into(), &().into()));
}

#[test]
fn a_spare_key_is_switched_off_on_and_deleted_without_a_question() {
    let (case, second) = with_two_keys();
    let key = short(&second);
    let hint = format!(
        "sessions that were made with it live on until they expire, whoever has them\nvault: hint: `vault keys enable prod {key}` switches it on again, while a session is left\n"
    );
    let off = case.run(&["keys", "disable", "prod", &second]);
    off.succeeds().stdout("").stderr(&format!("{key} of alice is inactive\n{hint}"));
    assert!(statuses(&case).contains(&(second.clone(), Status::Inactive)));
    case.run(&["keys", "disable", "prod", &second]).succeeds().stderr(&format!("{key} of alice is inactive already\n"));
    // As it was shown, and by its end.
    let on = case.run(&["keys", "enable", "prod", &key]);
    on.succeeds().stderr(&format!("{key} of alice is active; that may take some seconds to be known everywhere\n"));
    assert!(statuses(&case).contains(&(second.clone(), Status::Active)));
    case.run(&["keys", "disable", "prod", &second[16..]]).succeeds();
    case.run(&["keys", "delete", "prod", &second])
        .succeeds()
        .stdout("")
        .stderr(&format!("{key} of alice is deleted\n"));
    assert_eq!(statuses(&case), [(case.alice.access_key_id().to_owned(), Status::Active)]);
    let changed = case.sim.requests().into_iter().filter(|request| request.action.ends_with("teAccessKey"));
    let changed: Vec<_> =
        changed.map(|request| (request.parameter("UserName").map(str::to_owned), request.signed_with_token)).collect();
    assert_eq!(changed, vec![(Some("alice".to_owned()), true); 4]);
    let log = json(&case.run(&["log", "--json"]));
    let entries = log["entries"].as_array().unwrap().iter().filter(|entry| entry["access_key"] == second[16..]);
    let acts: Vec<&str> = entries.map(|entry| entry["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["key-disabled", "key-enabled", "key-disabled", "key-deleted"]);
}

#[test]
fn an_active_key_the_vaults_own_and_the_only_working_one_are_refused_without_yes() {
    let (case, second) = with_two_keys();
    let own = case.alice.access_key_id().to_owned();
    let refused = error_and_hint("this needs a confirmation and there is no terminal to ask on", "pass `--yes`");
    let vaults = warning(&format!("{} is the key that the vault has for `prod`", short(&own)));
    let active = |id: &str| warning(&format!("{} is active, and may be in use", short(id)));
    let only = warning(&format!("{} is the only working key of alice", short(&own)));
    let attempt = |words: &[&str], warnings: &str| {
        case.run(&[&["keys"], words].concat()).exits(8).stdout("").stderr(&format!("{warnings}{refused}"));
    };
    attempt(&["disable", "prod", &own], &vaults);
    attempt(&["delete", "prod", &second], &active(&second));
    case.sim.set_key_status(&second, Status::Inactive);
    attempt(&["disable", "prod", &own], &format!("{only}{vaults}"));
    attempt(&["delete", "prod", &own], &format!("{only}{vaults}{}", active(&own)));
    assert_eq!(changes(&case), 0);
}

#[test]
fn the_only_key_is_switched_off_when_idle_and_on_again_by_a_session_that_is_left() {
    let case = Case::with_prod();
    let own = case.alice.access_key_id().to_owned();
    let instead = "; `vault rotate prod --now` switches it off with another in its place\n";
    case.run(&["keys", "disable", "prod", "--mfa-code", &case.phone.code()]).exits(8).stderr_has(instead);
    let off = case.run(&["keys", "disable", "prod", "--yes"]);
    off.succeeds().stderr_has(&format!("{} of alice is inactive\n", short(&own)));
    off.stderr_has(
        "another key for `prod`: make one in the console, then `vault add prod --replace`; `vault keys enable",
    );
    assert_eq!(statuses(&case), [(own.clone(), Status::Inactive)]);
    // The key signs nothing any more; the session with MFA does.
    case.run(&["login", "prod", "--force", "--mfa-code", &case.phone.code()])
        .refuses(4, &format!("AWS does not know the access key {} of `prod`, or it is inactive", short(&own)));
    case.run(&["keys", "enable", "prod"]).succeeds();
    assert_eq!(statuses(&case), [(own, Status::Active)]);
}

#[test]
fn a_person_is_asked_and_a_no_changes_nothing() {
    let (case, _) = with_two_keys();
    let own = case.alice.access_key_id().to_owned();
    let ask = |words: &[&str], question: &str, answer: &str| {
        let mut terminal = case.vault(&[&["keys"], words].concat()).on_terminal();
        terminal.expect(question).type_line(answer);
        terminal.finish().0
    };
    let question = format!("Switch {} off? [y/N] ", short(&own));
    let no = ask(&["disable", "prod", &own], &question, "");
    no.exits(8);
    assert!(screen(&no).ends_with("vault: error: not confirmed; nothing was changed\n"), "{}", screen(&no));
    assert_eq!(changes(&case), 0);
    let yes = ask(&["delete", "prod", &own], &format!("Delete {} for good? [y/N] ", short(&own)), "y");
    yes.succeeds();
    let told = screen(&yes);
    assert!(told.contains("vault: warning: `prod` can't sign in any more\n"), "{told}");
    assert!(told.ends_with("vault: hint: `vault add prod --replace` stores another key\n"), "{told}");
    assert!(statuses(&case).iter().all(|(id, _)| *id != own));
}

#[test]
fn which_key_is_never_guessed() {
    let (case, second) = with_two_keys();
    let own = case.alice.access_key_id();
    let both = format!("{} and {}", short(&second), short(own));
    let hint = "name it by its id, or by the last four of it";
    let told = error_and_hint(&format!("which key? alice has {both}"), hint);
    case.run(&["keys", "disable", "prod", "--yes"]).exits(2).stdout("").stderr(&told);
    let told = error(&format!("alice has no access key `AKIAOTHEROTHEROTHER1`; it has {both}"));
    case.run(&["keys", "delete", "prod", "AKIAOTHEROTHEROTHER1", "--yes"]).exits(1).stdout("").stderr(&told);
    assert_eq!(changes(&case), 0);
}

#[test]
fn keys_of_who_has_none_are_told_of() {
    let case = Case::with_vault();
    let root = case.sim.add_root(ACCOUNT);
    let add = ["add", "top", "--access-key-id", root.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(root.secret_access_key()).run().succeeds();
    let told = error_and_hint(
        &format!("`top` has the key of `arn:aws:iam::{ACCOUNT}:root`, and IAM lists keys of users only"),
        "the AWS console shows a root user's keys, under Security credentials",
    );
    case.run(&["keys", "top"]).exits(1).stdout("").stderr(&told);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "top"]).succeeds();
    case.run(&["keys", "admin"]).exits(1).stderr(&error("`admin` is a role profile and has no access key"));
}

#[test]
fn a_change_whose_reply_is_lost_is_made_once_and_told() {
    let (case, second) = with_two_keys();
    case.sim.set_key_status(&second, Status::Inactive);
    case.sim.fail(Failure::on("DeleteAccessKey").kind(Kind::AfterApplied));
    case.run(&["keys", "delete", "prod", &second]).succeeds().stderr_has("is deleted\n");
    assert_eq!(statuses(&case).len(), 1);
    case.sim.deny(&case.alice, "iam:UpdateAccessKey");
    let own = case.alice.access_key_id();
    case.run(&["keys", "disable", "prod", own, "--yes"]).refuses(4, "AWS refused UpdateAccessKey: User: ");
    assert_eq!(statuses(&case), [(own.to_owned(), Status::Active)]);
}

/// As policies are that ask for a code given within the hour.
#[test]
fn a_session_that_is_too_old_for_iam_is_told_of_and_force_takes_a_new_code() {
    let (case, second) = with_two_keys();
    case.sim.require_mfa_for(&case.alice, &["iam:UpdateAccessKey"], Some(Duration::from_secs(3600)));
    let (key, disable) = (short(&second), ["keys", "disable", "prod", &second]);
    case.sim.advance(Duration::from_secs(3601));
    let output = case.run(&disable);
    output.refuses(4, "AWS refused UpdateAccessKey: User: arn:aws:iam::123456789012:user/alice is not authorized");
    output.stderr_has(
        "vault: hint: a policy may ask for a newer MFA code than the session of `prod` was made with: `--force` takes one\n",
    );
    let code = case.phone.code();
    let fresh = [&disable[..], &["--force", "--mfa-code", &code]].concat();
    case.run(&fresh).succeeds().stderr_has(&format!("{key} of alice is inactive\n"));
}

#[test]
fn a_user_without_a_device_lists_with_the_key() {
    let case = Case::with_vault();
    let add = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    case.vault(&add).stdin(case.alice.secret_access_key()).run().succeeds();
    case.sim.clear_requests();
    case.run(&["--no-agent", "keys", "list", "prod", "--no-agent"]).succeeds().stderr("").stdout_has("prod");
    let asked: Vec<_> =
        case.sim.requests().iter().map(|request| (request.action.clone(), request.signed_with_token)).collect();
    let expected =
        ["GetCallerIdentity", "ListAccessKeys", "GetAccessKeyLastUsed"].map(|action| (action.to_owned(), false));
    assert_eq!(asked, expected);
}

/// The usual reason why the vault's own is off: another machine replaced it.
#[test]
fn the_vaults_own_key_is_not_switched_on_beside_a_newer_one_unasked() {
    let (case, second) = with_two_keys();
    let own = case.alice.access_key_id().to_owned();
    case.sim.age_key(&own, Duration::from_secs(100 * 86_400));
    case.sim.set_key_status(&own, Status::Inactive);
    let attempt = |words: &[&str]| case.run(&[&["keys", "enable", "prod", &own[16..]], words].concat());
    let told = format!("alice has a newer key that works: was {} replaced on another machine?", short(&own));
    attempt(&[]).exits(8).stderr_has(&told);
    assert!(
        statuses(&case).contains(&(own.clone(), Status::Inactive))
            && statuses(&case).contains(&(second, Status::Active))
    );
    attempt(&["--yes"]).succeeds();
    assert!(statuses(&case).contains(&(own.clone(), Status::Active)));
}
