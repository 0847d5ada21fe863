//! Recipients and identities of age plugins, with a stand-in for one.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bech32::{Bech32, Hrp};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use super::{VAULT, error, error_and_hint};
use crate::program::{Case, Invocation};
use crate::waiting;

const STANDIN: &str = include_str!("age-plugin-standin");
const PROVING: &str =
    "vault: the new file is opened once before it takes the old one's place: `age-plugin-standin` may ask again\n";

fn recipient(name: &str) -> String {
    bech32::encode_lower::<Bech32>(Hrp::parse_unchecked(&format!("age1{name}")), b"a public key").unwrap()
}

pub fn identity(name: &str) -> String {
    let prefix = format!("age-plugin-{name}-");
    bech32::encode_lower::<Bech32>(Hrp::parse_unchecked(&prefix), b"a slot").unwrap().to_uppercase()
}

/// The stand-in on PATH; `behaviour` is what it does between hearing everything and answering.
pub fn install(case: &Case, behaviour: &str) -> PathBuf {
    let program = case.home().join("bin/age-plugin-standin");
    case.write(&program, 0o755, STANDIN.replace("BEHAVIOUR", behaviour));
    program
}

pub fn path(case: &Case) -> String {
    format!("{}:/usr/bin:/bin", case.home().join("bin").display())
}

fn vault<'a>(case: &'a Case, arguments: &[&str]) -> Invocation<'a> {
    case.vault(arguments).variable("PATH", path(case))
}

/// Opening by the plugin's identity alone.
pub fn by_plugin<'a>(case: &'a Case, arguments: &[&str]) -> Invocation<'a> {
    let identity = case.give("plugin-identity", format!("# slot 1\n{}\n", identity("standin")));
    vault(case, arguments).asking().variable("VAULT_IDENTITY", identity)
}

/// With a vault that the stand-in opens too.
pub fn with_standin() -> (Case, PathBuf) {
    let case = Case::with_vault();
    let program = install(&case, "");
    vault(&case, &["recipient", "add", "key", &recipient("standin")]).run().succeeds();
    (case, program)
}

fn starts(case: &Case) -> Vec<String> {
    let file = case.home().join("plugin-starts");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(file);
    text.lines().map(|line| line.trim_start_matches("--age-plugin=").to_owned()).collect()
}

/// A save that is about nothing else.
const SAVE: [&str; 3] = ["set", "--vault", "session_duration=1h"];

/// What nobody may have changed.
fn unchanged<T>(case: &Case, act: impl FnOnce() -> T) -> T {
    let before = fs::read(case.vault_file()).unwrap();
    let value = act();
    assert!(fs::read(case.vault_file()).unwrap() == before, "the vault was saved");
    value
}

