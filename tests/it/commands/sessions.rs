//! The sessions there are: `status` counts them, `logout` ends them here.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::json;

use super::{json, short, written};
use crate::left_unlocked::LeftUnlocked;
use crate::program::{ACCOUNT, Case, files_below};
use crate::waiting;

const ENDED: &str = "\nvault: error: ended by another process while it waited, as `vault lock` does\n\
                     vault: hint: `vault status` says where things stand\n";
const NOTHING: &str = "there was no session to drop\n";

fn login(case: &Case, more: &[&str]) {
    case.run(&[&["login", "prod", "--no-mfa"], more].concat()).succeeds();
}

fn cached(case: &Case) -> usize {
    let folder = case.home().join(".local/state/vault/sessions");
    let is_session = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "age");
    if folder.exists() { files_below(&folder).iter().filter(|path| is_session(path)).count() } else { 0 }
}

#[test]
fn status_tells_keys_sessions_and_the_vault() {
    let case = Case::with_prod();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    login(&case, &["--no-export"]);
    let key = short(case.alice.access_key_id());
    let output = case.run(&["status"]);
    let status = json(&case.run(&["status", "--json"]));
    let (generation, fingerprint) = (status["generation"].as_u64().unwrap(), status["fingerprint"].as_str().unwrap());
    let said = format!("vault ~/.local/share/vault/vault.age, generation {generation}\nfingerprint {fingerprint}\n");
    output.succeeds().stderr(&said);
    let rows: Vec<Vec<&str>> = output
        .out
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(rows[0], ["NAME", "ACCESS KEY", "KEY AGE", "SESSION", "ROTATION"]);
    assert_eq!(rows[1], ["admin", "-", "-", "-", "-"]);
    assert_eq!((&rows[2][..2], rows[2][3]), (&["prod", &*key][..], "11 h 59 min left"));
    assert!(rows[2][2].ends_with(" s") && rows.len() == 3, "{rows:?}");
}

#[test]
fn status_as_json_has_the_very_times() {
    let case = Case::with_prod();
    login(&case, &["--no-export"]);
    let id = case.run(&["get", "prod", "aws_access_key_id", "--no-mfa"]).out.clone();
    let status = json(&case.run(&["status", "--json"]));
    assert_eq!((&status["version"], &status["vault"]), (&json!(1), &json!(case.vault_file())));
    let profile = &status["profiles"][0];
    let expires: jiff::Timestamp = profile["session_expires"].as_str().unwrap().parse().unwrap();
    let at_aws = case.sim.session(&id).unwrap().expires;
    assert!(at_aws.duration_since(expires).abs() <= jiff::SignedDuration::from_secs(2), "{expires} {at_aws}");
    assert_eq!((&profile["name"], &profile["access_key"]), (&json!("prod"), &json!(short(case.alice.access_key_id()))));
    for time in [&profile["key_added"], &status["written_at"]] {
        assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

#[test]
fn an_empty_vault_has_a_status_too() {
    let case = Case::with_vault();
    let fingerprint = json(&case.run(&["status", "--json"]))["fingerprint"].as_str().unwrap().to_owned();
    let said = format!(
        "vault ~/.local/share/vault/vault.age, generation 1\nfingerprint {fingerprint}\n\
         it is empty; next: vault add NAME\n"
    );
    case.run(&["status"]).succeeds().stdout("").stderr(&said);
}

#[test]
fn logout_drops_the_cached_session_and_the_section_it_wrote() {
    let case = Case::with_prod();
    let theirs = "[mine]\naws_access_key_id = x\n";
    case.write(&case.credentials(), 0o600, theirs);
    login(&case, &[]);
    assert_eq!(cached(&case), 1);
    let said = "dropped 1 cached session\nremoved [prod] from ~/.aws/credentials\n";
    case.run(&["logout", "prod"]).succeeds().stdout("").stderr(said);
    assert_eq!((cached(&case), &*fs::read_to_string(case.credentials()).unwrap()), (0, theirs));
    case.run(&["logout", "prod"]).succeeds().stdout("").stderr(NOTHING);
    case.run(&["login", "prod"]).exits(8);
}

#[test]
fn logout_follows_the_session_to_where_the_profile_sends_it() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "destination_profile=elsewhere"]).succeeds();
    login(&case, &[]);
    let said = "dropped 1 cached session\nremoved [elsewhere] from ~/.aws/credentials\n";
    case.run(&["logout", "prod"]).succeeds().stderr(said);
}

