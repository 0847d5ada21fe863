//! `vault recipient`: who opens the vault, by whom that is changed, and that nobody locks everybody out.

use std::fs;

use rustix::process::Signal;
use serde_json::json;
use vault::store::identity;

use super::machines::shown_time;
use super::passwd::rekeyed;
use super::{error, error_and_hint, json, mode, screen, warning};
use crate::program::{Case, Output};

/// A vault of its own, as `Case::with_vault` has it, for cases that replace its keys.
pub fn made_with_recovery_key() -> Case {
    let case = Case::with_vault();
    case.run(&["set", "--vault", "session_duration=3600"]).succeeds();
    case
}

/// An identity in a file, and its recipient.
fn stranger(case: &Case, name: &str) -> (String, String) {
    let identity = identity::generate();
    case.keep_secret("an identity", identity.expose());
    let file = case.give(name, format!("{}\n", identity.expose()));
    (file.to_str().unwrap().to_owned(), identity::recipient(&identity).unwrap())
}

fn opens_by(case: &Case, file: &str) -> Output {
    case.vault(&["list", "--identity", file]).asking().run()
}

fn added(name: &str) -> String {
    format!("added recipient `{name}`; it opens ~/.local/share/vault/vault.age from now on\n")
}

fn names(case: &Case) -> Vec<String> {
    let listed = json(&case.run(&["recipient", "list", "--json"]));
    listed["recipients"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn removed(case: &Case, name: &str) -> String {
    format!("removed recipient `{name}`\n{}", rekeyed(case, "it"))
}

#[test]
fn a_recipient_that_is_added_opens_the_vault_until_it_is_removed() {
    let case = made_with_recovery_key();
    let (bob, recipient) = stranger(&case, "bob");
    opens_by(&case, &bob).exits(3);
    case.run(&["recipient", "add", "bob", &recipient]).succeeds().stdout("").stderr(&added("bob"));
    opens_by(&case, &bob).succeeds();
    // A recipient has one spelling here, whichever it is given in.
    let (carol, lower_case) = stranger(&case, "carol");
    case.run(&["recipient", "add", "carol", &format!(" {} ", lower_case.to_uppercase())]).succeeds();
    opens_by(&case, &carol).succeeds();
    case.run(&["recipient", "add", "caroline", &lower_case]).refuses(1, "that is recipient `carol` already");
    assert_eq!(names(&case), ["passphrase", "recovery", "bob", "carol"]);
    let output = case.run(&["recipient", "remove", "bob", "--yes"]);
    output.succeeds().stdout("").stderr(&removed(&case, "bob"));
    opens_by(&case, &bob).exits(3).stderr(&error("this identity does not open the vault"));
    case.run(&["list"]).succeeds();
    let passphrase = case.given("passphrase");
    case.vault(&["list", "--passphrase-file", passphrase.to_str().unwrap()]).asking().run().succeeds();
    // Nor does anything that saves kept.
    for path in crate::program::files_below(case.vault_file().parent().unwrap()) {
        if path.display().to_string().contains(".age.g") {
            case.vault(&["list", "--identity", &bob]).asking().variable("VAULT_FILE", &path).run().exits(3);
        }
    }
}

#[test]
fn a_new_recovery_key_goes_to_a_file_or_is_shown_and_asked_back() {
    let case = made_with_recovery_key();
    let file = case.given("second.txt");
    let path = file.to_str().unwrap();
    let said = format!("wrote the recovery key to {path}; move it off this machine\n{}", added("second"));
    case.run(&["recipient", "add", "second", "--recovery-key", path]).succeeds().stdout("").stderr(&said);
    assert_eq!(mode(&file), 0o600);
    case.keep_secret("the second key", fs::read_to_string(&file).unwrap().lines().last().unwrap());
    opens_by(&case, path).succeeds();

    let mut terminal = case.vault(&["recipient", "add", "third"]).may_show_secrets().on_terminal();
    let key = format!("AGE-SECRET-KEY-1{}", terminal.expect("AGE-SECRET-KEY-1").rest_of_line());
    terminal.expect("Its last 4 characters, to show that you have it: ").type_line("xxxx");
    terminal
        .expect("Those are not its last 4 characters. Ctrl-C ends this, and changes nothing.\r\n")
        .type_line(&key[key.len() - 4..]);
    let (output, _) = terminal.finish();
    assert!(screen(output.succeeds()).ends_with(&added("third")), "{}", output.screen);
    let third = case.give("third", key);
    opens_by(&case, third.to_str().unwrap()).succeeds();
    assert_eq!(names(&case), ["passphrase", "recovery", "second", "third"]);
}

const NOTHING: &str = "nothing was changed, and the recovery key above opens nothing";

#[test]
fn a_recovery_key_that_nobody_confirmed_opens_nothing() {
    let case = made_with_recovery_key();
    let before = fs::read(case.vault_file()).unwrap();
    for end in ["\x04", "\x03"] {
        let mut terminal = case.vault(&["recipient", "add", "third"]).may_show_secrets().on_terminal();
        terminal.expect("Its last 4 characters, to show that you have it: ").press(end);
        let (output, _) = terminal.finish();
        match end {
            "\x03" => {
                assert!(screen(output.dies_of(Signal::INT)).ends_with(&warning(&format!("interrupted: {NOTHING}"))))
            }
            _ => assert!(screen(output.exits(8)).ends_with(&error(&format!("no answer; {NOTHING}")))),
        }
    }
    let hint = "pass `--recovery-key FILE` to write it there, or the recipient of an identity that you have";
    let told = error_and_hint("there is no terminal to show the recovery key on", hint);
    case.run(&["recipient", "add", "third"]).exits(8).stdout("").stderr(&told);
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn a_recovery_key_file_is_taken_back_where_the_vault_was_not_saved() {
    let case = made_with_recovery_key();
    let file = case.given("second.txt");
    let path = file.to_str().unwrap();
    let lock = case.vault_file().with_file_name(".vault.age.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let refused = case.run(&["recipient", "add", "second", "--recovery-key", path]);
    refused.exits(6).stderr_has(&format!("removed {path}, since nothing was saved\n"));
    assert!(!file.exists());
}

#[test]
fn the_list_never_shows_the_passphrases_recipient() {
    let case = made_with_recovery_key();
    let (_, recipient) = stranger(&case, "bob");
    case.run(&["recipient", "add", "bob", &recipient]).succeeds();
    let listed = json(&case.run(&["recipient", "list", "--json"]));
    let list = listed["recipients"].as_array().unwrap();
    assert_eq!(list[0]["recipient"], json!(null));
    assert_eq!((&list[2]["name"], &list[2]["kind"]), (&json!("bob"), &json!("x25519")));
    assert_eq!(list[2]["recipient"], json!(recipient));
    assert_eq!((&listed["version"], list.len()), (&json!(1), 3));
    let row = |one: &serde_json::Value| {
        let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        let [name, kind, added, by, recipient] = ["name", "kind", "added", "added_by", "recipient"].map(text);
        [name, kind, shown_time(&added), by, recipient].join(" ")
    };
    let table = case.run(&["recipient", "list"]);
    let lines: Vec<Vec<&str>> = table.succeeds().out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "KIND", "ADDED", "BY", "RECIPIENT"]);
    for (line, one) in lines[1..].iter().zip(list) {
        assert_eq!(line.join(" "), row(one));
    }
    assert_eq!(lines[1][5], "-");
}

#[test]
fn what_can_not_be_added_is_refused_and_never_shown() {
    let case = made_with_recovery_key();
    let (bob, recipient) = stranger(&case, "bob");
    case.run(&["recipient", "add", "bob", &recipient]).succeeds();
    let before = fs::read(case.vault_file()).unwrap();
    let taken = |name: &str| {
        let hint = "`vault recipient list` shows them";
        error_and_hint(&format!("that is recipient `{name}` already"), hint)
    };
    let (_, other) = stranger(&case, "other");
    case.run(&["recipient", "add", "bob", &other]).exits(1).stdout("").stderr(&taken("bob"));
    case.run(&["recipient", "add", "robert", &recipient]).exits(1).stdout("").stderr(&taken("bob"));
    let hint = "1 to 64 letters, digits and _.@:/+-, and not `passphrase`, which is the passphrase's own";
    for (name, shown) in [("passphrase", "passphrase"), ("a b", "a b"), ("a\x1b[1m", "a\\u{1b}[1m"), ("", "")] {
        let told = error_and_hint(&format!("`{shown}` can't be a recipient's name"), hint);
        case.run(&["recipient", "add", name, &other]).exits(2).stdout("").stderr(&told);
    }
    let hint = "one starts with age1; `age-keygen` makes an identity and shows its recipient";
    let told = error_and_hint("that is not an age recipient", hint);
    for wrong in ["correct horse battery", "age1nonsense", "ssh-ed25519 AAAA", ""] {
        case.run(&["recipient", "add", "new", wrong]).exits(2).stdout("").stderr(&told);
    }
    // The test itself must not put a real one on a command line.
    let hint = "`age-keygen -y FILE` prints the recipient of an identity";
    let told = error_and_hint("that is an identity, which is secret; a recipient starts with age1", hint);
    for wrong in ["AGE-SECRET-KEY-1QQQQ", "age-secret-key-1qqqq", "# key\nAGE-SECRET-KEY-1QQQQ\n"] {
        case.run(&["recipient", "add", "new", wrong]).exits(2).stdout("").stderr(&told);
    }
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    opens_by(&case, &bob).succeeds();
}

#[test]
fn more_recipients_than_a_vault_can_have_are_refused() {
    let case = made_with_recovery_key();
    for number in 3..=24 {
        let (_, recipient) = stranger(&case, "many");
        case.run(&["recipient", "add", &format!("n{number}"), &recipient]).succeeds();
    }
    let file = case.given("one-more");
    let refused = case.run(&["recipient", "add", "last", "--recovery-key", file.to_str().unwrap()]);
    refused.exits(1).stderr_has(&error("the vault was not saved: more than 24 recipients"));
    assert!(!file.exists());
    case.run(&["list"]).succeeds();
}

#[test]
fn removing_asks_first_and_only_a_yes_removes() {
    let case = made_with_recovery_key();
    let (bob, recipient) = stranger(&case, "bob");
    case.run(&["recipient", "add", "bob", &recipient]).succeeds();
    let before = fs::read(case.vault_file()).unwrap();
    let told = error_and_hint("this needs a confirmation and there is no terminal to ask on", "pass `--yes`");
    case.run(&["recipient", "remove", "bob"]).exits(8).stdout("").stderr(&told);
    let question = "Remove recipient `bob`, and with it the earlier generations beside the vault? [y/N] ";
    for (keys, told) in [
        ("\n", "not confirmed; nothing was changed"),
        ("n\n", "not confirmed; nothing was changed"),
        ("\x04", "no answer; nothing was changed"),
    ] {
        let mut terminal = case.vault(&["recipient", "remove", "bob"]).on_terminal();
        terminal.expect(question).press(keys);
        let (output, _) = terminal.finish();
        assert!(screen(output.exits(8)).ends_with(&error(told)), "{}", output.screen);
    }
    let mut terminal = case.vault(&["recipient", "remove", "bob"]).on_terminal();
    terminal.expect(question).press("\x03");
    terminal.finish().0.dies_of(Signal::INT);
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    let mut terminal = case.vault(&["recipient", "remove", "bob"]).on_terminal();
    terminal.expect(question).type_line("maybe").expect("please answer y or n\r\n").type_line("y");
    terminal.finish().0.succeeds();
    opens_by(&case, &bob).exits(3);
}

#[test]
fn nobody_removes_what_is_not_there_themselves_or_the_last_one() {
    let case = made_with_recovery_key();
    let unknown = error_and_hint("no recipient named `bob`", "`vault recipient list` shows them");
    case.run(&["recipient", "remove", "bob", "--yes"]).exits(1).stdout("").stderr(&unknown);
    let own = |name: &str| {
        let told = format!("you opened the vault as recipient `{name}`; nothing was changed");
        error_and_hint(&told, "open it by another one to remove this")
    };
    case.run(&["recipient", "remove", "recovery", "--yes"]).exits(1).stdout("").stderr(&own("recovery"));
    let by_passphrase = case.vault(&["recipient", "remove", "passphrase", "--yes"]).asking();
    let by_passphrase = by_passphrase.variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).run();
    by_passphrase.exits(1).stdout("").stderr(&own("passphrase"));
    let output = case.run(&["recipient", "remove", "passphrase", "--yes"]);
    output.succeeds().stdout("").stderr(&removed(&case, "passphrase"));
    let hint = "add another recipient first: `vault recipient add NAME`";
    let last = error_and_hint("nobody could open the vault any more; nothing was changed", hint);
    case.run(&["recipient", "remove", "recovery", "--yes"]).exits(1).stdout("").stderr(&last);
}

#[test]
fn a_vault_without_a_passphrase_says_so_and_passwd_gives_it_one_again() {
    let case = made_with_recovery_key();
    case.run(&["recipient", "remove", "passphrase", "--yes"]).succeeds();
    assert_eq!(names(&case), ["recovery"]);
    let passphrase = case.given("passphrase");
    let list = || case.vault(&["list", "--passphrase-file", passphrase.to_str().unwrap()]).asking();
    let told = error_and_hint("no passphrase opens this vault, only an identity", "pass `--identity FILE`");
    list().run().exits(3).stdout("").stderr(&told);
    case.vault(&["list"]).asking().run().exits(3).stdout("").stderr(&told);
    case.run(&["passwd", "--new-passphrase-file", passphrase.to_str().unwrap()]).succeeds();
    list().run().succeeds();
    assert_eq!(names(&case), ["passphrase", "recovery"]);
}