/// What opens the vault is at hand as soon as the person touches the key.
#[test]
fn a_lock_ends_who_waits_for_a_plugin() {
    let (case, _) = with_standin();
    let [begun, gate] = ["begun", "gate"].map(|name| case.given(name));
    mknodat(CWD, &gate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    install(&case, &format!("touch '{}'; cat '{}'", begun.display(), gate.display()));
    let list = by_plugin(&case, &["list"]).start();
    waiting::until("the plugin", || begun.exists());
    case.run(&["lock"]).succeeds().stderr("no agent is running; what waited for an answer was ended\n");
    list.finish().dies_of(Signal::TERM).stdout("");
    // The plugin goes on until it speaks to nobody.
    fs::write(&gate, "").unwrap();
}

#[test]
fn a_plugins_recipient_is_added_with_the_path_of_its_program_and_its_identity_opens_the_vault() {
    let case = Case::with_vault();
    let program = install(&case, "");
    let added = vault(&case, &["recipient", "add", "key", &recipient("standin")]).run();
    added.succeeds().stdout("").stderr(&format!(
        "each save of the vault will start {}\nadded recipient `key`; it opens ~/.local/share/vault/vault.age from now on\n",
        program.display()
    ));
    assert_eq!(starts(&case), ["recipient-v1"]);
    let listed = by_plugin(&case, &["recipient", "list", "--json"]).run();
    let listed: serde_json::Value = serde_json::from_str(&listed.succeeds().stderr("").out).unwrap();
    let entry = listed["recipients"].as_array().unwrap().iter().find(|one| one["name"] == "key").unwrap();
    assert_eq!((&entry["kind"], &entry["recipient"]), (&"plugin".into(), &recipient("standin").into()));
    assert_eq!(entry["plugin"], program.to_str().unwrap());
    assert_eq!(starts(&case), ["identity-v1"]);
}

#[test]
fn a_vault_that_a_plugin_opened_is_saved_after_the_plugin_opened_the_new_file_and_not_asked_more_often() {
    let (case, _) = with_standin();
    starts(&case);
    by_plugin(&case, &SAVE).run().succeeds().stderr_has(PROVING);
    assert_eq!(starts(&case), ["identity-v1", "recipient-v1", "identity-v1"]);
    // Here the vault is closed while the secret is read.
    let add = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    by_plugin(&case, &add).stdin(case.alice.secret_access_key()).run().succeeds();
    assert_eq!(starts(&case), ["identity-v1", "recipient-v1", "identity-v1"]);
    by_plugin(&case, &["list"]).run().succeeds().stdout_has("prod");
}

#[test]
fn a_plugins_recipient_that_was_removed_opens_the_vault_no_more_and_its_program_is_not_needed() {
    let (case, program) = with_standin();
    let refused = unchanged(&case, || by_plugin(&case, &["recipient", "remove", "key", "--yes"]).run());
    refused.refuses(1, "you opened the vault as recipient `key`; nothing was changed");
    fs::remove_file(&program).unwrap();
    vault(&case, &["recipient", "remove", "key", "--yes"]).run().succeeds();
    install(&case, "");
    starts(&case);
    by_plugin(&case, &["list"]).run().exits(3).stderr(&error("this identity does not open the vault"));
    vault(&case, &SAVE).run().succeeds();
    assert_eq!(starts(&case), ["identity-v1"]);
}

#[test]
fn a_plugin_that_is_not_on_path_is_named() {
    let case = Case::with_vault();
    let add = unchanged(&case, || vault(&case, &["recipient", "add", "key", &recipient("standin")]).run());
    let hint = "install it into a folder of PATH that nobody else can change";
    add.exits(1).stdout("").stderr(&error_and_hint("`age-plugin-standin` is not there", hint));
    let list = by_plugin(&case, &["list"]).run();
    list.exits(3).stdout("").stderr(&error_and_hint("`age-plugin-standin` is not there", hint));
}

#[test]
fn a_save_starts_the_program_that_was_shown_and_no_other() {
    let (case, program) = with_standin();
    let elsewhere = case.home().join("elsewhere/age-plugin-standin");
    case.write(&elsewhere, 0o755, "#!/bin/sh\ntouch \"$HOME/other-was-started\"\n");
    let both = format!("{}:{}", elsewhere.parent().unwrap().display(), path(&case));
    vault(&case, &SAVE).variable("PATH", &both).run().succeeds();
    fs::rename(&program, case.home().join("moved")).unwrap();
    let refused = unchanged(&case, || vault(&case, &SAVE).variable("PATH", &both).run());
    refused.exits(1).stdout("").stderr(&error_and_hint(
        &format!("the vault was not saved: recipient `key`: `{}` is not there", program.display()),
        "put it back, or do without this recipient: `vault recipient remove key`",
    ));
    assert!(!case.home().join("other-was-started").exists());
}

#[test]
fn a_plugin_that_others_can_change_is_not_started() {
    let (case, program) = with_standin();
    let folder = program.parent().unwrap();
    starts(&case);
    for (path, open, closed) in [(program.as_path(), 0o775, 0o755), (folder, 0o757, 0o755)] {
        fs::set_permissions(path, Permissions::from_mode(open)).unwrap();
        let mend = format!("chmod go-w {}", path.display());
        let saved = unchanged(&case, || vault(&case, &SAVE).run());
        let what = format!("is not to be trusted: others can change {}", path.display());
        let saving = format!("the vault was not saved: recipient `key`: `{}` {what}", program.display());
        let hint = format!("{mend}, or do without this recipient: `vault recipient remove key`");
        saved.exits(6).stdout("").stderr(&error_and_hint(&saving, &hint));
        let message = error_and_hint(&format!("`age-plugin-standin` {what}"), &mend);
        vault(&case, &["recipient", "add", "other", &recipient("standin")]).run().exits(6).stderr(&message);
        by_plugin(&case, &["list"]).run().exits(6).stderr(&message);
        fs::set_permissions(path, Permissions::from_mode(closed)).unwrap();
    }
    assert!(starts(&case).is_empty());
}

#[test]
fn a_recipient_that_can_not_be_mixed_with_the_others_is_refused_before_anything_is_saved() {
    let case = Case::with_vault();
    install(&case, "say 'labels postquantum' ''");
    let add = unchanged(&case, || vault(&case, &["recipient", "add", "key", &recipient("standin")]).run());
    add.exits(1).stdout("").stderr_has(&error_and_hint(
        "recipient `key` can't be mixed with the vault's other recipients, as its plugin says; nothing was saved",
        "its protection, as from quantum computers, would end where the others open the vault; use another kind",
    ));
}

#[test]
fn whatever_a_plugin_does_instead_of_its_work_nothing_is_lost() {
    let (case, program) = with_standin();
    let program = program.display();
    for (behaviour, what) in [
        ("exit 1", "ended in the middle of its work"),
        ("kill -9 $$", "ended in the middle of its work"),
        ("echo nonsense; read -r line", "does not speak as an age plugin does"),
        ("printf -- '-> msg\\n!!\\n'; read -r line", "does not speak as an age plugin does"),
        ("printf -- '-> msg\\n%080d\\n'; read -r line", "does not speak as an age plugin does"),
        ("printf -- '-> done\\n\\n'; exit", "does not speak as an age plugin does"),
        ("say 'error internal' bm8gY2FyZBtbMzFt; printf -- '-> done\\n\\n'; exit", "says: no card\\u{1b}[31m"),
    ] {
        install(&case, behaviour);
        let saved = unchanged(&case, || vault(&case, &SAVE).run());
        let message = format!("the vault was not saved: recipient `key`: `{program}` {what}");
        saved.exits(1).stdout("").stderr(&error(&message));
        let list = by_plugin(&case, &["list"]).run();
        // An identity that is silent to the end is one of another file.
        match behaviour.starts_with("printf -- '-> done") {
            true => list.exits(3).stderr(&error("this identity does not open the vault")),
            false => list.exits(3).stderr(&error(&format!("`age-plugin-standin` {what}"))),
        };
    }
    vault(&case, &["list"]).run().succeeds();
}

#[test]
fn what_a_plugin_wraps_for_another_file_than_its_own_is_refused_and_not_used() {
    let (case, program) = with_standin();
    let wraps = "say 'recipient-stanza 1 standin' AAAA; [ \"$answer\" = '-> fail' ] || exit 1";
    install(&case, &format!("{wraps}; printf -- '-> done\\n\\n'; exit"));
    let saved = unchanged(&case, || vault(&case, &SAVE).run());
    let what = "does not speak as an age plugin does";
    let message = format!("the vault was not saved: recipient `key`: `{}` {what}", program.display());
    saved.exits(1).stdout("").stderr(&error(&message));
}

#[test]
fn a_key_that_a_plugin_invents_opens_nothing() {
    let (case, _) = with_standin();
    install(&case, "found=AAAAAAAAAAAAAAAAAAAAAA");
    by_plugin(&case, &["list"]).run().refuses(6, "the vault is damaged");
}

#[test]
fn what_a_plugin_says_is_shown_with_its_name_and_can_not_act_on_the_terminal() {
    let (case, _) = with_standin();
    install(&case, "tell \"$(printf 'touch me\\033[2J\\nvault: ok')\"");
    let shown = "age-plugin-standin: touch me\\u{1b}[2J\nage-plugin-standin: vault: ok\n";
    let list = by_plugin(&case, &["list"]).run();
    list.succeeds().stdout("").stderr(&format!("{shown}the vault is empty; next: vault add NAME\n"));
    // A program that reads both streams must not swallow what a person has to see.
    let mut terminal = by_plugin(&case, &["list"]).on_terminal_captured();
    terminal.expect(&shown.replace('\n', "\r\n"));
    terminal.finish().0.succeeds().stderr("the vault is empty; next: vault add NAME\n");
}

#[test]
fn a_plugin_asks_for_a_pin_at_the_terminal_and_nowhere_else() {
    let (case, _) = with_standin();
    // "PIN for slot 1:", and 123456.
    install(&case, "say request-secret UElOIGZvciBzbG90IDE6; [ \"$body\" = MTIzNDU2 ] || exit 1");
    let mut terminal = by_plugin(&case, &["list"]).on_terminal();
    terminal.expect("age-plugin-standin: PIN for slot 1: ").expect_hidden().type_line("123456");
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes && !output.screen.contains("123456"), "{}", output.screen);
    install(&case, "say request-secret UElOIGZvciBzbG90IDE6; [ \"$answer\" = '-> ok' ] || found=");
    let message = "`age-plugin-standin` asks for something and there is no terminal to answer on";
    let hint = "run it at a terminal, or open the vault by another identity or its passphrase";
    by_plugin(&case, &["list"]).run().exits(8).stdout("").stderr(&error_and_hint(message, hint));
}

