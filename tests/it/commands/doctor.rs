//! `vault doctor`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use jiff::SignedDuration;
use serde_json::json;

use super::{VAULT, error, short};
use crate::commands::due::made_days_ago;
use crate::program::{Case, Output};

/// What it says about one thing: state, what was found and what is next.
fn about(case: &Case, words: &[&str], about: &str) -> Vec<(String, String, Option<String>)> {
    let ran = case.run(&[&["doctor", "--offline", "--json"], words].concat());
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let checks = told["checks"].as_array().unwrap().iter().filter(|check| check["about"] == about);
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    checks.map(|check| (text(&check["state"]).unwrap(), text(&check["found"]).unwrap(), text(&check["next"]))).collect()
}

/// The only thing that is said about it.
#[track_caller]
fn only(case: &Case, words: &[&str], what: &str) -> (String, String, Option<String>) {
    let [only] = &about(case, words, what)[..] else { panic!("{:?}", about(case, words, what)) };
    only.clone()
}

fn told(state: &str, found: &str, next: Option<&str>) -> (String, String, Option<String>) {
    (state.to_owned(), found.to_owned(), next.map(str::to_owned))
}

#[track_caller]
fn says(ran: &Output, line: &str) {
    let text = &ran.out;
    assert!(text.lines().any(|said| said == line), "no `{line}` in\n{text}");
}

#[test]
fn a_machine_that_is_well_is_told_so_and_nobody_is_asked_anything() {
    let case = Case::with_prod();
    case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
    case.login().succeeds();
    case.sim.clear_requests();
    let ran = case.run(&["doctor", "prod"]);
    ran.succeeds().stderr("");
    for line in [
        &format!(
            "note     program      {VAULT}, version {}; not on PATH by the name `vault`",
            env!("CARGO_PKG_VERSION")
        ),
        "ok       environment  no credentials in variables",
        "ok       keys         1 in the vault, none too old, no rotation to finish",
        "note     agent        not used: VAULT_NO_AGENT or --no-agent",
        "ok       aws files    no access key in plaintext, no session that is over",
        "ok       clock        0 s off AWS's",
    ] {
        says(&ran, line);
    }
    let profile = only(&case, &["prod"], "profile");
    assert_eq!(profile.0, "ok");
    assert!(
        profile.1.starts_with("AWS tools take the session of `vault login` for `prod`: ~/.aws/credentials:1, good for")
    );
    let asked: Vec<String> = case.sim.requests().iter().map(|request| request.action.clone()).collect();
    assert_eq!(asked, ["GetCallerIdentity"], "for the time alone, and by nobody's key");
}

#[test]
fn without_a_vault_it_says_where_one_is_looked_for_and_ends_with_1() {
    let case = Case::new();
    let ran = case.run(&["doctor", "--offline"]);
    ran.exits(1).stderr(&error("one problem was found"));
    says(&ran, "problem  vault        there is none at ~/.local/share/vault/vault.age");
    says(
        &ran,
        "                      next: `vault init` makes one, `vault import` one with the keys that lie in ~/.aws; or set VAULT_FILE",
    );
}

#[test]
fn while_the_vault_is_locked_what_is_in_it_is_not_looked_at() {
    let case = Case::with_prod();
    let ran = case.vault(&["doctor", "--offline", "--json"]).without_variable("VAULT_IDENTITY").run();
    let told: serde_json::Value = serde_json::from_str(&ran.succeeds().out).unwrap();
    let keys: Vec<_> = told["checks"].as_array().unwrap().iter().filter(|check| check["about"] == "keys").collect();
    let locked = json!({
        "about": "keys", "state": "note", "found": "the vault is locked, and what is in it was not looked at",
        "next": "`vault unlock`, then again",
    });
    assert_eq!(keys, [&locked]);
    ran.stderr("");
}

