//! strace as a machine that has no thread left for us, as one where a limit of processes is reached.

use super::judge;
use crate::program::{Case, Invocation};

/// By a process that gets no other one.
fn alone<'a>(case: &'a Case, arguments: &[&str]) -> Invocation<'a> {
    const NONE: [&str; 6] = ["-f", "-qq", "-e", "trace=clone,clone3", "-e", "inject=clone,clone3:error=EAGAIN"];
    let trace = case.given("trace");
    let by_passphrase = case.vault(arguments).asking().variable("VAULT_PASSPHRASE_FILE", case.given("passphrase"));
    by_passphrase.under(judge("strace"), &[&NONE[..], &["-o", trace.to_str().unwrap()]].concat())
}

#[test]
#[ignore = "needs strace"]
fn where_no_thread_can_be_had_the_vault_opens_and_locks_all_the_same() {
    let case = Case::with_prod();
    let refused = || std::fs::read_to_string(case.given("trace")).unwrap().contains("(INJECTED)");
    alone(&case, &["list"]).run().succeeds().stdout_has("prod");
    assert!(refused(), "it did not try");
    alone(&case, &["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).run().succeeds();
    let mut terminal = case.vault(&["remove", "prod"]).on_terminal();
    terminal.expect("Remove `prod`");
    alone(&case, &["lock"]).run().succeeds();
    terminal.finish().0.dies_of(rustix::process::Signal::TERM);
}