#[test]
fn a_plugin_has_its_questions_answered_at_the_terminal() {
    let (case, _) = with_standin();
    // "Use it?", "Use", "Leave", and then "Serial?".
    let behaviour = "say 'confirm VXNl TGVhdmU' VXNlIGl0Pw; [ \"$answer\" = '-> ok no' ] || exit 1
        say 'confirm R28gb24' VG91Y2g; [ \"$answer\" = '-> ok yes' ] || exit 1
        say request-public U2VyaWFsPw; [ \"$body\" = eDE ] || exit 1
        say unheard-of ''; [ \"$answer\" = '-> unsupported' ] || exit 1";
    install(&case, behaviour);
    let mut terminal = by_plugin(&case, &["list"]).on_terminal();
    terminal.expect("age-plugin-standin: Use it?\r\nage-plugin-standin: 1  Use\r\nage-plugin-standin: 2  Leave\r\n");
    terminal.expect("1 or 2: ").type_line("3").expect("1 or 2: ").type_line("2");
    terminal.expect("age-plugin-standin: Touch\r\nage-plugin-standin: Go on\r\nEnter: ").type_line("");
    terminal.expect("age-plugin-standin: Serial?: ").type_line("x1").expect("the vault is empty");
    terminal.finish().0.succeeds();
}

#[test]
fn a_plugin_that_needs_the_vault_itself_is_told_so_at_once() {
    let (case, _) = with_standin();
    install(&case, &format!("tell \"$('{VAULT}' list 2>&1 < /dev/null)\""));
    let list = by_plugin(&case, &["list"]).run();
    list.succeeds().stderr_has(
        "age-plugin-standin: vault: error: vault was started by a program that it started itself, and stops here\n",
    );
    assert_eq!(starts(&case), ["recipient-v1", "identity-v1"]);
}

#[test]
fn a_plugin_sees_no_aws_credentials_and_none_of_our_variables() {
    let (case, _) = with_standin();
    install(&case, "tell \"$(env | grep -E '^(AWS_|VAULT_|PATH=|KEPT)' | sort | sed 's/=[0-9]*$/=N/')\"");
    let list = by_plugin(&case, &["list"]).variable("AWS_SECRET_ACCESS_KEY", "x").variable("KEPT", "y");
    let list = list.variable("PATH", format!("relative:/nowhere:{}", path(&case))).run();
    let seen = format!("KEPT=y\nPATH={}\nVAULT_RECURSION=N", path(&case));
    let shown: String = seen.lines().map(|line| format!("age-plugin-standin: {line}\n")).collect();
    list.succeeds().stderr(&format!("{shown}the vault is empty; next: vault add NAME\n"));
}

#[test]
fn another_identity_in_the_file_opens_the_vault_where_the_plugin_does_not() {
    let case = Case::with_vault();
    let recovery = fs::read_to_string(case.given("recovery.txt")).unwrap();
    let both = case.give("both", format!("{}\n{recovery}", identity("standin")));
    vault(&case, &["list"]).asking().variable("VAULT_IDENTITY", both).run().succeeds();
}
