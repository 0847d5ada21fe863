//! strace as the machine that fails: the real program is killed at its system calls.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use super::PROGRAM;
use crate::program::Case;

/// Runs the program and kills it at the `number`th call of that name; says whether it came so far.
fn killed_at(case: &Case, call: &str, number: u32, arguments: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let trace = format!("trace={call}");
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, PROGRAM];
    let run = case
        .command("strace", &[&strace[..], arguments].concat())
        .variable("VAULT_IDENTITY", case.given("recovery.txt"))
        .run();
    match run.status.signal() {
        Some(signal) => signal == Signal::KILL.as_raw(),
        None => {
            run.succeeds();
            false
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn killed_at_any_system_call_that_matters_the_program_leaves_a_vault_that_opens() {
    let case = Case::with_prod();
    let mut killed = 0;
    for call in ["openat", "read", "write", "fsync", "linkat", "renameat", "renameat2", "unlinkat", "flock", "fstat"] {
        for number in (1..).take_while(|number| *number < 200) {
            let region = format!("region=eu-west-{}", number % 9 + 1);
            if !killed_at(&case, call, number, &["set", "prod", &region]) {
                break;
            }
            killed += 1;
            case.run(&["show", "prod"]).succeeds().stdout_has(case.alice.access_key_id());
        }
    }
    println!("killed the program {killed} times");
    assert!(killed >= 20, "{killed}");
    case.run(&["set", "prod", "region=eu-north-1"]).succeeds();
    let left: Vec<_> =
        fs::read_dir(case.vault_file().parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
#[ignore = "needs strace"]
fn killed_in_a_login_the_program_leaves_the_old_or_the_new_credentials_file() {
    let case = Case::with_prod();
    let before = "[other]\nx = 1\n";
    case.write(&case.credentials(), 0o600, before);
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    for call in ["write", "fsync", "renameat", "renameat2", "openat"] {
        for number in (1..).take_while(|number| *number < 200) {
            let finished = !killed_at(&case, call, number, &["login", "prod"]);
            let now = fs::read_to_string(case.credentials()).unwrap();
            let new = now.strip_prefix(before).is_some_and(|ours| ours.contains("aws_credential_expiration = "));
            assert!(now == before || new, "{call} {number}: {now}");
            fs::write(case.credentials(), before).unwrap();
            if finished {
                break;
            }
        }
    }
}
