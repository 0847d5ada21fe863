//! `vault import`: the plan and its yes, what is never taken, and that plaintext goes only after the vault is saved.

mod answers;
mod other_vault;
mod removed;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aws_sim::{Status, User};

use super::{ALICE, PHONE, error, error_and_hint, json, mode, screen, short, warning};
use crate::program::{ACCOUNT, Case, files_below};

const VAULT: &str = "~/.local/share/vault/vault.age";
const COPIES: &str = "copies may be in backups, sync history, shell history and editors' swap files; a key that was copied works \
                      until it is replaced at AWS";
const SESSION: &str = "[default]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = session/of/nobody\n\
                       aws_session_token = token+of+nobody+at+all\n";

fn pair(section: &str, user: &User) -> String {
    format!(
        "[{section}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        user.access_key_id(),
        user.secret_access_key()
    )
}

/// Another user of the account, without a device.
fn bob(case: &Case) -> User {
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    bob
}

fn credentials(case: &Case, text: &str) {
    case.write(&case.credentials(), 0o600, text);
}

/// What a test leaves in plaintext on purpose is not what the case is searched for.
fn forget(case: &Case) {
    let aws = case.credentials();
    let files = [aws.clone(), aws.with_file_name("credentials.no-mfa"), case.home().join(".stscreds/credentials")];
    files.iter().for_each(|file| drop(fs::remove_file(file)));
}

fn added(name: &str, user: &User, device: &str) -> String {
    let (key, who) = (short(user.access_key_id()), user.name());
    format!("added `{name}`: access key {key}, {who} in account {ACCOUNT}, {device}\n")
}

fn phone() -> String {
    format!("MFA device {PHONE}")
}

fn still_there(files: &str) -> String {
    format!(
        "{}vault: hint: the same command with `--remove` takes them out\n",
        warning(&format!("the keys still lie in plaintext in {files}"))
    )
}

fn profile(case: &Case, name: &str) -> serde_json::Value {
    json(&case.run(&["show", name, "--json"]))["profile"].clone()
}

