//! What the AWS SDKs get when they ask this program for credentials, and what they are spared.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Deserialize;

use super::{PHONE, VAULT, error, error_and_hint, json};
use crate::program::{Case, Output, PASSPHRASE, Running};

const ASK: [&str; 2] = ["credential-process", "prod"];

/// As strict as the strictest SDK: these fields, each once, of these types, and nothing else.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Credentials {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: jiff::Timestamp,
}

#[track_caller]
fn credentials(output: &Output) -> Credentials {
    assert_eq!(output.succeeds().out.matches('\n').count(), 1);
    serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error} in {}", output.out))
}

#[test]
fn the_sdks_get_the_session_as_json_and_nothing_else() {
    let case = Case::with_session();
    let output = case.run(&ASK);
    let found = credentials(output.stderr(""));
    let session = case.sim.session(&found.access_key_id).expect("AWS made it");
    assert_eq!((found.version, found.expiration.as_second()), (1, session.expires.as_second()));
    let set = &json(&case.run(&["env", "prod", "--shell", "json"]))["set"];
    assert_eq!(found.secret_access_key, set["AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(found.session_token, set["AWS_SESSION_TOKEN"]);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_missing_session_is_made_and_its_warnings_go_to_stderr_alone() {
    let case = Case::with_prod();
    let output = case.run(&["credential-process", "prod", "--no-mfa"]);
    credentials(output.stderr_has("vault: warning: `prod`: without MFA, as asked"));
    assert_eq!(case.sim.count("GetSessionToken"), 1);
}

#[test]
fn without_a_terminal_it_ends_at_once_with_what_to_do() {
    let case = Case::with_prod();
    let login = "run `vault login prod` at a terminal";
    let locked = error_and_hint("the vault is locked and there is no terminal to ask for the passphrase", login);
    let code = error_and_hint("`prod` needs an MFA code and there is no terminal to ask on", login);
    for (run, exit, told) in [(case.vault(&ASK).asking(), 3, locked), (case.vault(&ASK), 8, code)] {
        let started = Instant::now();
        run.run().exits(exit).stdout("").stderr(&told);
        assert!(started.elapsed() < Duration::from_secs(1), "{told}");
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn it_asks_at_the_terminal_and_the_caller_hears_none_of_it() {
    let case = Case::new();
    case.run(&["init", "--kdf", "small", "--no-recovery"]).succeeds();
    case.add("prod").succeeds();
    let mut terminal = case.vault(&ASK).asking().on_terminal_captured();
    terminal.expect("Passphrase for ~/.local/share/vault/vault.age: ").expect_hidden().type_line(PASSPHRASE);
    terminal.expect(&format!("MFA code for prod (alice, account 123456789012, {PHONE}): "));
    terminal.type_line(&case.phone.code());
    let (output, echoes) = terminal.finish();
    credentials(output.stderr(""));
    assert!(echoes);
}

#[test]
fn twenty_callers_at_once_make_one_call() {
    let case = Case::with_prod();
    let code = case.phone.code();
    let callers: Vec<Running> = (0..20).map(|_| case.vault(&ASK).variable("VAULT_MFA_CODE", &code).start()).collect();
    let found: Vec<Credentials> = callers
        .into_iter()
        .map(|caller| {
            let output = caller.finish();
            let waiting = |line: &str| line.ends_with(", which is getting the session of `prod`");
            assert!(output.err.lines().all(waiting), "{}", output.err);
            credentials(&output)
        })
        .collect();
    assert!(found.iter().all(|one| *one == found[0]));
    assert_eq!(case.sim.requests().len(), 1);
}

#[test]
fn a_caller_that_is_killed_at_its_prompt_frees_the_rest() {
    let case = Case::with_prod();
    let mut winner = case.vault(&ASK).on_terminal_captured();
    winner.expect("MFA code for prod");
    let pid = winner.id();
    let mut waiting: Vec<_> =
        (0..3).map(|_| case.vault(&ASK).variable("VAULT_MFA_CODE", case.phone.code()).on_terminal()).collect();
    for caller in &mut waiting {
        caller.expect(&format!("waiting for process {pid}, which is getting the session of `prod`"));
    }
    winner.signal(Signal::KILL);
    winner.finish().0.dies_of(Signal::KILL);
    let shown: Vec<String> = waiting.into_iter().map(|caller| caller.finish().0.succeeds().screen.clone()).collect();
    assert!(shown.iter().all(|screen| screen.contains("{\"Version\":1,")), "{shown:?}");
    assert_eq!(case.sim.requests().len(), 1);
}

#[test]
fn what_this_program_started_is_refused_and_a_config_that_asks_it_is_no_other_sign_in() {
    let case = Case::with_session();
    let told = error_and_hint(
        "vault was started by a program that it started itself, and stops here",
        "a plugin or a configured command must not need the vault that needs it",
    );
    let by = |process: u32| case.vault(&ASK).variable("VAULT_RECURSION", process.to_string()).run();
    by(std::process::id()).exits(1).stdout("").stderr(&told);
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    credentials(by(ended.id()).stderr(""));
    let line = |name: &str| format!("[profile {name}]\ncredential_process = {VAULT} credential-process {name}\n");
    case.write(&case.config(), 0o600, line("prod") + &line("other"));
    credentials(case.run(&ASK).stderr(""));
    let none = error_and_hint("`other` has neither an access key in the vault nor a role", "vault add other");
    case.run(&["credential-process", "other"]).exits(1).stdout("").stderr(&none);
}

#[test]
fn a_profile_that_is_none_is_told_to_the_caller() {
    let case = Case::with_prod();
    let told = error("no profile named `prodd`; did you mean `prod`?");
    case.run(&["credential-process", "prodd"]).exits(1).stdout("").stderr(&told);
    case.run(&["credential-process"]).exits(2).stdout("");
}
