//! What a session is handed to: a shell by `env`, a command by `exec`, a script by `get`.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::process::Signal;

use super::{VAULT, error, error_and_hint, json};
use crate::program::{ACCOUNT, Case, PASSPHRASE};

const CARRIED: [&str; 5] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_VAULT"];

fn get(case: &Case, field: &str) -> String {
    case.run(&["get", "prod", field]).succeeds().stderr("").out.clone()
}

#[test]
fn a_shell_has_after_eval_what_json_says_byte_for_byte() {
    let case = Case::with_session();
    let document = json(&case.run(&["env", "prod", "--shell", "json"]));
    assert_eq!(document["version"], 1);
    let set: BTreeMap<String, String> = serde_json::from_value(document["set"].clone()).unwrap();
    assert_eq!(set.keys().map(String::as_str).collect::<Vec<_>>(), {
        let mut names = CARRIED;
        names.sort_unstable();
        names
    });
    let unset: Vec<String> = serde_json::from_value(document["unset"].clone()).unwrap();
    assert!(unset.contains(&"AWS_PROFILE".to_owned()) && unset.contains(&"VAULT_MFA_CODE".to_owned()));

    let script = format!("set -eu; eval \"$('{VAULT}' env prod)\"; exec env");
    for shell in ["sh", "dash", "bash", "zsh"].into_iter().filter(|shell| Path::new("/usr/bin").join(shell).exists()) {
        let mut run = case.command(shell, &["-c", &script]).variable("VAULT_IDENTITY", case.given("recovery.txt"));
        for name in unset.iter().filter(|name| !name.starts_with("VAULT_")) {
            run = run.variable(name, "stale");
        }
        let output = run.run();
        let lines: Vec<&str> = output.succeeds().stderr("").out.lines().collect();
        for (name, value) in &set {
            assert!(lines.contains(&&*format!("{name}={value}")), "{shell}: {name}");
        }
        let left = |name: &&String| lines.iter().any(|line| line.starts_with(&format!("{name}=")));
        assert_eq!(unset.iter().find(left), None, "{shell}");
    }
}

#[test]
fn a_shell_that_is_not_known_is_refused_with_those_that_are() {
    let case = Case::with_vault();
    let output = case.run(&["env", "prod", "--shell", "tcsh"]);
    output.exits(2).stdout("").stderr_has("vault: error: invalid value 'tcsh' for '--shell <SHELL>'");
    output.stderr_has("[possible values: sh, fish, powershell, cmd, nushell, dotenv, json]");
}

#[test]
fn a_command_has_its_callers_environment_the_session_and_nothing_that_would_win_over_it() {
    let case = Case::with_session();
    let baseline = case.command("env", &[] as &[&str]).variable("VAULT_ADDR", "https://hashicorp.example");
    let baseline = baseline.without_variable("VAULT_NO_AGENT").run();
    let exec = case.vault(&["exec", "prod", "--", "env"]).variable("VAULT_ADDR", "https://hashicorp.example");
    let exec = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWS_SESSION_EXPIRATION", "AWS_ROLE_ARN"]
        .into_iter()
        .chain(["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SESSION_TOKEN"])
        .chain(["VAULT_PASSPHRASE_FILE", "VAULT_MFA_CODE", "VAULT_NO_AGENT"])
        .fold(exec, |exec, name| exec.variable(name, "stale"));
    let status: serde_json::Value = serde_json::from_str(&case.run(&["status", "--json"]).out).unwrap();
    let exec = exec.variable("VAULT_FINGERPRINT", status["fingerprint"].as_str().unwrap());
    let output = exec.run();
    output.succeeds().stderr("");
    let callers = baseline.out.lines().filter(|line| !line.starts_with("VAULT_NO_AGENT="));
    let mut expected: Vec<String> = callers.map(str::to_owned).collect();
    let names = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "expiration"];
    expected.extend(CARRIED.iter().zip(names).map(|(name, field)| format!("{name}={}", get(&case, field))));
    expected.push("AWS_VAULT=prod".to_owned());
    expected.sort();
    let mut lines: Vec<&str> = output.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn a_known_region_is_handed_on() {
    let case = Case::with_session();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let regions = ["exec", "prod", "--", "sh", "-c", "echo $AWS_REGION $AWS_DEFAULT_REGION"];
    case.run(&regions).succeeds().stdout("eu-central-1 eu-central-1\n");
    let asked = case.vault(&regions).variable("AWS_REGION", "eu-north-1").run();
    asked.succeeds().stdout("eu-north-1 eu-north-1\n");
    let nonsense = case.vault(&regions).variable("AWS_REGION", "no where").run();
    let told = error("AWS_REGION: `no where` is not a region name such as eu-central-1");
    nonsense.exits(2).stdout("").stderr(&told);
}