fn works(case: &Case, name: &str) {
    case.run(&["login", name, "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
}

/// A table's lines, the columns as wide as their widest cell.
fn table(rows: &[[&str; 5]]) -> String {
    let heading = ["NAME", "KEY OR ROLE", "MFA DEVICE", "FROM", "WHAT"];
    let rows: Vec<[&str; 5]> = std::iter::once(heading).chain(rows.iter().copied()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap();
    let cell = |row: &[&str; 5], column: usize| format!("{:1$}  ", row[column], width(column));
    let line = |row: &[&str; 5]| (0..5).map(|column| cell(row, column)).collect::<String>();
    rows.iter().map(|row| format!("{}\n", line(row).trim_end())).collect()
}

/// Every file below the home folder, its bytes and its mode, but for the lock that opening a vault takes.
fn everything(case: &Case) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let files = files_below(&case.home()).into_iter().filter(|path| !path.ends_with(".pins.toml.lock"));
    files.map(|path| (path.clone(), (fs::read(&path).unwrap(), mode(&path)))).collect()
}

const NOTHING: [&Path; 0] = [];

/// The paths at which the home folder differs from what it was.
fn changed(case: &Case, before: &BTreeMap<PathBuf, (Vec<u8>, u32)>) -> Vec<PathBuf> {
    let after = everything(case);
    let paths = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
    paths.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

#[test]
fn a_dry_run_asks_nobody_and_changes_no_byte() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    for arguments in [&["import", "--dry-run"][..], &["import", "--dry-run", "--remove", "--yes"]] {
        let alice = short(case.alice.access_key_id());
        let row = ["prod", &alice, "ask AWS", "~/.aws/credentials [prod]", "add"];
        case.run(arguments).succeeds().stderr("").stdout(&table(&[row]));
    }
    assert_eq!(changed(&case, &before), NOTHING);
    assert_eq!(case.sim.requests(), []);
    forget(&case);
}

#[test]
fn without_a_vault_a_dry_run_makes_none_and_an_import_does() {
    let case = Case::new();
    credentials(&case, &pair("prod", &case.alice));
    case.run(&["import", "--dry-run"]).succeeds().stderr("");
    assert!(!case.vault_file().exists());
    let made = case.run(&["import", "--yes", "--remove", "--kdf", "small", "--no-recovery"]);
    let told = format!(
        "there is no vault yet; making {VAULT}\nmade the vault {VAULT}\n{}removed the key from ~/.aws/credentials, \
         section [prod]\n{}next: vault login prod\n",
        added("prod", &case.alice, &phone()),
        warning(COPIES)
    );
    made.succeeds().stderr(&told);
    works(&case, "prod");
}

#[test]
fn it_asks_before_anything_is_done_and_only_a_yes_is_one() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    let question = format!("Import 1 profile into {VAULT}? [y/N] ");
    for answer in ["", "n"] {
        let mut terminal = case.vault(&["import"]).on_terminal();
        terminal.expect("WHAT").expect(&question).type_line(answer);
        let (output, _) = terminal.finish();
        output.exits(8);
        assert!(screen(&output).ends_with("vault: error: not confirmed; nothing was changed\n"), "{}", output.screen);
    }
    case.run(&["import"])
        .exits(8)
        .stderr(&error_and_hint("this needs a confirmation and there is no terminal to ask on", "pass `--yes`"));
    assert_eq!(changed(&case, &before), NOTHING);
    assert_eq!(case.sim.requests(), []);
    let mut terminal = case.vault(&["import", "--remove"]).on_terminal();
    terminal.expect(&format!("Import 1 profile into {VAULT}, and then remove the keys from these files? [y/N] "));
    terminal.type_line("y");
    let (output, _) = terminal.finish();
    output.succeeds();
    assert_eq!(fs::read(case.credentials()).unwrap(), b"");
    works(&case, "prod");
}

#[test]
fn a_conflict_is_named_and_never_decided_in_silence() {
    let case = Case::with_prod();
    let bob = bob(&case);
    let text = pair("prod", &bob) + &pair("two", &case.alice) + &pair("two-long-term", &bob) + &pair("bob", &bob);
    credentials(&case, &(text + &pair("twice", &bob) + "[twice]\n"));
    let output = case.run(&["import", "--yes"]);
    output.exits(1).stdout_has("conflict: the vault has another key or role").stdout_has("conflict: different keys");
    output.stdout_has("conflict: a second time in line 16");
    let told = [
        format!(
            "{}vault: hint: vault import prod --replace\n",
            warning("`prod` (~/.aws/credentials [prod]): the vault has another key or role under this name")
        ),
        format!(
            "{}vault: hint: choose one by `--from`, `--csv` or `--vault`\n",
            warning(
                "`two` (~/.aws/credentials [two], ~/.aws/credentials [two-long-term]): these sources have different keys"
            )
        ),
        format!(
            "{}vault: hint: correct that file\n",
            warning("`twice` (~/.aws/credentials [twice]): the section or a key in it stands there twice")
        ),
        "next: vault login bob\n".to_owned(),
        error("1 profile was imported; left out: `prod`, `two`, `twice`"),
    ];
    assert!(output.err.ends_with(&told.concat()), "{}", output.err);
    assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
    case.run(&["import", "prod", "--replace", "--yes"]).succeeds();
    assert_eq!(profile(&case, "prod")["access_key"], bob.access_key_id());
    case.run(&["import", "two", "--from", "aws-mfa", "--yes"]).succeeds();
    assert_eq!(profile(&case, "two")["access_key"], bob.access_key_id());
    forget(&case);
}

#[test]
fn without_a_vault_nobody_hears_of_one_that_can_not_be_made() {
    let case = Case::new();
    credentials(&case, &pair("prod", &case.alice));
    let weak = case.give("weak", "password1").to_str().unwrap().to_owned();
    let no_terminal = |what: &str| format!("there is no terminal to show the {what} on");
    for (flags, code, why) in [
        (&[][..], 8, no_terminal("recovery key")),
        (&["--generate", "--no-recovery"], 8, no_terminal("generated passphrase")),
        (&["--no-recovery", "--passphrase-file", &weak], 2, "the passphrase is too easy to guess".to_owned()),
    ] {
        let import = case.vault(&[&["import", "--yes"], flags].concat()).asking().run();
        import.exits(code);
        assert!(!import.err.contains("making") && import.err.contains(&why), "{}", import.err);
        assert!(!case.vault_file().exists());
    }
    forget(&case);
}

#[test]
fn nobody_is_asked_for_a_device_in_the_middle() {
    let case = Case::with_vault();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet");
    let bob = bob(&case);
    case.sim.deny(&bob, "iam:ListMFADevices");
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob)));
    let output = case.run(&["import", "--yes", "--remove"]);
    let set = |name: &str, serial: &str| format!("vault: hint: vault set {name} mfa_serial={serial}\n");
    let a = output.succeeds().err.clone();
    let several = warning("`a`: its user has several MFA devices; none is stored");
    assert!(a.contains(&several) && a.contains(&set("a", PHONE)) && a.contains(&set("a", tablet.serial())), "{a}");
    let denied = warning("`b`: its user may not list its MFA devices; none is stored");
    assert!(a.contains(&(denied + &set("b", &format!("arn:aws:iam::{ACCOUNT}:mfa/bob")))), "{a}");
    assert_eq!(profile(&case, "a")["mfa_serial"], serde_json::Value::Null);
}