#[test]
fn logout_names_only_what_it_took_away() {
    let case = Case::with_prod();
    login(&case, &[]);
    let stays = "[prod] stays in ~/.aws/credentials; `vault logout prod` removes it";
    case.run(&["rename", "prod", "main"]).succeeds().stderr_has(stays);
    case.run(&["logout", "prod"]).succeeds().stderr("removed [prod] from ~/.aws/credentials\n");
}

#[test]
fn logout_finds_the_session_where_a_flag_had_it_written() {
    let case = Case::with_prod();
    login(&case, &["--profile", "elsewhere"]);
    let said = "dropped 1 cached session\nremoved [elsewhere] from ~/.aws/credentials\n";
    case.run(&["logout", "prod"]).succeeds().stderr(said);
}

#[test]
fn a_mistyped_logout_does_not_pass_for_one() {
    let case = Case::with_prod();
    login(&case, &[]);
    case.run(&["logout", "prodd"]).exits(1).stderr("vault: error: no profile named `prodd`; did you mean `prod`?\n");
    assert_eq!(cached(&case), 1);
}

#[test]
fn logout_takes_the_plaintext_away_though_the_cache_is_not_to_be_trusted() {
    let case = Case::with_prod();
    login(&case, &[]);
    let sessions = case.home().join(".local/state/vault/sessions");
    fs::set_permissions(&sessions, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    for arguments in [&["logout", "prod"][..], &["logout", "--all"]] {
        case.run(arguments).exits(6);
        assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "");
    }
}

#[test]
fn who_waits_for_a_session_is_told_for_whom() {
    let case = Case::with_prod();
    let mut first = case.vault(&["login", "prod", "--no-export"]).on_terminal();
    first.expect("MFA code for prod");
    let mut second = case.vault(&["login", "prod", "--no-export"]).on_terminal();
    second.expect("waiting for process ").expect(", which is getting the session of `prod`");
    first.type_line(&case.phone.code());
    first.finish().0.succeeds();
    second.expect("prod: still signed in as alice");
    second.finish().0.succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 1);
}

/// They have an access key at hand, as the one has that asks.
#[test]
fn a_lock_ends_who_waits_for_a_session_like_who_asks_for_the_code_and_each_says_so() {
    let case = LeftUnlocked::new(Case::with_prod());
    let by_agent = || case.vault(&["login", "prod", "--no-export"]).asking().without_variable("VAULT_NO_AGENT");
    let mut first = by_agent().on_terminal();
    first.expect("MFA code for prod");
    let mut second = by_agent().on_terminal();
    second.expect("waiting for process ").expect(", which is getting the session of `prod`");
    let piped = by_agent().start();
    let prompts = case.home().join(".local/state/vault/prompts");
    let says_who = |path: &std::path::PathBuf| fs::read_to_string(path).is_ok_and(|pid| pid.ends_with('\n'));
    waiting::until("all three", || files_below(&prompts).iter().filter(|path| says_who(path)).count() == 3);
    case.run(&["lock"]).succeeds();
    for terminal in [first, second] {
        let (output, echoes) = terminal.finish();
        assert!(echoes);
        output.dies_of(Signal::TERM);
        assert!(output.screen.replace('\r', "").ends_with(ENDED), "{:?}", output.screen);
    }
    assert!(piped.finish().dies_of(Signal::TERM).err.ends_with(ENDED));
    assert_eq!(case.sim.count("GetSessionToken"), 0);
}