#[test]
fn a_commands_arguments_input_output_and_code_are_its_own() {
    let case = Case::with_session();
    case.vault(&["exec", "prod", "--", "cat"]).stdin("as it is\n").run().succeeds().stdout("as it is\n").stderr("");
    let script = "printf '%s|' \"$@\"; echo oops >&2; exit 42";
    let words = ["exec", "prod", "--", "sh", "-c", script, "sh", "--json", "a b", ""];
    case.run(&words).exits(42).stdout("--json|a b||").stderr("oops\n");
    let without_dashes = ["exec", "prod", "sh", "-c", "exit 7"];
    case.run(&without_dashes).exits(7);
    case.run(&["exec", "prod", "--", "sh", "-c", "kill -KILL $$"]).dies_of(Signal::KILL);
}

#[test]
fn a_command_that_is_missing_or_no_program_has_the_shells_codes() {
    let case = Case::with_session();
    let told = error("no program `no-such-program` on PATH");
    case.run(&["exec", "prod", "--", "no-such-program", "x"]).exits(127).stdout("").stderr(&told);
    let file = case.give("not-a-program", "text");
    let path = file.to_str().unwrap();
    let told = error(&format!("can't run `{path}`: Permission denied (os error 13)"));
    case.run(&["exec", "prod", "--", path]).exits(126).stdout("").stderr(&told);
}

#[test]
fn signals_reach_the_command_itself() {
    let case = Case::with_session();
    let script = "trap 'echo got it; kill $!; exit 9' TERM; sleep 60 & echo ready; wait";
    let mut terminal = case.vault(&["exec", "prod", "--", "sh", "-c", script]).on_terminal();
    terminal.expect("ready").signal(Signal::TERM);
    let (output, _) = terminal.finish();
    output.exits(9).screen_has("got it");
    let mut terminal = case.vault(&["exec", "prod", "--", "sh", "-c", "echo ready; exec cat"]).on_terminal();
    terminal.expect("ready").press("\x03");
    terminal.finish().0.dies_of(Signal::INT);
}

#[test]
fn a_command_takes_the_programs_own_place() {
    let case = Case::with_session();
    let running = case.vault(&["exec", "prod", "--", "sh", "-c", "echo $$"]).start();
    let pid = running.id();
    running.finish().succeeds().stdout(&format!("{pid}\n"));
}

#[test]
fn a_command_starts_as_if_its_caller_had_started_it() {
    let case = Case::with_session();
    let script = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ulimit -c; ulimit -S -c; ls /proc/self/fd; umask; pwd";
    let alone = case.command("sh", &["-c", script]).run();
    case.run(&["exec", "prod", "--", "sh", "-c", script]).succeeds().stdout(&alone.out).stderr("");
}

#[test]
fn the_passphrases_descriptor_is_closed_before_the_command_starts() {
    let case = Case::with_session();
    let passphrase = case.give("through-7", PASSPHRASE);
    let inner = "if (: <&7) 2>/dev/null; then echo open; else echo closed; fi";
    let script = format!("exec '{VAULT}' exec --passphrase-fd 7 prod -- sh -c '{inner}' 7< '{}'", passphrase.display());
    case.command("sh", &["-c", &script]).run().succeeds().stdout("closed\n").stderr("");
}

#[test]
fn without_a_command_it_is_the_persons_shell() {
    let case = Case::with_session();
    let shell = case.give_program("my-shell", "#!/bin/sh\necho \"my shell, $# arguments, $AWS_VAULT\"\n");
    let run = case.vault(&["exec", "prod"]).variable("SHELL", &shell).run();
    run.succeeds().stdout("my shell, 0 arguments, prod\n");
    case.vault(&["exec", "prod"]).stdin("echo in $AWS_VAULT; exit 3").run().exits(3).stdout("in prod\n");
}

