//! `vault init`: where the passphrase comes from, how good it must be, and what becomes of the recovery key.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::{error, error_and_hint, mode, screen, warning};
use crate::program::{Case, PASSPHRASE, files_below};

const MADE: &str = "made the vault ~/.local/share/vault/vault.age\nnext: vault add NAME\n";

/// The vault's passphrase line, as any reader of age files sees it.
fn kdf_line(case: &Case) -> String {
    let file = fs::read(case.vault_file()).unwrap();
    let text = String::from_utf8_lossy(&file);
    let line = text.lines().find(|line| line.starts_with("-> vault-format.v1/argon2id "));
    line.expect("a vault has this line").to_owned()
}

fn opens_by_the_recovery_key_in(case: &Case, file: &Path) {
    case.vault(&["list", "--identity", file.to_str().unwrap()]).asking().run().succeeds().stdout("");
}

#[test]
fn a_person_types_the_passphrase_twice_and_shows_that_the_recovery_key_was_kept() {
    let case = Case::new();
    let mut terminal = case.vault(&["init", "--kdf", "small"]).asking().may_show_secrets().on_terminal();
    terminal.expect("The vault ~/.local/share/vault/vault.age will be opened by a passphrase.\r\n");
    terminal.expect("New passphrase: ").type_line(PASSPHRASE).expect("The same again: ").type_line(PASSPHRASE);
    terminal.expect("Your recovery key opens the vault when the passphrase is forgotten:\r\n");
    let key = format!("AGE-SECRET-KEY-1{}", terminal.expect("AGE-SECRET-KEY-1").rest_of_line());
    terminal.expect("Its last 4 characters, to show that you have it: ");
    terminal.type_line("WXYZ1").expect("Those are 5 characters, and not 4. Ctrl-C ends this, and changes nothing.\r\n");
    terminal.expect("to show that you have it: ").type_line(&key[key.len() - 4..].to_lowercase());
    let (output, echoes) = terminal.finish();
    output.succeeds().screen_has(&MADE.replace('\n', "\r\n"));
    assert!(echoes && !output.screen.contains(PASSPHRASE), "{}", output.screen);

    case.keep_secret("the recovery key", &key);
    let file = case.give("recovery", format!("# printed\n{key}\n"));
    opens_by_the_recovery_key_in(&case, &file);
    case.run(&["list"]).succeeds();
    assert_eq!(mode(&case.vault_file()), 0o600);
    assert_eq!(mode(case.vault_file().parent().unwrap()), 0o700);
}

/// They may have it on paper already.
#[test]
fn who_leaves_at_the_recovery_key_is_told_that_it_opens_nothing() {
    for end in ["\x03", "\x04"] {
        let case = Case::new();
        let mut terminal = case.vault(&["init", "--kdf", "small"]).asking().may_show_secrets().on_terminal();
        terminal.expect("New passphrase: ").type_line(PASSPHRASE).expect("The same again: ").type_line(PASSPHRASE);
        terminal.expect("Its last 4 characters, to show that you have it: ").press(end);
        let (output, echoes) = terminal.finish();
        let nothing = "nothing was changed, and the recovery key above opens nothing";
        let told = match end {
            "\x03" => (screen(output.dies_of(Signal::INT)), warning(&format!("interrupted: {nothing}"))),
            _ => (screen(output.exits(8)), error(&format!("no answer; {nothing}"))),
        };
        assert!(echoes && told.0.ends_with(&told.1), "{}", told.0);
        assert!(!case.home().join(".local/share").exists());
    }
}

#[test]
fn two_different_passphrases_and_bad_ones_are_asked_for_again() {
    let case = Case::new();
    let mut terminal = case.vault(&["init", "--kdf", "small", "--no-recovery"]).asking().on_terminal();
    terminal.expect("New passphrase: ").type_line("password123");
    terminal.expect("Too easy to guess. This is a very common password. Choose another.\r\n");
    terminal.expect("New passphrase: ").type_line("").expect("the passphrase is empty; choose another.\r\n");
    terminal.expect("New passphrase: ").type_line(PASSPHRASE);
    terminal.expect("The same again: ").type_line("something quite other").expect("The two differ; try again.\r\n");
    terminal.expect("New passphrase: ").type_line(PASSPHRASE).expect("The same again: ").type_line(PASSPHRASE);
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes && !output.screen.contains("password123") && !output.screen.contains("something quite other"));
    case.run(&["list"]).succeeds();
}

