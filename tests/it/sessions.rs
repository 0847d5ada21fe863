//! What a session is used by: a shell, a command, a script; and how it ends.

use std::fs;
use std::path::Path;

use crate::program::{ACCOUNT, Case};

const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");

/// With a session that needs no code for 12 hours.
fn signed_in() -> Case {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    case.sim.clear_requests();
    case
}

#[test]
fn a_shell_takes_what_env_prints() {
    let case = signed_in();
    let script = "set -eu; AWS_PROFILE=x; export AWS_PROFILE; eval \"$(\"$0\" env prod)\"; \
                  echo \"$AWS_ACCESS_KEY_ID $AWS_VAULT ${AWS_PROFILE-unset} ${#AWS_SESSION_TOKEN}\"";
    let mut shells = vec!["sh"];
    shells.extend(["bash", "zsh"].into_iter().filter(|shell| Path::new("/usr/bin").join(shell).exists()));
    let id = case.run(&["get", "prod", "aws_access_key_id"]).out.clone();
    let token = case.run(&["get", "prod", "aws_session_token"]).out.len();
    for shell in shells {
        let recovery = case.given("recovery.txt");
        let run = case.command(shell, &["-c", script, PROGRAM]).variable("VAULT_IDENTITY", recovery).run();
        run.succeeds().stdout(&format!("{id} prod unset {token}\n"));
    }
}

#[test]
fn env_as_json_is_for_programs() {
    let case = signed_in();
    let env = case.run(&["env", "prod", "--shell", "json"]);
    env.succeeds().stderr("");
    let env: serde_json::Value = serde_json::from_str(&env.out).unwrap();
    assert_eq!(env["version"], 1);
    assert_eq!(env["set"]["AWS_VAULT"], "prod");
    assert!(env["unset"].as_array().unwrap().contains(&"AWS_PROFILE".into()));
    case.run(&["env", "prod", "--shell", "tcsh"]).exits(2).stderr_has("tcsh");
}

#[test]
fn exec_hands_over_to_the_command_with_the_session_and_nothing_of_ours() {
    let case = signed_in();
    let exec = case
        .vault(&["exec", "prod", "--", "env"])
        .variable("AWS_PROFILE", "x")
        .variable("AWS_SECURITY_TOKEN", "x")
        .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost")
        .variable("VAULT_MFA_CODE", "123456")
        .variable("VAULT_ADDR", "https://hashicorp.example")
        .variable("AWS_REGION", "eu-north-1")
        .run();
    exec.succeeds().stderr("");
    let names: Vec<&str> = exec.out.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for set in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"] {
        assert!(names.contains(&set), "{set} is not set");
    }
    for gone in
        ["AWS_PROFILE", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "VAULT_MFA_CODE", "VAULT_IDENTITY"]
    {
        assert!(!names.contains(&gone), "{gone} is still set");
    }
    exec.stdout_has("AWS_VAULT=prod\n").stdout_has("AWS_DEFAULT_REGION=eu-north-1\n");
    exec.stdout_has("VAULT_ADDR=https://hashicorp.example\n").stdout_has("HOME=");
}

#[test]
fn exec_passes_on_stdin_arguments_and_exit_code_and_takes_no_process_of_its_own() {
    let case = signed_in();
    case.vault(&["exec", "prod", "--", "cat"]).stdin("as it is\n").run().succeeds().stdout("as it is\n");
    let script = "echo \"$#:$1:$2\"; exit 42";
    case.run(&["exec", "prod", "--", "sh", "-c", script, "sh", "--json", "a b"]).exits(42).stdout("2:--json:a b\n");
    case.run(&["exec", "prod", "--", "sh", "-c", "kill -TERM $$"]).dies_of(rustix::process::Signal::TERM);
    let running = case.vault(&["exec", "prod", "--", "sh", "-c", "echo $$"]).start();
    let pid = running.id();
    running.finish().succeeds().stdout(&format!("{pid}\n"));
    case.vault(&["exec", "prod"]).variable("SHELL", "/bin/echo").run().succeeds().stdout("\n");
}

