//! A vault that this machine has not seen: nothing is done with it before somebody says that it is the right one.

use std::fs;

use rustix::process::Signal;

use super::machines::Machine;
use super::{error, error_and_hint, screen};
use crate::program::{Case, files_below};

fn seen_before() -> (Case, String) {
    let case = Case::with_vault();
    let first = Machine::first(&case);
    let fingerprint = first.fingerprint();
    fs::remove_file(first.pins()).unwrap();
    (case, fingerprint)
}

const EMPTY: &str = "the vault is empty; next: vault add NAME\n";

#[test]
fn a_person_compares_the_fingerprint_and_only_yes_is_a_yes() {
    let (case, fingerprint) = seen_before();
    let first = Machine::first(&case);
    for (keys, code, told) in [
        ("no\n", 8, "not confirmed; nothing was changed"),
        ("y\n\n", 8, "not confirmed; nothing was changed"),
        ("\n", 8, "not confirmed; nothing was changed"),
        ("\x04", 8, "no answer; nothing was changed"),
    ] {
        let mut terminal = case.vault(&["list"]).on_terminal();
        terminal.expect("Is this the right one? Type yes if it is: ").press(keys);
        let (output, _) = terminal.finish();
        assert!(screen(output.exits(code)).ends_with(&error(told)), "{}", output.screen);
        assert!(!first.pins().exists(), "{keys:?}");
    }
    let mut terminal = case.vault(&["list"]).on_terminal();
    terminal.expect("Type yes if it is: ").press("\x03");
    terminal.finish().0.dies_of(Signal::INT);
    assert!(!first.pins().exists());

    let mut terminal = case.vault(&["list"]).on_terminal();
    terminal.expect("Type yes if it is: ").type_line("Yes");
    let (output, _) = terminal.finish();
    let asked = format!(
        "This machine has not seen the vault ~/.local/share/vault/vault.age before. Its fingerprint:\n\n    \
         {fingerprint}\n\n`vault status` shows the same where the vault is known. A forged vault can open by the \
         same passphrase.\nIs this the right one? Type yes if it is: Yes\n{EMPTY}"
    );
    assert_eq!(screen(output.succeeds()), asked);
    case.run(&["list"]).succeeds().stderr(EMPTY);
}

#[test]
fn without_a_terminal_the_fingerprint_has_to_be_said() {
    let (case, fingerprint) = seen_before();
    let first = Machine::first(&case);
    let message = format!(
        "this machine has not seen this vault before (fingerprint {fingerprint}) and there is no terminal to ask on"
    );
    let hint = "compare with `vault status` where it is known, then pass `--expect-fingerprint FINGERPRINT`";
    for command in [&["list"][..], &["set", "--vault", "session_duration=3600"], &["reveal", "--vault-identity"]] {
        case.run(command).exits(6).stdout("").stderr(&error_and_hint(&message, hint));
    }
    let other = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
    let message = format!("this is not the expected vault: its fingerprint is {fingerprint}, not {other}");
    let hint = "is VAULT_FILE right? `vault status` shows the fingerprint where the vault is known";
    case.run(&["list", "--expect-fingerprint", other]).exits(6).stdout("").stderr(&error_and_hint(&message, hint));
    let by_variable = case.vault(&["list"]).variable("VAULT_FINGERPRINT", other).run();
    by_variable.exits(6).stdout("").stderr(&error_and_hint(&message, hint));
    assert!(!first.pins().exists());
    let lower = fingerprint.to_lowercase().replace('-', "");
    case.run(&["list", "--expect-fingerprint", &lower]).succeeds().stderr(EMPTY);
    case.run(&["list"]).succeeds().stderr(EMPTY);
    // Where the vault is known, what is expected is still compared.
    case.run(&["list", "--expect-fingerprint", other]).exits(6).stderr(&error_and_hint(&message, hint));
}

#[test]
fn a_fingerprint_that_is_none_is_a_mistake_and_not_a_yes() {
    let (case, _) = seen_before();
    let why = "a fingerprint is 32 letters and digits 2 to 7, in groups of four";
    case.run(&["list", "--expect-fingerprint", "yes"]).exits(2).stdout("").stderr_has(why);
    let by_variable = case.vault(&["list"]).variable("VAULT_FINGERPRINT", "yes").run();
    by_variable.exits(2).stdout("").stderr(&error(&format!("VAULT_FINGERPRINT: {why}")));
}

