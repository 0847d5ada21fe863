//! `vault passwd`: what opens the vault before and after, with and without a person.

use std::fs;

use rustix::process::Signal;

use super::recipient::made_with_recovery_key;
use super::{error, error_and_hint, screen};
use crate::program::{Case, Output, PASSPHRASE};

const NEW: &str = "another horse, another battery";
const PROMPT: &str = "Passphrase for ~/.local/share/vault/vault.age: ";
const CHANGED: &str = "changed the passphrase of ~/.local/share/vault/vault.age\n";

/// What is said after a rekey: `opener` no longer opens the vault.
pub fn rekeyed(case: &Case, opener: &str) -> String {
    format!(
        "the vault has new keys; its fingerprint is now {}\n\
         any other machine with this vault asks for that: `vault trust`\n\
         copies of the vault in backups and sync history still open with {opener};\n\
         if somebody may have such a copy and that, `vault rotate --all` makes the access keys in it worthless\n",
        fingerprint(case)
    )
}

pub fn fingerprint(case: &Case) -> String {
    super::json(&case.run(&["status", "--json"]))["fingerprint"].as_str().unwrap().to_owned()
}

fn opens_by(case: &Case, passphrase: &str) -> Output {
    let file = case.give("tried", passphrase);
    case.vault(&["list", "--passphrase-file", file.to_str().unwrap()]).asking().run()
}

#[track_caller]
fn opens_by_the_new_one_alone(case: &Case) {
    opens_by(case, NEW).succeeds();
    opens_by(case, PASSPHRASE).exits(3);
    let folder = case.vault_file().parent().unwrap().to_owned();
    let kept: Vec<_> = crate::program::files_below(&folder);
    let kept = kept.iter().filter(|path| path.display().to_string().contains(".age.g"));
    assert_eq!(kept.count(), 0, "earlier generations stand there");
}

/// The recovery key keeps opening it, whatever the passphrase is.
fn with_new_passphrase() -> Case {
    let case = made_with_recovery_key();
    case.keep_secret("the new passphrase", NEW);
    case.give("new", NEW);
    case
}

#[test]
fn a_person_types_the_old_passphrase_once_and_the_new_one_twice() {
    let case = with_new_passphrase();
    let before = fingerprint(&case);
    let mut terminal = case.vault(&["passwd"]).asking().on_terminal();
    terminal.expect(PROMPT).type_line(PASSPHRASE);
    terminal.expect("New passphrase: ").type_line("password123");
    terminal.expect("Too easy to guess. This is a very common password. Choose another.\r\n");
    terminal.expect("New passphrase: ").type_line("AKIAIOSFODNN7EXAMPLE").expect("That is a part of an access key");
    terminal.expect("New passphrase: ").type_line(NEW).expect("The same again: ").type_line(NEW);
    let (output, echoes) = terminal.finish();
    output.succeeds();
    let told = format!("{CHANGED}{}", rekeyed(&case, "the old passphrase"));
    assert!(echoes && screen(&output).ends_with(&told), "{}\n---\n{told}", output.screen);
    assert_ne!(fingerprint(&case), before);
    opens_by_the_new_one_alone(&case);
}

#[test]
fn every_other_source_of_the_new_passphrase_sets_it() {
    for source in ["--new-passphrase-file", "--new-passphrase-command", "--new-passphrase-fd"] {
        let case = with_new_passphrase();
        let (new, old) = (case.given("new"), case.given("passphrase"));
        let words = match source {
            "--new-passphrase-file" => format!("{source} '{}'", new.display()),
            "--new-passphrase-command" => format!("{source} \"cat '{}'\"", new.display()),
            _ => format!("{source} 7 7< '{}'", new.display()),
        };
        let script = format!("exec '{}' passwd --passphrase-file '{}' {words}", super::VAULT, old.display());
        let changed = case.command("sh", &["-c", &script]).run();
        changed.succeeds().stdout("").stderr(&format!("{CHANGED}{}", rekeyed(&case, "the old passphrase")));
        opens_by_the_new_one_alone(&case);
    }
}

#[test]
fn with_the_recovery_key_the_old_passphrase_is_not_needed() {
    let case = with_new_passphrase();
    let changed = case.run(&["passwd", "--new-passphrase-file", case.given("new").to_str().unwrap()]);
    let still = "vault: hint: what opened it, such as a recovery key, opens it still; keep that elsewhere than on this machine\n";
    changed.succeeds().stdout("").stderr(&format!("{CHANGED}{}{still}", rekeyed(&case, "the old passphrase")));
    opens_by_the_new_one_alone(&case);
    case.run(&["list"]).succeeds();
}

#[test]
fn keeping_the_passphrase_changes_the_salt_and_what_a_guess_costs() {
    let case = with_new_passphrase();
    let line = |case: &Case| {
        let file = fs::read(case.vault_file()).unwrap();
        let text = String::from_utf8_lossy(&file).into_owned();
        text.lines().find(|line| line.contains("argon2id")).unwrap().to_owned()
    };
    let before = line(&case);
    let keep = |more: &[&str]| {
        let words = [&["passwd", "--keep"], more].concat();
        case.vault(&words).asking().variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).run()
    };
    let told = "changed the cost of ~/.local/share/vault/vault.age\n";
    keep(&["--kdf", "standard"]).succeeds().stdout("").stderr_has(told);
    let standard = line(&case);
    assert!(before.ends_with(" 65536 3 4") && standard.ends_with(" 262144 3 4"), "{before} {standard}");
    let told = "copies of the vault in backups and sync history still open with this passphrase;\n";
    keep(&[]).succeeds().stderr_has(told);
    assert!(line(&case).ends_with(" 262144 3 4") && line(&case) != standard, "the same cost with another salt");
    opens_by(&case, PASSPHRASE).succeeds();
    let refused = case.run(&["passwd", "--keep"]);
    let hint = "open it by the passphrase, or set a new one: `vault passwd --identity FILE`";
    let told = error_and_hint("the vault was opened by an identity, so its passphrase is not known", hint);
    refused.exits(2).stdout("").stderr(&told);
    case.run(&["passwd", "--keep", "--generate"]).exits(2);
}