/// It has an access key at hand as long as the command takes.
#[test]
fn a_lock_ends_who_waits_for_the_code_of_a_command() {
    let case = LeftUnlocked::new(Case::with_prod());
    let [begun, gate] = ["begun", "gate"].map(|name| case.given(name));
    mknodat(CWD, &gate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let command = format!("mfa_process=sh -c 'touch {}; cat {}'", begun.display(), gate.display());
    case.run(&["set", "prod", &command]).succeeds();
    let login = case.vault(&["login", "prod"]).asking().without_variable("VAULT_NO_AGENT").start();
    waiting::until("the command", || begun.exists());
    case.run(&["lock"]).succeeds();
    login.finish().dies_of(Signal::TERM).stderr(ENDED);
    assert_eq!(case.sim.count("GetSessionToken"), 0);
    // The command itself goes on, and is nobody's.
    fs::write(&gate, "").unwrap();
}

#[test]
fn logout_all_takes_every_session_and_no_byte_more() {
    let case = Case::with_prod();
    case.add("other").succeeds();
    let theirs = "# mine\n[mine]\naws_access_key_id = x\n";
    case.write(&case.credentials(), 0o600, theirs);
    login(&case, &[]);
    login(&case, &["--profile", "default"]);
    case.run(&["login", "other", "--no-mfa"]).succeeds();
    let said = "dropped 2 cached sessions\nremoved [prod], [default], [other] from ~/.aws/credentials\n";
    case.run(&["logout", "--all"]).succeeds().stdout("").stderr(said);
    assert_eq!((cached(&case), &*fs::read_to_string(case.credentials()).unwrap()), (0, theirs));
    case.run(&["logout", "--all"]).succeeds().stderr(NOTHING);
    case.run(&["logout", "--all", "prod"]).exits(2);
}

#[test]
fn logout_leaves_a_section_in_which_somebody_put_other_credentials_since() {
    let case = Case::with_prod();
    login(&case, &[]);
    let id = super::written(&case, "prod", "aws_access_key_id");
    let edited = fs::read_to_string(case.credentials()).unwrap().replace(&format!("= {id}"), "= ASIAOTHEROTHEROTHER1");
    fs::write(case.credentials(), &edited).unwrap();
    case.run(&["logout", "prod"]).succeeds().stderr("dropped 1 cached session\n");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), edited);
}

#[test]
fn what_was_issued_used_again_and_by_whom_is_in_the_log() {
    let case = Case::with_prod();
    login(&case, &["--no-export"]);
    case.run(&["get", "prod", "account", "--no-mfa"]).succeeds();
    let log = case.home().join(".local/state/vault/log.jsonl");
    assert_eq!(super::mode(&log), 0o600);
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let acts: Vec<&str> = lines.iter().map(|line| line["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["issued", "reused"]);
    let id = case.alice.access_key_id();
    assert!(lines.iter().all(|line| line["profile"] == "prod" && line["access_key"] == id[id.len() - 4..]), "{text}");
}

#[test]
fn a_session_that_is_over_is_taken_out_of_the_file_by_the_next_command_that_looks() {
    let commands: [&[&str]; 4] =
        [&["status"], &["login", "prod"], &["logout", "prod"], &["get", "prod", "account", "--force"]];
    for command in commands {
        let case = Case::with_prod();
        let login =
            |profile: &str| case.run(&["login", "prod", "--profile", profile, "--mfa-code", &case.phone.code()]);
        login("old").succeeds();
        let text = std::fs::read_to_string(case.credentials()).unwrap();
        let expiration = written(&case, "old", "aws_credential_expiration");
        let past = text.replace(&expiration, "2026-01-01T00:00:00Z");
        case.write(&case.credentials(), 0o600, format!("{past}[theirs]\nregion = x\n"));
        login("current")
            .succeeds()
            .stderr_has("removed [old] from ~/.aws/credentials: expired; `vault login` writes another\n");
        case.write(&case.credentials(), 0o600, format!("{past}[theirs]\nregion = x\n"));
        let code = case.phone.code();
        let run = case.vault(command).variable("VAULT_MFA_CODE", code).run();
        run.succeeds();
        let left = std::fs::read_to_string(case.credentials()).unwrap();
        assert!(!left.contains("[old]") && left.contains("[theirs]\nregion = x\n"), "{command:?}: {left}");
        assert!(
            command[0] == "logout"
                || run.err.contains("removed [old] from ~/.aws/credentials: expired; `vault login` writes another\n"),
            "{}",
            run.err
        );
    }
}
