//! Every way to open the vault, and every way that does not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::machines::identity_in;
use super::recipient::made_with_recovery_key;
use super::{error, error_and_hint, screen};
use crate::left_unlocked::LeftUnlocked;
use crate::program::{Case, PASSPHRASE};

const OPENED: &str = "the vault is empty; next: vault add NAME\n";

fn wrong_passphrase() -> String {
    error_and_hint(
        "wrong passphrase for `~/.local/share/vault/vault.age`",
        "forgotten? `vault passwd --identity FILE` makes a new one by the recovery key; `--identity FILE` opens the vault with it",
    )
}

/// A vault, and the path of its recovery key.
fn with_recovery_key() -> (Case, String) {
    let case = Case::new();
    let file = case.given("recovery.txt").to_str().unwrap().to_owned();
    case.run(&["init", "--kdf", "small", "--recovery-key", &file]).succeeds();
    (case, file)
}

#[test]
fn every_source_opens_it() {
    let (case, recovery) = with_recovery_key();
    let file = case.give("other", format!("{PASSPHRASE}\n")).to_str().unwrap().to_owned();
    for arguments in [
        ["list", "--passphrase-file", &file],
        ["list", "--passphrase-command", &format!("cat '{file}'")],
        ["list", "--identity", &recovery],
    ] {
        case.vault(&arguments).asking().run().succeeds().stdout("").stderr(OPENED);
    }
    let script = format!("exec '{}' --passphrase-fd 7 list 7< '{file}'", super::VAULT);
    case.command("sh", &["-c", &script]).run().succeeds().stderr(OPENED);
    case.vault(&["list"]).asking().variable("VAULT_IDENTITY", &recovery).run().succeeds().stderr(OPENED);
    case.vault(&["list"]).variable("VAULT_PASSPHRASE_FILE", &file).run().succeeds().stderr(OPENED);
}

#[test]
fn the_identity_that_is_revealed_opens_it_too() {
    let case = Case::with_vault();
    let reveal = case.vault(&["reveal", "--vault-identity", "--confirm", "identity"]).asking().may_show_secrets();
    let shown = reveal.variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).run();
    let identity = shown.succeeds().out.trim_end().to_owned();
    case.keep_secret("the vault identity", &identity);
    let file = case.give("identity", shown.out.as_bytes());
    case.vault(&["list", "--identity", file.to_str().unwrap()]).asking().run().succeeds().stderr(OPENED);
}

#[test]
fn a_flag_counts_more_than_a_variable_that_was_left_in_the_shell() {
    let (case, recovery) = with_recovery_key();
    let wrong = case.give("wrong", "quite another passphrase");
    let good = case.give("good", PASSPHRASE);
    let identity = case.vault(&["list", "--identity", &recovery]).variable("VAULT_PASSPHRASE_FILE", &wrong);
    identity.run().succeeds();
    let file = case.vault(&["list", "--passphrase-file", good.to_str().unwrap()]).variable("VAULT_IDENTITY", &wrong);
    file.run().succeeds();
}

#[test]
fn two_sources_at_once_are_a_mistake() {
    let case = Case::with_vault();
    let refused = case.run(&["list", "--passphrase-fd", "7", "--passphrase-command", "cat"]);
    refused.exits(2).stdout("").stderr_has("`--passphrase-fd` does not go together with `--passphrase-command`");
}

#[test]
fn a_wrong_passphrase_is_refused() {
    let case = Case::with_vault();
    let file = case.give("wrong", "quite another passphrase");
    let list = case.vault(&["list", "--passphrase-file", file.to_str().unwrap()]);
    list.run().exits(3).stdout("").stderr(&wrong_passphrase());
}

#[test]
fn a_person_has_three_tries() {
    let case = Case::with_vault();
    let prompt = "Passphrase for ~/.local/share/vault/vault.age: ";
    let mut terminal = case.vault(&["list"]).asking().on_terminal();
    terminal.expect(prompt).type_line("first wrong guess").expect("Wrong passphrase, try again.\r\n");
    terminal.expect(prompt).type_line("second wrong guess").expect("Wrong passphrase, try again.\r\n");
    terminal.expect(prompt).type_line(PASSPHRASE).expect("the vault is empty; next: vault add NAME\r\n");
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes && !output.screen.contains("guess"), "{}", output.screen);

    let mut terminal = case.vault(&["list"]).asking().on_terminal();
    for guess in ["first wrong guess", "second wrong guess", "third wrong guess"] {
        terminal.expect(prompt).type_line(guess);
    }
    let (output, echoes) = terminal.finish();
    output.exits(3);
    assert!(screen(&output).ends_with(&wrong_passphrase()), "{}", output.screen);
    assert!(echoes);
    assert_eq!(output.screen.matches(prompt).count(), 3);
}