#[test]
fn a_passphrase_that_only_withstands_guessing_for_a_while_is_taken_with_a_warning() {
    let case = Case::new();
    let file = case.give("so-so", "maple7dragon");
    let init = case.vault(&["init", "--kdf", "small", "--no-recovery", "--passphrase-file", file.to_str().unwrap()]);
    let warned = warning("this passphrase is not strong; a stolen vault file is only as safe as it");
    init.run().succeeds().stdout("").stderr(&format!("{warned}{MADE}"));
}

#[test]
fn every_other_source_of_the_passphrase_makes_a_vault_that_the_passphrase_opens() {
    let file = |case: &Case| case.give("new", format!("{PASSPHRASE}\r\n")).to_str().unwrap().to_owned();
    for source in ["--passphrase-file", "--passphrase-command", "--passphrase-fd", "VAULT_PASSPHRASE_FILE"] {
        let case = Case::new();
        let path = file(&case);
        let init = ["init", "--kdf", "small", "--no-recovery"];
        let made = match source {
            "--passphrase-file" => case.vault(&[&init[..], &[source, &path]].concat()).asking().run(),
            "--passphrase-command" => {
                case.vault(&[&init[..], &[source, &format!("cat {path}")]].concat()).asking().run()
            }
            "--passphrase-fd" => {
                let script = format!("exec '{}' {} {source} 7 7< '{path}'", super::VAULT, init.join(" "));
                case.command("sh", &["-c", &script]).run()
            }
            _ => case.vault(&init).variable(source, &path).run(),
        };
        made.succeeds().stdout("").stderr(MADE);
        case.run(&["list"]).succeeds();
    }
}

#[test]
fn a_generated_passphrase_is_shown_once_and_asked_back_unseen() {
    let case = Case::new();
    let mut terminal = case
        .vault(&["init", "--generate", "--kdf", "small", "--no-recovery"])
        .asking()
        .may_show_secrets()
        .on_terminal();
    let words = terminal.expect("The new passphrase is\r\n\r\n    ").rest_of_line();
    terminal.expect("\r\nWrite it down now.\r\n").expect("Type it once, to show that you have it: ");
    assert_eq!(words.split(' ').count(), 6, "{words}");
    terminal.type_line("that is not it").expect("That is not it; try again.\r\n");
    terminal.expect("to show that you have it: ").type_line(&words);
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes);
    assert_eq!(output.screen.matches(&words).count(), 1, "shown once, and not when typed:\n{}", output.screen);
    let file = case.give("words", &words);
    case.keep_secret("the generated passphrase", &words);
    case.vault(&["list"]).variable("VAULT_PASSPHRASE_FILE", file).run().succeeds();
}

#[test]
fn a_generated_passphrase_goes_to_a_new_file_of_its_owner_alone() {
    let case = Case::new();
    let file = case.given("words");
    let arguments =
        ["init", "--generate", "--kdf", "small", "--no-recovery", "--passphrase-file", file.to_str().unwrap()];
    let said = format!("wrote the new passphrase to {}\n{MADE}", file.display());
    case.vault(&arguments).asking().run().succeeds().stdout("").stderr(&said);
    assert_eq!(mode(&file), 0o600);
    let words = fs::read_to_string(&file).unwrap();
    assert_eq!(words.split(' ').count(), 6);
    case.keep_secret("the generated passphrase", &words);
    case.vault(&["list"]).variable("VAULT_PASSPHRASE_FILE", &file).run().succeeds();
}

#[test]
fn a_generated_passphrase_never_replaces_a_file() {
    let case = Case::new();
    let file = case.give("taken", "mine");
    let path = file.to_str().unwrap();
    let refused = case.vault(&["init", "--generate", "--no-recovery", "--passphrase-file", path]).asking().run();
    refused.exits(1).stdout("").stderr(&error(&format!("{path} exists already")));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert!(!case.vault_file().exists());
}