#[test]
fn a_generated_passphrase_is_shown_once_or_goes_to_a_new_file() {
    let case = with_new_passphrase();
    let words = case.given("words");
    let generate = ["passwd", "--generate", "--new-passphrase-file", words.to_str().unwrap()];
    let said = format!("wrote the new passphrase to {}\n{CHANGED}", words.display());
    case.run(&generate).succeeds().stdout("").stderr_has(&said);
    let made = fs::read_to_string(&words).unwrap();
    case.keep_secret("the generated passphrase", &made);
    opens_by(&case, &made).succeeds();
    opens_by(&case, PASSPHRASE).exits(3);
    let before = fs::read(case.vault_file()).unwrap();
    case.run(&generate).exits(1).stderr(&error(&format!("{} exists already", words.display())));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);

    let mut terminal = case.vault(&["passwd", "--generate"]).may_show_secrets().on_terminal();
    let shown = terminal.expect("The new passphrase is\r\n\r\n    ").rest_of_line();
    terminal.expect("Type it once, to show that you have it: ").type_line(&shown);
    terminal.finish().0.succeeds();
    opens_by(&case, &shown).succeeds();
    opens_by(&case, &made).exits(3);
}

#[test]
fn a_generated_passphrase_that_was_not_set_is_not_left_behind() {
    let case = with_new_passphrase();
    let words = case.given("words");
    // The lock is a folder: nothing can be saved.
    let lock = case.vault_file().with_file_name(".vault.age.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let refused = case.run(&["passwd", "--generate", "--new-passphrase-file", words.to_str().unwrap()]);
    refused.exits(6).stderr_has(&format!("removed {}, since nothing was saved\n", words.display()));
    assert!(!words.exists());
    opens_by(&case, PASSPHRASE).succeeds();
}

#[test]
fn a_new_passphrase_that_is_weak_or_none_is_refused_and_the_old_one_stays() {
    let case = with_new_passphrase();
    let before = fs::read(case.vault_file()).unwrap();
    let hint = "take four or more unrelated words, or `--generate`";
    let refusals: [(&[u8], i32, String); 5] = [
        (b"password123", 2, error_and_hint("the passphrase is too easy to guess", hint)),
        (b"AKIAIOSFODNN7EXAMPLE", 2, error_and_hint("that is a part of an access key, not a passphrase", hint)),
        (b"correct\x1b[Dhorse battery staple", 2, error("the passphrase has a control character")),
        (b"\n", 3, error("the passphrase in FILE is empty")),
        (b"one line\nand another", 3, error("the passphrase in FILE has more than one line")),
    ];
    for (passphrase, code, told) in refusals {
        let file = case.give("bad", passphrase);
        let path = file.to_str().unwrap();
        let refused = case.run(&["passwd", "--new-passphrase-file", path]);
        refused.exits(code).stdout("").stderr(&told.replace("FILE", path));
    }
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn without_a_terminal_the_flag_is_named_and_without_an_answer_nothing_changes() {
    let case = with_new_passphrase();
    let before = fs::read(case.vault_file()).unwrap();
    let told = error_and_hint(
        "the vault needs a new passphrase and there is no terminal to ask on",
        "pass `--new-passphrase-file FILE`",
    );
    case.run(&["passwd"]).exits(8).stdout("").stderr(&told);
    let told = error_and_hint(
        "there is no terminal to show the generated passphrase on",
        "pass `--new-passphrase-file FILE` with the name of a new file; it is written there",
    );
    case.run(&["passwd", "--generate"]).exits(8).stdout("").stderr(&told);
    for answered in [&[][..], &[NEW]] {
        for end in ["\x04", "\x03"] {
            let mut terminal = case.vault(&["passwd"]).on_terminal();
            for answer in answered {
                terminal.expect("New passphrase: ").type_line(answer);
            }
            terminal.expect(if answered.is_empty() { "New passphrase: " } else { "The same again: " }).press(end);
            let (output, echoes) = terminal.finish();
            assert!(echoes);
            match end {
                "\x03" => drop(output.dies_of(Signal::INT)),
                _ => assert!(screen(output.exits(8)).ends_with(&error("no answer; nothing was changed"))),
            }
        }
    }
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn cached_sessions_are_dropped_with_the_old_keys() {
    let case = with_new_passphrase();
    case.add("prod").succeeds();
    case.run(&["login", "prod", "--no-export", "--no-mfa"]).succeeds();
    case.run(&["passwd", "--new-passphrase-file", case.given("new").to_str().unwrap()]).succeeds();
    case.sim.clear_requests();
    case.run(&["get", "prod", "aws_access_key_id", "--no-mfa"]).succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 1, "the cached session is not used again");
}