#[test]
fn without_a_terminal_or_a_source_it_stays_locked() {
    let case = Case::with_vault();
    let message = "the vault is locked and there is no terminal to ask for the passphrase";
    let hint = "run `vault unlock` at a terminal, or pass `--passphrase-file FILE`";
    case.vault(&["list"]).asking().run().exits(3).stdout("").stderr(&error_and_hint(message, hint));
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused_unless_the_service_manager_gave_it() {
    let case = Case::with_vault();
    let file = case.give("open", PASSPHRASE);
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let path = file.to_str().unwrap();
    let list = || case.vault(&["list", "--passphrase-file", path]);
    let told = error_and_hint(&format!("{path} can be read by others (mode 640)"), &format!("chmod 600 {path}"));
    list().run().exits(6).stdout("").stderr(&told);
    list().variable("CREDENTIALS_DIRECTORY", file.parent().unwrap()).run().succeeds();
}

#[test]
fn a_source_that_gives_nothing_says_why() {
    let case = Case::with_vault();
    let empty = case.give("empty", "\n").to_str().unwrap().to_owned();
    let missing = format!("{empty}-not");
    let binary = case.give("binary", b"\xff\xfe").to_str().unwrap().to_owned();
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let no_such_file = "No such file or directory (os error 2)";
    for (flags, code, told) in [
        (words(&["--passphrase-file", &empty]), 3, error(&format!("the passphrase in {empty} is empty"))),
        (words(&["--passphrase-file", &missing]), 3, error(&format!("can't read {missing}: {no_such_file}"))),
        (words(&["--passphrase-file", &binary]), 3, error(&format!("the passphrase in {binary} is not text in UTF-8"))),
        (
            words(&["--passphrase-command", "printf 'two\nlines'"]),
            3,
            error("what --passphrase-command printed has more than one line"),
        ),
        (words(&["--passphrase-fd", "7"]), 3, error("can't read file descriptor 7: Bad file descriptor (os error 9)")),
        (words(&["--passphrase-fd", "1"]), 3, error("can't read file descriptor 1: Bad file descriptor (os error 9)")),
        (words(&["--passphrase-command", "true"]), 3, error("what --passphrase-command printed is empty")),
        (
            words(&["--passphrase-command", "false"]),
            3,
            error("--passphrase-command: `false` ended with exit status: 1"),
        ),
        (
            words(&["--passphrase-command", "no-such-program"]),
            3,
            error(&format!("--passphrase-command: could not start `no-such-program`: {no_such_file}")),
        ),
        (words(&["--passphrase-command", "'"]), 3, error("--passphrase-command: the command's quotes do not match")),
    ] {
        let refused = case.vault(&[&words(&["list"])[..], &flags].concat()).asking().run();
        refused.exits(code).stdout("").stderr(&told);
    }
}

#[test]
fn the_passphrase_command_is_words_and_no_shell() {
    let case = Case::with_vault();
    let list = case.vault(&["list", "--passphrase-command", "echo $HOME; true"]);
    list.asking().run().exits(3).stdout("").stderr(&wrong_passphrase());
}

#[test]
fn an_identity_that_is_another_or_none_is_refused() {
    let case = Case::with_vault();
    let (_other_case, others) = with_recovery_key();
    let others = case.give("others", fs::read(others).unwrap());
    let comment = case.give("comment", "# only a comment\n");
    let garbage = case.give("garbage", "NONSENSE\n");
    for (file, told) in [
        (&others, error("this identity does not open the vault")),
        (&comment, error(&format!("no age identity in {}", comment.display()))),
        (&garbage, error("that is not an age identity; one starts with AGE-SECRET-KEY-1 or AGE-PLUGIN-")),
    ] {
        let refused = case.vault(&["list", "--identity", file.to_str().unwrap()]).asking().run();
        refused.exits(3).stdout("").stderr(&told);
    }
}

/// The smallest limit under which the program starts at all, and one that leaves no room for the 64 MiB of `small`.
const SHORT_OF_MEMORY: &str = "--as=83886080";

#[test]
fn where_the_system_gives_no_memory_deriving_ends_with_words_tried_or_not() {
    let case = Case::with_vault();
    let passphrase = case.given("passphrase");
    let base = [SHORT_OF_MEMORY, super::VAULT, "list", "--passphrase-file", passphrase.to_str().unwrap()];
    let list = |flags: &[&str]| case.command("prlimit", &[&base[..], flags].concat()).run();
    for flags in [&[][..], &["--kdf-memory"]] {
        list(flags).exits(1).stdout("").stderr(&error_and_hint(
            "the passphrase needs 64 MiB of memory, and the system gives none",
            "free some, or open the vault by `--identity`",
        ));
    }
}

#[test]
fn what_takes_the_passphrase_itself_says_so_while_an_agent_holds_the_vault() {
    let case = LeftUnlocked::new(Case::with_prod());
    let revealed =
        case.vault(&["reveal", "prod", "--confirm", "prod"]).asking().without_variable("VAULT_NO_AGENT").run();
    revealed.exits(3).stdout("").stderr(&error_and_hint(
        "this takes the passphrase itself, also while the vault is unlocked, and there is no terminal to ask on",
        "pass `--passphrase-file FILE`",
    ));
}

#[test]
fn a_recovery_key_typed_from_paper_in_groups_and_small_letters_opens_the_vault() {
    let case = made_with_recovery_key();
    let identity = identity_in(&case.given("recovery.txt"));
    let (start, end) = identity.split_at(40);
    let grouped = format!("  {} {}\n", start.to_lowercase(), end.to_lowercase());
    case.keep_secret("the recovery key as it was typed", grouped.trim());
    let file = case.give("typed.txt", &grouped);
    case.run(&["list", "--identity", file.to_str().unwrap()]).succeeds();
}

#[test]
fn a_recovery_key_with_a_typing_error_is_told_as_that_and_not_shown() {
    let case = made_with_recovery_key();
    let identity = identity_in(&case.given("recovery.txt"));
    let (start, end) = identity.split_at(40);
    let other = if end.starts_with('Q') { "P" } else { "Q" };
    for (mistyped, wrong) in [
        (format!("{start}{}", &end[1..]), "it has 73 characters, and one of age's has 74"),
        (format!("{start}{other}{}", &end[1..]), "its checksum is wrong, so that a character of it is"),
    ] {
        case.keep_secret("a mistyped recovery key", &mistyped);
        let file = case.give("mistyped.txt", &mistyped);
        let ran = case.run(&["list", "--identity", file.to_str().unwrap()]);
        ran.exits(3).stderr(&error(&format!("that age identity has a typing error: {wrong}")));
    }
}
