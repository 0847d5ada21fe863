//! `vault-quick`, the small program that AWS tools start: what it answers by itself, and that it leaves the rest to `vault`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{VAULT, error_and_hint, json};
use crate::left_unlocked::LeftUnlocked;
use crate::program::{Case, Invocation, PASSPHRASE, write_program};
use crate::waiting;

const ASK: [&str; 2] = ["credential-process", "prod"];

/// With a session in the cache, and an agent that opens it.
fn signed_in() -> LeftUnlocked {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    case.sim.clear_requests();
    LeftUnlocked::new(case)
}

/// The small program: the one that was built for these tests, or that QUICK names, beside the other that was.
fn quick(case: &Case) -> String {
    match std::env::var("QUICK") {
        Err(_) => env!("CARGO_BIN_EXE_vault-quick").to_owned(),
        Ok(_) => {
            let program = alone(case);
            let vault = program.with_file_name("vault");
            if !vault.exists() {
                symlink(VAULT, vault).unwrap();
            }
            program.to_str().unwrap().to_owned()
        }
    }
}

fn bytes() -> Vec<u8> {
    fs::read(std::env::var("QUICK").as_deref().unwrap_or(env!("CARGO_BIN_EXE_vault-quick"))).unwrap()
}

/// With nothing at hand but the agent.
fn start<'a>(case: &'a Case, program: impl AsRef<Path>, arguments: &[&str]) -> Invocation<'a> {
    case.command(program.as_ref(), arguments).without_variable("VAULT_NO_AGENT")
}

/// The small program where no other is.
fn alone(case: &Case) -> PathBuf {
    let program = case.given("vault-quick");
    write_program(&program, &bytes());
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    program
}

fn acts(case: &Case) -> Vec<String> {
    let log = json(&case.run(&["log", "--json"]));
    let entries = log["entries"].as_array().unwrap();
    entries.iter().map(|entry| format!("{} {}", entry["act"], entry["profile"])).collect()
}

#[test]
fn a_session_at_hand_it_hands_out_by_itself_as_the_other_would_and_logs_it() {
    let case = signed_in();
    let by_vault = start(&case, VAULT, &ASK).run();
    let before = acts(&case);
    let output = start(&case, alone(&case), &ASK).run();
    output.succeeds().stderr("").stdout(&by_vault.succeeds().out);
    let after = acts(&case);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.iter().filter(|act| *act == "\"reused\" \"prod\"").count(), 2, "{after:?}");
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn what_it_can_not_answer_it_leaves_to_the_program_beside_it() {
    let case = signed_in();
    let quick = quick(&case);
    case.run(&["set", "prod", "region=eu-west-1"]).succeeds();
    let told = |program: &str, arguments: &[&str], variable: (&str, &str)| {
        let output = start(&case, program, arguments).variable(variable.0, variable.1).run();
        (output.status.code(), output.out.clone(), output.err.clone())
    };
    let nothing = ("UNUSED", "");
    let running = std::process::id().to_string();
    for (arguments, variable) in [
        (&["--version"][..], nothing),
        (&[], nothing),
        (&["list"], nothing),
        (&["get", "prod", "aws_access_key_id"], nothing),
        (&["credential-process", "nobody"], nothing),
        (&["credential-process", "no name"], nothing),
        (&["credential-process", "prod", "--min-ttl", "40h"], nothing),
        (&ASK, ("VAULT_NO_AGENT", "1")),
        (&ASK, ("VAULT_FINGERPRINT", "AAAA-AAAA-AAAA-AAAA")),
        (&ASK, ("VAULT_RECURSION", &running)),
        (&ASK, ("VAULT_FILE", "relative")),
    ] {
        assert_eq!(told(&quick, arguments, variable), told(VAULT, arguments, variable), "{arguments:?} {variable:?}");
    }
    case.run(&["set", "prod", "protected=true"]).succeeds();
    assert_eq!(told(&quick, &ASK, nothing), told(VAULT, &ASK, nothing));
    case.run(&["lock"]).succeeds();
    let (code, out, _) = told(&quick, &ASK, nothing);
    assert_eq!((code, out.as_str()), (Some(3), ""));
}

#[test]
fn a_reader_that_goes_away_and_a_full_disk_end_it_as_they_end_the_other() {
    let case = signed_in();
    let quick = quick(&case);
    let into = |program: &str, redirect: &str| {
        let script = format!("'{program}' credential-process prod {redirect}");
        let output = start(&case, "sh", &["-c", &script]).run();
        (output.status.code(), output.err.clone())
    };
    for redirect in ["> /dev/full", ">&-"] {
        assert_eq!(into(&quick, redirect), into(VAULT, redirect), "{redirect}");
    }
}

#[test]
fn where_the_other_is_not_it_says_so() {
    let case = Case::with_prod();
    let program = alone(&case);
    let missing = program.with_file_name("vault").canonicalize().unwrap_err();
    let message = format!("`{}` can't be started: {missing}", program.with_file_name("vault").display());
    let hint = "both programs belong into one folder; then `vault configure NAME` writes where they are";
    start(&case, program, &["list"]).run().exits(1).stdout("").stderr(&error_and_hint(&message, hint));
}

/// The program that is the agent, and with which arguments.
fn agent(case: &Case) -> (PathBuf, String) {
    let status = json(&case.run(&["agent", "status", "--json"]));
    let line = fs::read_to_string(format!("/proc/{}/cmdline", status["agent"]["pid"])).unwrap();
    let (program, arguments) = line.trim_end_matches('\0').split_once('\0').unwrap();
    (program.into(), arguments.replace('\0', " "))
}