#[test]
fn a_recovery_key_in_a_file_opens_the_vault() {
    let case = Case::new();
    let file = case.given("recovery.txt");
    let path = file.to_str().unwrap();
    let said = format!("wrote the recovery key to {path}; move it off this machine\n{MADE}");
    case.run(&["init", "--kdf", "small", "--recovery-key", path]).succeeds().stdout("").stderr(&said);
    assert_eq!(mode(&file), 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "# recovery key of ~/.local/share/vault/vault.age");
    assert!(lines[1].starts_with("# recipient: age1") && lines[2].starts_with("AGE-SECRET-KEY-1") && lines.len() == 3);
    case.keep_secret("the recovery key", lines[2]);
    opens_by_the_recovery_key_in(&case, &file);
}

#[test]
fn a_recovery_key_never_replaces_a_file_and_nothing_is_asked_or_made_before_that_is_known() {
    let case = Case::new();
    let file = case.give("taken", "mine");
    let words = case.given("words");
    let path = file.to_str().unwrap();
    let generate = ["init", "--generate", "--passphrase-file", words.to_str().unwrap(), "--recovery-key", path];
    case.vault(&generate).asking().run().exits(1).stdout("").stderr(&error(&format!("{path} exists already")));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert!(!case.vault_file().exists() && !words.exists());
}

#[test]
fn the_costs_are_those_of_their_names() {
    for (cost, words) in [("small", "65536 3 4"), ("standard", "262144 3 4")] {
        let case = Case::new();
        case.run(&["init", "--no-recovery", "--kdf", cost]).succeeds();
        assert!(kdf_line(&case).ends_with(&format!(" {words}")), "{}", kdf_line(&case));
        case.run(&["list"]).succeeds();
    }
}

#[test]
fn a_vault_that_is_there_is_left_alone() {
    let case = Case::with_vault();
    let before = fs::read(case.vault_file()).unwrap();
    let refused = case.run(&["init", "--no-recovery"]);
    refused
        .exits(1)
        .stdout("")
        .stderr(&error_and_hint("there is a vault already", "`vault add NAME` puts a profile into it"));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn without_a_terminal_everything_a_person_would_be_asked_has_to_be_said() {
    let case = Case::new();
    let refused = |arguments: &[&str], message: &str, hint: &str| {
        case.vault(arguments).asking().run().exits(8).stdout("").stderr(&error_and_hint(message, hint));
        assert!(!case.vault_file().exists());
    };
    refused(
        &["init"],
        "there is no terminal to show the recovery key on",
        "pass `--recovery-key FILE` to write it there, or `--no-recovery`",
    );
    refused(
        &["init", "--no-recovery"],
        "the vault needs a new passphrase and there is no terminal to ask on",
        "pass `--passphrase-file FILE`",
    );
    refused(
        &["init", "--generate", "--no-recovery"],
        "there is no terminal to show the generated passphrase on",
        "pass `--passphrase-file FILE` with the name of a new file; it is written there",
    );
}

#[test]
fn a_passphrase_that_is_weak_or_none_is_refused_and_no_vault_is_made() {
    let case = Case::new();
    let hint = "take four or more unrelated words, or `--generate`";
    let cases: [(&[u8], i32, String); 5] = [
        (b"password123", 2, error_and_hint("the passphrase is too easy to guess", hint)),
        (b"correct\x1b[Dhorse battery staple", 2, error("the passphrase has a control character")),
        (
            "correct horse \u{378} battery staple".as_bytes(),
            2,
            error("the passphrase has a character that is not in Unicode yet"),
        ),
        (b"\n", 3, error("the passphrase in FILE is empty")),
        (b"correct horse \xff battery staple", 3, error("the passphrase in FILE is not text in UTF-8")),
    ];
    for (passphrase, code, told) in cases {
        let file = case.give("new", passphrase);
        let path = file.to_str().unwrap();
        let refused = case.vault(&["init", "--no-recovery", "--passphrase-file", path]).asking().run();
        refused.exits(code).stdout("").stderr(&told.replace("FILE", path));
        assert_eq!(files_below(&case.home()), [] as [PathBuf; 0]);
    }
}