#[test]
fn exec_says_by_its_code_whether_the_command_is_missing_or_can_not_run() {
    let case = signed_in();
    case.run(&["exec", "prod", "--", "no-such-program"]).refuses(127, "no program `no-such-program` on PATH");
    let plain = case.give("plain", "not a program");
    case.run(&["exec", "prod", "--", plain.to_str().unwrap()]).refuses(126, "can't run");
}

#[test]
fn the_code_on_stdin_is_one_line_and_the_rest_is_the_commands() {
    let case = Case::with_prod();
    let input = format!("{}\nfor the command\n", case.phone.code());
    case.vault(&["exec", "prod", "--mfa-code", "-", "--", "cat"])
        .stdin(input)
        .run()
        .succeeds()
        .stdout("for the command\n");
}

#[test]
fn get_prints_one_field_without_a_newline_and_an_unknown_one_costs_no_code() {
    let case = signed_in();
    let field = |name: &str| case.run(&["get", "prod", name]).succeeds().out.clone();
    assert_eq!(field("account"), ACCOUNT);
    assert!(field("aws_access_key_id").starts_with("ASIA"));
    assert!(field("expiration").ends_with('Z'));
    case.run(&["get", "prod", "region"]).refuses(1, "`prod` has no region");
    case.run(&["get", "prod", "secret"]).refuses(2, "no field named `secret`").hints("aws_secret_access_key");
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn logout_drops_the_cached_session_and_the_exported_section_and_nothing_else() {
    let case = Case::with_prod();
    case.write(&case.credentials(), 0o600, "[mine]\naws_access_key_id = AKIAMINEMINEMINEMINE\n");
    case.login().succeeds();
    let logout = case.run(&["logout", "prod"]);
    logout.succeeds().stderr("dropped 1 cached session\nremoved [prod] from ~/.aws/credentials\n");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "[mine]\naws_access_key_id = AKIAMINEMINEMINEMINE\n");
    case.run(&["get", "prod", "account"]).refuses(8, "needs an MFA code");
    case.run(&["logout", "--all"]).succeeds().stderr("there was no session to drop\n");
}

#[test]
fn status_shows_keys_and_what_is_left_of_sessions() {
    let case = signed_in();
    case.run(&["status"]).succeeds().stdout_has("prod").stdout_has("11 h 59 min left").stderr_has("generation 2");
    let status = case.run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!((&status["version"], &status["profiles"][0]["name"]), (&1.into(), &"prod".into()));
    assert!(status["profiles"][0]["session_expires"].is_string());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let case = signed_in();
    let script = "\"$0\" env prod | true; echo \"${PIPESTATUS[0]}\"";
    let recovery = case.given("recovery.txt");
    let run = case.command("bash", &["-c", script, PROGRAM]).variable("VAULT_IDENTITY", recovery).run();
    run.succeeds().stdout("0\n").stderr("");
}

#[test]
fn a_swapped_session_file_is_refused() {
    let case = signed_in();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.vault(&["add", "bob", "--access-key-id", bob.access_key_id(), "--secret-stdin"])
        .stdin(bob.secret_access_key())
        .run()
        .succeeds();
    case.run(&["login", "bob", "--no-export"]).succeeds();
    let folder = case.home().join(".local/state/vault/sessions");
    let records: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::read(path).unwrap().starts_with(b"age-encryption.org/v1"))
        .collect();
    assert_eq!(records.len(), 2, "{records:?}");
    let (first, second) = (fs::read(&records[0]).unwrap(), fs::read(&records[1]).unwrap());
    fs::write(&records[0], second).unwrap();
    fs::write(&records[1], first).unwrap();
    let arn = case.run(&["get", "bob", "aws_access_key_id"]).succeeds().out.clone();
    assert_eq!(case.sim.session(&arn).unwrap().arn, bob.arn());
}