fn own_version() -> String {
    format!("--detached={}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn it_is_the_agent_where_it_lies_beside_the_vault_that_starts_one_and_opens_all_the_same() {
    let case = signed_in();
    case.run(&["agent", "stop"]).succeeds();
    let bin = case.given("bin");
    fs::create_dir(&bin).unwrap();
    let (vault, quick) = (bin.join("vault"), bin.join("vault-quick"));
    write_program(&vault, &fs::read(VAULT).unwrap());
    let by_agent = |words: &[&str]| case.vault_as(&vault, words).without_variable("VAULT_NO_AGENT");
    let arguments = format!("agent run {}", own_version());
    for program in [vault.clone(), quick.clone()] {
        by_agent(&["unlock"]).run().succeeds();
        assert_eq!(agent(&case), (program.clone(), arguments.clone()));
        by_agent(&["list"]).asking().run().succeeds();
        start(&case, alone(&case), &ASK).run().succeeds();
        by_agent(&["lock"]).run().succeeds();
        start(&case, &vault, &ASK).asking().run().exits(3);
        by_agent(&["agent", "stop"]).run().succeeds();
        if program == vault {
            write_program(&quick, &bytes());
        }
    }
    for other in [&b"another machine's\n"[..], b"#!/bin/sh\necho usage: some other program\n", b"#!/bin/sh\nexit 1\n"] {
        write_program(&quick, other);
        by_agent(&["unlock"]).run().succeeds();
        assert_eq!(agent(&case).0, vault, "the other is no agent: {}", String::from_utf8_lossy(other));
        by_agent(&["agent", "stop"]).run().succeeds();
    }
    write_program(&quick, &bytes());
    fs::set_permissions(&quick, Permissions::from_mode(0o777)).unwrap();
    by_agent(&["unlock"]).run().succeeds();
    assert_eq!(agent(&case).0, vault, "anybody can change the other");
    by_agent(&["agent", "stop"]).run().succeeds();
}

#[test]
fn an_agent_for_another_version_or_one_that_can_not_listen_it_leaves_to_the_program_beside_it() {
    let case = Case::with_prod();
    let quick = quick(&case);
    let beside = Path::new(&quick).with_file_name("vault");
    let other = start(&case, &quick, &["agent", "run", "--detached=0.0.1"]).start();
    waiting::until("the agent", || case.run(&["agent", "status"]).err.starts_with("agent "));
    assert_eq!(agent(&case), (beside.clone(), "agent run --detached=0.0.1".to_owned()));
    start(&case, &quick, &["agent", "run", &own_version()]).run().exits(1).stdout("held\n");
    case.run(&["agent", "stop"]).succeeds();
    other.finish().succeeds().stdout("ready\n").stderr("");
    let sockets = case.home().join(".local/state/vault/run");
    fs::set_permissions(&sockets, Permissions::from_mode(0o755)).unwrap();
    let why = "the agent can't listen: the folder of its socket can't be used: others can use it\n";
    start(&case, &quick, &["agent", "run", &own_version()]).run().exits(1).stdout(why);
}

#[test]
fn programs_that_an_update_replaces_while_the_passphrase_is_asked_for_are_the_agent_all_the_same() {
    let case = Case::with_prod();
    let bin = case.given("bin");
    fs::create_dir(&bin).unwrap();
    let (vault, quick) = (bin.join("vault"), bin.join("vault-quick"));
    let put = || {
        for (program, bytes) in [(&vault, fs::read(VAULT).unwrap()), (&quick, bytes())] {
            let new = program.with_extension("new");
            write_program(&new, &bytes);
            fs::rename(new, program).unwrap();
        }
    };
    put();
    let mut terminal = case.vault_as(&vault, &["unlock"]).asking().without_variable("VAULT_NO_AGENT").on_terminal();
    terminal.expect_hidden();
    put();
    terminal.type_line(PASSPHRASE);
    terminal.finish().0.succeeds();
    assert_eq!(agent(&case).0, quick);
    case.run(&["agent", "stop"]).succeeds();
}

#[test]
fn configure_names_it_only_where_it_would_leave_the_rest_to_this_very_program() {
    let case = Case::with_prod();
    let bin = case.given("bin");
    fs::create_dir(&bin).unwrap();
    let (vault, quick) = (bin.join("vault"), bin.join("vault-quick"));
    write_program(&vault, &fs::read(VAULT).unwrap());
    let line_of = |program: &Path| {
        let answer = json(&case.vault_as(program, &["configure", "prod", "--json"]).run());
        answer["credential_process"].as_str().unwrap().to_owned()
    };
    assert_eq!(line_of(&vault), format!("{} credential-process prod", vault.display()));
    symlink(env!("CARGO_BIN_EXE_vault-quick"), &quick).unwrap();
    assert_eq!(line_of(&vault), format!("{} credential-process prod", vault.display()), "it leads to another `vault`");
    fs::remove_file(&quick).unwrap();
    write_program(&quick, &bytes());
    assert_eq!(line_of(&vault), format!("{} credential-process prod", quick.display()));
    fs::set_permissions(&quick, Permissions::from_mode(0o777)).unwrap();
    assert_eq!(line_of(&vault), format!("{} credential-process prod", vault.display()), "anybody can change it");
}
