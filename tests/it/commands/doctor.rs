//! `vault doctor`.

mod folders;
mod plaintext;
mod profiles;
mod variables;

use std::fs;

use aws_sim::{Failure, Kind, Status};
use jiff::SignedDuration;
use serde_json::json;

use super::{VAULT, error, short};
use crate::commands::due::made_days_ago;
use crate::left_unlocked::LeftUnlocked;
use crate::program::{ACCOUNT, Case, Invocation, Output, PASSPHRASE};

/// What was found: state, in which words, and what is next.
type Told = (String, String, Option<String>);

/// It, without asking AWS.
fn doctor<'a>(case: &'a Case, words: &[&str]) -> Invocation<'a> {
    case.vault(&[&["doctor", "--offline", "--json"], words].concat())
}

/// What it says about one thing.
fn said_of(ran: &Output, about: &str) -> Vec<Told> {
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let checks = told["checks"].as_array().unwrap().iter().filter(|check| check["about"] == about);
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    checks.map(|check| (text(&check["state"]).unwrap(), text(&check["found"]).unwrap(), text(&check["next"]))).collect()
}

fn about(case: &Case, words: &[&str], about: &str) -> Vec<Told> {
    said_of(&doctor(case, words).run(), about)
}

/// The only thing that is said about it.
#[track_caller]
fn only(case: &Case, words: &[&str], what: &str) -> Told {
    let [only] = &about(case, words, what)[..] else { panic!("{:?}", about(case, words, what)) };
    only.clone()
}

fn told(state: &str, found: &str, next: Option<&str>) -> Told {
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
    assert_eq!(asked, ["GetCallerIdentity"; 2], "whether it takes the key, and by nobody's for the time");
}

#[test]
fn of_a_vault_that_is_missing_it_says_how_to_bring_it_back_and_nothing_of_another() {
    let case = Case::with_prod();
    fs::remove_file(case.vault_file()).unwrap();
    let (state, found, next) = only(&case, &[], "vault");
    let was = format!("the vault that was at {} is missing: generation 2 of ", case.vault_file().display());
    assert!(state == "problem" && found.starts_with(&was), "{found}");
    let next = next.unwrap();
    assert!(next.starts_with("bring it back: ") && next.ends_with("`vault trust` accepts that"), "{next}");
    assert!(!next.contains("init"), "{next}");
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

#[test]
fn the_vault_is_opened_once_for_all_that_is_said_of_it() {
    let case = Case::with_prod();
    let counted = case.home().join("counted");
    let script = format!("#!/bin/sh\necho once >> {}\nprintf %s '{PASSPHRASE}'\n", counted.display());
    let command = case.give_program("passphrase-command", script);
    let words = ["prodd", "--passphrase-command", command.to_str().unwrap()];
    let ran = doctor(&case, &words).asking().run();
    assert_eq!(said_of(&ran, "keys").len(), 1, "it was not looked at");
    assert!(said_of(&ran, "profile")[0].1.contains("did you mean `prod`?"), "{}", ran.out);
    assert_eq!(fs::read_to_string(counted).unwrap(), "once\n");
}

#[test]
fn a_vault_that_the_agent_opens_no_more_is_told_and_its_passphrase_is_not_asked_for() {
    let case = LeftUnlocked::new(Case::with_prod());
    let whole = fs::read(case.vault_file()).unwrap();
    fs::write(case.vault_file(), &whole[..whole.len() - 100]).unwrap();
    let doctor = case.vault(&["doctor", "--offline"]).asking().without_variable("VAULT_NO_AGENT");
    let (ran, _) = doctor.on_terminal().finish();
    ran.exits(1);
    assert!(!ran.screen.contains("Passphrase"), "{}", ran.screen);
    assert!(ran.screen.contains("problem  vault        the vault is damaged"), "{}", ran.screen);
}

#[test]
fn a_key_that_aws_does_not_take_is_a_problem_and_nobody_has_to_sign_in_to_hear_of_it() {
    let case = Case::with_prod();
    let id = short(case.alice.access_key_id());
    let ran = case.run(&["doctor"]);
    says(&ran, &format!("ok       access key   AWS takes {id} of `prod`"));
    case.sim.set_key_status(case.alice.access_key_id(), Status::Inactive);
    let ran = case.run(&["doctor"]);
    ran.exits(1);
    says(&ran, &format!("problem  access key   AWS does not know the access key {id} of `prod`, or it is inactive"));
    says(
        &ran,
        &format!(
            "                      next: if another machine replaced it, `vault import --vault FILE` brings the new one; else `vault \
             keys enable prod {id}` switches it on again while a session made with MFA is left, or `vault add prod --replace` \
             stores another"
        ),
    );
    assert_eq!(about(&case, &[], "access key"), []);
    case.sim.set_key_status(case.alice.access_key_id(), Status::Active);
    case.sim.fail(Failure::on("GetCallerIdentity").kind(Kind::Throttle).lasting());
    let ran = case.run(&["doctor"]);
    assert!(said_of(&case.run(&["doctor", "--json"]), "access key").iter().all(|told| told.0 == "note"), "{}", ran.out);
}

#[test]
fn of_many_keys_it_tries_the_one_that_was_asked_about() {
    let case = Case::with_prod();
    for number in 1..=10 {
        let user = case.sim.add_user(ACCOUNT, &format!("user{number}"));
        let name = format!("p{number}");
        let add = ["add", &name, "--access-key-id", user.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
        case.vault(&add).stdin(user.secret_access_key()).run().succeeds();
    }
    let ran = case.run(&["doctor"]);
    says(&ran, "note     access key   11 in the vault, and AWS was asked of none");
    says(&ran, "                      next: `vault doctor NAME` asks of that profile's");
    let [only] = &said_of(&case.run(&["doctor", "p3", "--json"]), "access key")[..] else { panic!() };
    assert_eq!((&*only.0, only.1.ends_with(" of `p3`")), ("ok", true));
}
