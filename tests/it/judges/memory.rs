//! While the real program waits for a person, its memory is searched. It takes care that only the administrator can do that.

use rustix::process::Signal;

use crate::memory::{Needles, copies};
use crate::program::{Case, PASSPHRASE, Terminal};

const OTHER_SECRET: &str = "anothersecretanothersecretanothersecret1";

fn case() -> Case {
    let case = Case::with_prod();
    case.keep_secret("the other secret", OTHER_SECRET);
    let add = ["add", "other", "--access-key-id", "AKIAOTHEROTHEROTHER1", "--secret-stdin", "--no-verify"];
    case.vault(&add).stdin(OTHER_SECRET).run().succeeds();
    // So that a rehearsed rotation asks for a code.
    case.sim.require_mfa_for(&case.alice, &["iam:ListAccessKeys"], None);
    case
}

#[test]
#[ignore = "needs to be root"]
fn an_mfa_prompt_holds_no_other_profiles_secret_and_no_prompt_holds_the_passphrase() {
    let case = case();
    let reveal = ["reveal", "--vault-identity", "--confirm", "identity"];
    // Of the passphrase, and not of the recovery key that opens the vaults of other tests.
    let reveal = case.vault(&reveal).asking().variable("VAULT_PASSPHRASE_FILE", case.given("passphrase"));
    let revealed = reveal.may_show_secrets().run().succeeds().out.clone();
    let identity = revealed.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    let needles = Needles::from([
        ("the passphrase", PASSPHRASE.into()),
        ("the other secret", OTHER_SECRET.into()),
        ("the key that is to sign in", case.alice.secret_access_key().into()),
        ("the vault identity", identity.into()),
    ]);
    let key = &["the key that is to sign in"][..];
    let identity = &["the vault identity"][..];
    // Whoever goes on with other keys after the prompt opens the vault again.
    let both = &["the key that is to sign in", "the vault identity"][..];
    for (arguments, prompt, holds) in [
        (&["login", "prod"][..], "MFA code for prod", key),
        (&["exec", "prod", "--", "true"], "MFA code for prod", key),
        (&["rotate", "other", "prod", "--dry-run"], "MFA code for prod", both),
        (&["rotate", "prod", "other", "--dry-run"], "MFA code for prod", both),
        (&["add", "new", "--access-key-id", "AKIAIOSFODNN7EXAMPLE"], "Secret access key of", identity),
        (&["remove", "prod"], "Remove `prod`", identity),
    ] {
        for start in [typed, from_file] {
            let mut terminal = start(&case, arguments);
            terminal.expect(prompt);
            let found: Vec<&str> = copies(terminal.id(), &needles).into_keys().collect();
            // What it goes on with is there, and shows that the search works; nothing else is.
            assert_eq!(found, holds, "at `{prompt}` of {arguments:?}");
            terminal.press("\x03");
            terminal.finish().0.dies_of(Signal::INT);
        }
    }
}

/// The first has a session at hand; the second takes a code.
#[test]
#[ignore = "needs to be root"]
fn while_the_second_of_two_profiles_is_asked_for_nothing_of_the_first_is_held() {
    let case = case();
    case.run(&["set", "other", "mfa_serial=arn:aws:iam::123456789012:mfa/other"]).succeeds();
    case.login().succeeds();
    let of_session = |field: &str| case.run(&["get", "prod", field]).succeeds().out.trim().to_owned();
    let secret = of_session("aws_secret_access_key");
    let needles = Needles::from([
        ("the passphrase", PASSPHRASE.into()),
        ("the other secret", OTHER_SECRET.into()),
        ("the key of the first", case.alice.secret_access_key().into()),
        ("the session of the first", secret.into()),
        ("its token", of_session("aws_session_token").into()),
    ]);
    for start in [typed, from_file] {
        let mut terminal = start(&case, &["login", "prod", "other"]);
        terminal.expect("MFA code for other");
        let found: Vec<&str> = copies(terminal.id(), &needles).into_keys().collect();
        assert_eq!(found, ["the other secret"]);
        terminal.press("\x03");
        terminal.finish().0.dies_of(Signal::INT);
    }
}

fn typed<'a>(case: &'a Case, arguments: &[&str]) -> Terminal<'a> {
    let mut terminal = case.vault(arguments).asking().on_terminal();
    terminal.expect("Passphrase for").expect_hidden().type_line(PASSPHRASE);
    terminal
}

fn from_file<'a>(case: &'a Case, arguments: &[&str]) -> Terminal<'a> {
    case.vault(arguments).asking().variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).on_terminal()
}