#[test]
fn keys_in_plaintext_in_either_file_are_named_by_their_line() {
    let case = Case::with_vault();
    let pair =
        |id: &str| format!("aws_access_key_id = {id}\naws_secret_access_key = {}\n", case.alice.secret_access_key());
    let id = case.alice.access_key_id();
    case.write(&case.credentials(), 0o600, format!("# mine\n[work]\n{}", pair(id)));
    case.write(&case.config(), 0o600, format!("[profile home]\n{}", pair(id)));
    let found = about(&case, &["work"], "aws files");
    assert_eq!(
        found,
        [
            told(
                "problem",
                &format!("~/.aws/credentials:2, [work]: access key {} in plaintext", short(id)),
                Some("`vault import work --remove` takes it into the vault"),
            ),
            told(
                "problem",
                &format!("~/.aws/config:1, [profile home]: access key {} in plaintext", short(id)),
                Some("`vault import home --remove` takes it into the vault"),
            ),
        ]
    );
    let from_plaintext = |name: &str, place: &str| {
        let next = format!("`vault import {name} --remove`");
        told("problem", &format!("AWS tools take `{name}` from plaintext: {place}"), Some(&next))
    };
    assert_eq!(only(&case, &["work"], "profile"), from_plaintext("work", "~/.aws/credentials:2"));
    assert_eq!(only(&case, &["home"], "profile"), from_plaintext("home", "~/.aws/config:1"));
    // Nobody but the test may find them in files.
    fs::remove_file(case.credentials()).unwrap();
    fs::remove_file(case.config()).unwrap();
}

#[test]
fn who_else_can_get_at_files_is_told_with_the_mode_that_mends_it() {
    let case = Case::with_prod();
    case.login().succeeds();
    fs::set_permissions(case.vault_file(), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(case.credentials(), Permissions::from_mode(0o640)).unwrap();
    let vault = "~/.local/share/vault/vault.age";
    assert_eq!(
        only(&case, &[], "vault"),
        told("problem", &format!("others can read {vault} (mode 644)"), Some(&format!("`chmod 600 {vault}`")))
    );
    fs::set_permissions(case.home().join(".local/state/vault"), Permissions::from_mode(0o777)).unwrap();
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
fn a_key_that_is_too_old_and_a_clock_that_is_wrong_are_problems() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "rotate_every=90d"]).succeeds();
    made_days_ago(&case, 100);
    case.sim.set_offset(SignedDuration::from_secs(7 * 60 + 30));
    let ran = case.run(&["doctor"]);
    ran.exits(1).stderr(&error("2 problems were found"));
    let id = short(case.alice.access_key_id());
    says(&ran, &format!("problem  keys         {id} of prod, 100 d old: overdue by 10 d"));
    says(&ran, "                      next: `vault rotate --due`");
    says(&ran, "problem  clock        7 min behind AWS's, which refuses what is 5 minutes off");
    says(&ran, "                      next: set it, or have it kept right: `timedatectl set-ntp true`");
}

#[test]
fn variables_that_go_before_a_profile_are_a_problem_unless_they_are_a_session_of_ours() {
    let case = Case::with_prod();
    case.login().succeeds();
    let with_keys = |more: Option<&str>| {
        let run = case.vault(&["doctor", "prod", "--offline"]);
        let run = run.variable("AWS_ACCESS_KEY_ID", "ASIAX").variable("AWS_SECRET_ACCESS_KEY", "s");
        more.into_iter().fold(run, |run, ours| run.variable("AWS_VAULT", ours)).run()
    };
    let foreign = with_keys(None);
    foreign.exits(1);
    says(
        &foreign,
        "problem  environment  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY set: AWS tools use that before a profile",
    );
    says(
        &foreign,
        "note     profile      `prod` counts only where a tool is told `--profile prod`: keys in variables go before AWS_PROFILE",
    );
    with_keys(Some("prod")).succeeds();
}