#[test]
fn the_code_is_one_line_of_the_input_and_the_rest_is_the_commands() {
    let case = Case::with_prod();
    let input = format!("{}\nthe rest\n", case.phone.code());
    case.vault(&["exec", "prod", "--mfa-code", "-", "--", "cat"]).stdin(input).run().succeeds().stdout("the rest\n");
}

#[test]
fn get_prints_each_field_bare() {
    let case = Case::with_session();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let id = get(&case, "aws_access_key_id");
    let session = case.sim.session(&id).expect("AWS made it");
    assert_eq!(get(&case, "expiration"), session.expires.strftime("%FT%TZ").to_string());
    assert_eq!((&*get(&case, "region"), &*get(&case, "account")), ("eu-central-1", ACCOUNT));
    let set = &json(&case.run(&["env", "prod", "--shell", "json"]))["set"];
    assert_eq!(get(&case, "aws_secret_access_key"), set["AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(get(&case, "aws_session_token"), set["AWS_SESSION_TOKEN"]);
    let script = format!("token=$('{VAULT}' get prod aws_session_token); printf %s \"$token\"");
    let shell = case.command("sh", &["-c", &script]).variable("VAULT_IDENTITY", case.given("recovery.txt")).run();
    shell.succeeds().stdout(set["AWS_SESSION_TOKEN"].as_str().unwrap());
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn get_refuses_a_field_that_is_none_before_anything_is_asked() {
    let case = Case::with_prod();
    let fields = "one of aws_access_key_id, aws_secret_access_key, aws_session_token, expiration, region, account";
    let told = error_and_hint("no field named `token`", fields);
    case.vault(&["get", "prod", "token"]).asking().run().exits(2).stdout("").stderr(&told);
    let signed_in = Case::with_session();
    signed_in
        .run(&["get", "prod", "region"])
        .exits(1)
        .stdout("")
        .stderr(&error_and_hint("`prod` has no region", "`vault set prod region=REGION` gives it one"));
}

#[test]
fn get_renews_a_session_that_is_over_with_one_prompt() {
    let case = Case::with_prod();
    let short = ["login", "prod", "--no-export", "--duration", "900", "--mfa-code", &case.phone.code()];
    case.run(&short).succeeds();
    let old = get(&case, "aws_access_key_id");
    case.sim.clear_requests();
    // What is over is over by this machine's clock; asking for more than is left of it is the same question.
    let mut terminal = case.vault(&["get", "prod", "aws_access_key_id", "--min-ttl", "1h"]).on_terminal_captured();
    terminal.expect("MFA code for prod").type_line(&case.phone.code());
    let (output, _) = terminal.finish();
    assert_ne!(output.succeeds().stderr("").out, old);
    assert_eq!(output.screen.matches("MFA code").count(), 1);
    assert_eq!(case.sim.requests().len(), 1);
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let case = Case::with_session();
    // The reader is gone before the program is started.
    let script =
        "mkfifo gate; { read go; \"$0\" \"$@\"; echo \"code $?\" >&2; } < gate | { exec <&-; echo go > gate; }";
    for command in [&["list"][..], &["env", "prod"], &["get", "prod", "account"], &["status", "--json"], &["help"], &[]]
    {
        let words = [&["-c", script, VAULT], command].concat();
        let run = case.command("sh", &words).variable("VAULT_IDENTITY", case.given("recovery.txt")).run();
        let code = run.succeeds().err.lines().last().unwrap_or_default().to_owned();
        assert_eq!(code, "code 0", "{command:?}: {}", run.err);
        std::fs::remove_file(case.home().join("gate")).unwrap();
    }
    let full = case.command("sh", &["-c", "exec \"$0\" list > /dev/full", VAULT]);
    let told = error("can't write to standard output: No space left on device (os error 28)");
    full.variable("VAULT_IDENTITY", case.given("recovery.txt")).run().exits(1).stderr(&told);
}