#[test]
fn names_that_are_none_are_skipped_and_cannot_act_on_the_terminal() {
    let case = Case::with_vault();
    credentials(&case, &(pair("a\x1b[31mb", &case.alice) + &pair("two words", &case.alice)));
    let output = case.run(&["import", "--yes"]);
    let alice = short(case.alice.access_key_id());
    output.succeeds().stderr("nothing to import\n").stdout(&table(&[
        ["a\\u{1b}[31mb", &alice, "-", "~/.aws/credentials [a\\u{1b}[31mb]", "skip: no name for a profile"],
        ["two words", &alice, "-", "~/.aws/credentials [two words]", "skip: no name for a profile"],
    ]));
    forget(&case);
}

#[test]
fn where_there_is_nothing_the_other_ways_are_named() {
    let case = Case::with_vault();
    let hint = "`vault import --help` names the other sources; `vault add NAME` asks for a key";
    let places = "~/.aws/credentials, ~/.aws/credentials.no-mfa, ~/.stscreds/credentials";
    case.run(&["import"])
        .exits(1)
        .stdout("")
        .stderr(&error_and_hint(&format!("found no access key in {places}"), hint));
    credentials(&case, &pair("prod", &case.alice));
    let told = error_and_hint("found nothing called `nope`", "`vault import --dry-run` shows what there is");
    case.run(&["import", "nope", "prod"]).exits(1).stdout("").stderr(&told);
    forget(&case);
}

#[test]
fn json_says_of_every_profile_how_it_ended() {
    let case = Case::with_vault();
    let bob = bob(&case);
    credentials(&case, &(pair("prod", &case.alice) + &pair("old", &bob) + SESSION));
    case.sim.set_key_status(bob.access_key_id(), Status::Inactive);
    let planned = json(&case.run(&["import", "--dry-run", "--json"]));
    assert_eq!((&planned["version"], &planned["dry_run"]), (&1.into(), &true.into()));
    let outcomes = |document: &serde_json::Value| -> Vec<(String, String)> {
        let of = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
        document["profiles"].as_array().unwrap().iter().map(|row| (of(row, "name"), of(row, "outcome"))).collect()
    };
    let expect = |words: [&str; 3]| {
        ["prod", "old", "default"].into_iter().zip(words).map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&planned), expect(["add", "add", "skipped"]));
    let output = case.run(&["import", "--yes", "--json"]);
    output.exits(4);
    let done: serde_json::Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(outcomes(&done), expect(["added", "refused", "skipped"]));
    let prod = &done["profiles"][0];
    let from = &prod["from"][0];
    assert_eq!((&from["source"], &from["section"], &from["line"]), (&"credentials".into(), &"prod".into(), &1.into()));
    assert_eq!((&prod["access_key"], &prod["kind"]), (&short(case.alice.access_key_id()).into(), &"user".into()));
    forget(&case);
}

#[test]
fn two_profiles_with_one_key_are_imported_with_a_word() {
    let case = Case::with_vault();
    credentials(&case, &(pair("default", &case.alice) + &pair("prod", &case.alice)));
    let output = case.run(&["import", "--yes", "--remove"]);
    let told = warning("`default` and `prod` are the same access key; a rotation replaces it in both");
    output.succeeds().stderr_has(&told);
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &case.alice)));
    let one = case.run(&["import", "a", "--yes", "--remove"]);
    assert!(!one.succeeds().err.contains("`b`"), "what was not asked for is no concern: {}", one.err);
    forget(&case);
}