#[test]
fn another_vault_earlier_on_path_is_named() {
    let case = Case::with_prod();
    let doctor = |other: &[u8]| {
        let path = format!("{}:/usr/bin:/bin", case.give_program("vault", other).parent().unwrap().display());
        case.vault(&["doctor", "--offline"]).variable("PATH", path).run()
    };
    let other = case.given("vault");
    let script = doctor(b"#!/bin/sh\n");
    script.succeeds();
    let version = env!("CARGO_PKG_VERSION");
    says(
        &script,
        &format!("note     program      {VAULT}, version {version}; `vault` is a script on PATH, {}", other.display()),
    );
    let ran = doctor(&fs::read("/bin/true").unwrap());
    ran.exits(1);
    says(
        &ran,
        &format!("problem  program      `vault` is another program on PATH, {}; this one is {VAULT}", other.display()),
    );
}

#[test]
fn of_a_profile_it_says_what_aws_tools_go_by_and_what_is_in_its_way() {
    let case = Case::with_prod();
    let config = |lines: &str| case.write(&case.config(), 0o600, format!("[profile prod]\n{lines}\n"));
    let one = || only(&case, &["prod"], "profile");
    assert_eq!(
        one(),
        told(
            "problem",
            "AWS tools find no credentials for `prod`",
            Some("`vault login prod`, or `vault configure prod` to have them ask this vault"),
        )
    );
    config(&format!("credential_process = {VAULT} credential-process prod"));
    assert_eq!(one(), told("ok", "AWS tools ask this vault for `prod`: ~/.aws/config:2, `credential_process`", None));
    config("credential_process = /nowhere/vault credential-process prod");
    assert_eq!(
        one(),
        told(
            "problem",
            "AWS tools ask a program for `prod` that does not start: ~/.aws/config:2, `credential_process`: no such program",
            Some("`vault configure prod` writes where this one is"),
        )
    );
    config("role_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base");
    assert_eq!(
        one(),
        told(
            "note",
            "AWS tools go by `role_arn` for `prod` (~/.aws/config:2, `role_arn`), and do not ask this vault",
            Some("`vault configure prod --take-over` has them ask it, if that is a role"),
        )
    );
    fs::remove_file(case.config()).unwrap();
    case.login().succeeds();
    config(&format!("credential_process = {VAULT} credential-process prod"));
    let both = about(&case, &["prod"], "profile");
    assert_eq!(both[0].0, "ok");
    assert_eq!(
        both[1],
        told(
            "problem",
            "also for `prod`, and not used by most tools: ~/.aws/config:2, `credential_process`",
            Some("`vault logout prod`: then they ask this vault"),
        )
    );
}

#[test]
fn a_session_that_is_over_is_told_with_the_way_to_the_next() {
    let case = Case::with_prod();
    case.login().succeeds();
    let text = fs::read_to_string(case.credentials()).unwrap();
    let over: Vec<&str> =
        text.lines().map(|line| if line.starts_with("aws_credential_expiration") { OVER } else { line }).collect();
    fs::write(case.credentials(), over.join("\n")).unwrap();
    let files = only(&case, &["prod"], "aws files");
    assert!(files.1.starts_with("~/.aws/credentials:1, [prod]: a session that ended "), "{files:?}");
    assert_eq!(files.2.as_deref(), Some("`vault login prod`, or `vault logout prod`"));
    assert_eq!(
        only(&case, &["prod"], "profile"),
        told(
            "problem",
            "AWS tools take a session for `prod` that is over: ~/.aws/credentials:1",
            Some("`vault login prod`"),
        )
    );
}

const OVER: &str = "aws_credential_expiration = 2026-01-01T00:00:00Z";

#[test]
fn the_agent_and_what_it_may_keep_out_of_swap_are_looked_at() {
    let case = Case::with_prod();
    let doctor = || case.vault(&["doctor", "--offline"]).without_variable("VAULT_NO_AGENT");
    let ran = doctor().run();
    ran.succeeds();
    says(&ran, "note     agent        none runs; the next passphrase that is typed starts one");
    assert!(!ran.out.contains("memory"), "{}", ran.out);
    let limited = doctor().under("prlimit", &["--memlock=8192:8192"]).run();
    limited.exits(1);
    says(&limited, "problem  memory       only 8192 bytes may be kept out of swap");
    says(&limited, "                      next: `ulimit -l 64`, or raise `memlock` in /etc/security/limits.conf");
}