#[test]
fn the_variable_serves_a_machine_that_can_keep_nothing() {
    let (case, fingerprint) = seen_before();
    let state = case.home().join("nothing");
    case.write(&state, 0o600, "a file stands where the state folder would be made");
    let list = case.vault(&["list"]).variable("XDG_STATE_HOME", &state).variable("VAULT_FINGERPRINT", &fingerprint);
    let told = format!("{}: Not a directory (os error 20)", state.join("vault/pins.toml").display());
    list.run().exits(1).stdout("").stderr(&error(&told));
    let missing = case.home().join("not/there");
    let list = case.vault(&["list"]).variable("XDG_STATE_HOME", &missing).variable("VAULT_FINGERPRINT", &fingerprint);
    list.run().succeeds().stderr(EMPTY);
    assert!(missing.join("vault/pins.toml").exists(), "it is made where it can be");
}

#[test]
fn a_vault_that_is_made_here_is_known_here() {
    let case = Case::new();
    case.run(&["init", "--kdf", "small", "--no-recovery"]).succeeds();
    case.run(&["list"]).succeeds().stderr(EMPTY);
}

#[test]
fn a_vault_that_is_missing_is_no_vault_that_never_was_and_the_newest_kept_one_can_take_its_place() {
    let case = Case::with_prod();
    let first = Machine::first(&case);
    let state = first.state();
    let kept = files_below(first.vault_file().parent().unwrap());
    let kept =
        kept.iter().find(|file| file.to_str().unwrap().contains(".age.g1-")).expect("what it was before is kept");
    fs::remove_file(first.vault_file()).unwrap();
    let (path, shown) = (first.vault_file().display().to_string(), kept.display());
    let told = error_and_hint(
        &format!("the vault that was at {path} is missing: {state}"),
        &format!(
            "bring it back: is its disk mounted, its folder synced? or `cp {shown} {path}` takes the newest generation that is \
             kept beside it, and `vault trust` accepts that"
        ),
    );
    for command in
        [&["list"][..], &["status"], &["login", "prod"], &["history"], &["restore", "1"], &["rotate", "--all"]]
    {
        case.run(command).exits(1).stdout("").stderr(&told);
    }
    fs::copy(kept, first.vault_file()).unwrap();
    case.run(&["list"]).refuses(6, "an older state of the vault was put back");
    let mut terminal = first.trust();
    terminal.expect("Type yes").type_line("yes");
    terminal.finish().0.succeeds();
    case.run(&["history"]).succeeds();
}

#[test]
fn a_new_vault_in_the_place_of_one_that_is_missing_is_asked_about() {
    let case = Case::new();
    let init = ["init", "--kdf", "small", "--no-recovery"];
    case.run(&init).succeeds();
    let first = Machine::first(&case);
    let state = first.state();
    let made = first.bytes();
    fs::remove_file(first.vault_file()).unwrap();
    let message =
        "the vault that this machine knows here (generation 1) is missing, and there is no terminal to ask on";
    let hint = "bring it back, or pass `--forget-missing` to make a new one";
    case.run(&init).exits(8).stdout("").stderr(&error_and_hint(message, hint));
    let add = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--no-recovery"];
    let add = case.vault(&add).stdin(case.alice.secret_access_key()).run();
    add.exits(8).stdout("").stderr(&error_and_hint(message, hint));
    let mut terminal = case.vault(&init).on_terminal();
    terminal.expect(&format!("A vault stood at ~/.local/share/vault/vault.age: {state}. It is missing.\r\n"));
    terminal.expect("Make a new, empty vault in its place? [y/N] ").type_line("");
    terminal.finish().0.exits(8);
    assert!(!first.vault_file().exists());
    case.run(&[&init[..], &["--forget-missing"]].concat()).succeeds();
    case.run(&["list"]).succeeds().stderr(EMPTY);
    let new = first.bytes();
    first.put(&made);
    case.run(&["list"]).refuses(6, "another vault stands here: generation 1");
    first.put(&new);
    case.run(&["list"]).succeeds();
}
