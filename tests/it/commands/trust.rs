//! `vault trust`: a person decides on a vault that is not what this machine remembers.

use std::collections::BTreeSet;

use rustix::process::Signal;
use vault::store::plugin::Plugins;
use vault::store::seal::{seal, unseal};

use super::machines::Machine;
use super::recipient::made_with_recovery_key;
use super::{error, error_and_hint, json, screen, short};
use crate::left_unlocked::LeftUnlocked;
use crate::program::{Case, PASSPHRASE};

const DECIDE: &str = "`vault trust` shows both sides and accepts this file if you say so; nothing was changed";
const QUESTION: &str = "Go on with this file? Type yes if so: ";
const FINGERPRINT: &str = "Type the fingerprint that `vault status` shows where this vault was last saved: ";

const KEEP: &str = "Keep the other copy: a profile that only it has comes back by `vault import --vault FILE`.\n\n";

/// Said in the end: the generation that was saved.
fn accepted(generation: u64) -> String {
    format!("accepted, and saved as generation {generation}\n")
}

/// An older file was put back: what stands there, and what is remembered.
fn rolled_back(case: &Case) -> (String, String) {
    let first = Machine::first(case);
    let (older, found) = (first.bytes(), first.state());
    case.add("prod").succeeds();
    let remembered = first.state();
    first.put(&older);
    (found, remembered)
}

/// The other machine has set another passphrase: its file, with keys that the first one does not know.
fn rekeyed_elsewhere<'a>(case: &'a Case) -> (Machine<'a>, Machine<'a>) {
    let (first, other) = (Machine::first(case), Machine::other(case));
    other.sync_from(&first);
    other.first_sight();
    let new = case.give("new", "another horse, another battery");
    case.keep_secret("the new passphrase", "another horse, another battery");
    other.run(&["passwd", "--new-passphrase-file", new.to_str().unwrap()]).succeeds();
    first.sync_from(&other);
    case.give("passphrase", "another horse, another battery");
    (first, other)
}

#[test]
fn a_rollback_is_shown_with_both_sides_and_accepted_by_a_yes() {
    let case = made_with_recovery_key();
    let (found, remembered) = rolled_back(&case);
    let changed = format!("an older state of the vault was put back: {found}; remembered is {remembered}");
    case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(&changed, DECIDE));
    let first = Machine::first(&case);
    let mut terminal = first.trust();
    terminal.expect(QUESTION).type_line("yes");
    let (output, _) = terminal.finish();
    let key = short(case.alice.access_key_id());
    let before = "What this machine remembers no longer stands beside the vault. This file is its generation 2: what was saved \
                  after that, up to generation 3, is not in it.\n";
    let shown = format!("{changed}.\n\n{before}\n{KEEP}{QUESTION}yes\n{}", accepted(4));
    assert_eq!(screen(output.succeeds()), shown, "{key}");
    case.run(&["list"]).succeeds();
    let mut again = first.trust();
    again.expect("this vault is what this machine remembers; there is nothing to decide\r\n");
    again.finish().0.succeeds();
}

#[test]
fn the_keys_that_only_one_side_has_are_named() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let older = first.bytes();
    case.add("prod").succeeds();
    // What a sync program put aside.
    let aside = first.vault_file().with_file_name("vault (conflicted copy 2026-01-01).age");
    case.write(&aside, 0o600, first.bytes());
    first.put(&older);
    let mut terminal = first.trust();
    let key = short(case.alice.access_key_id());
    terminal.expect(&format!("  only in what is remembered: `prod`, access key {key}\r\n\r\n")).expect(QUESTION);
    terminal.type_line("yes");
    terminal.finish().0.succeeds();
}

/// What is remembered is put aside, as a sync program does it, and `older` put in its place; the screen up to the question.
fn sides(first: &Machine, case: &Case, older: &[u8]) -> String {
    let aside = first.vault_file().with_file_name("vault (conflicted copy 2026-01-01).age");
    case.write(&aside, 0o600, first.bytes());
    first.put(older);
    let mut terminal = first.trust();
    terminal.expect(QUESTION).type_line("yes");
    let (output, _) = terminal.finish();
    let screen = screen(output.succeeds());
    let shown = screen.split_once(".\n\n").unwrap().1;
    shown.split_once(KEEP).unwrap().0.to_owned()
}

#[test]
fn settings_that_would_change_are_named_with_both_values_where_nothing_else_differs() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    case.add("prod").succeeds();
    case.run(&["set", "prod", "region=eu-central-1", "mfa_process=code \u{202e}evil"]).succeeds();
    case.run(&["set", "--vault", "agent.idle=10m"]).succeeds();
    let older = first.bytes();
    case.run(&["set", "prod", "region=us-east-1", "protected=true"]).succeeds();
    case.run(&["unset", "prod", "mfa_process"]).succeeds();
    case.run(&["set", "--vault", "agent.idle=5m", "grace=7d"]).succeeds();
    let shown = "  would change: agent.idle of the vault, from `300` to `600`\n  \
                 would change: grace of the vault, from `7d` to nothing\n  \
                 would change: mfa_process of `prod`, from nothing to `code \\u{202e}evil`\n  \
                 would change: protected of `prod`, from `true` to nothing\n  \
                 would change: region of `prod`, from `us-east-1` to `eu-central-1`\n\n";
    assert_eq!(sides(&first, &case, &older), shown);
}

#[test]
fn what_a_newer_version_wrote_is_named_and_its_value_not_shown() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    case.add("prod").succeeds();
    let mut document = unseal(&first.bytes(), &case.recovery_identity(), &Plugins::none()).unwrap();
    let secret = "who knows what this is";
    case.keep_secret("the value of a newer version", secret);
    document.settings.rest.insert("shiny".to_owned(), secret.into());
    document.recipients[1].rest.insert("shiny".to_owned(), secret.into());
    document.profiles.values_mut().for_each(|prod| drop(prod.rest.insert("shiny".to_owned(), secret.into())));
    let newer = seal(&document, &Plugins::none()).unwrap();
    let shown = "  would change: shiny of the vault\n  would change: shiny of `prod`\n  \
                 would change: shiny of recipient `recovery`\n\n";
    assert_eq!(sides(&first, &case, &newer), shown);
}

#[test]
fn what_a_profile_that_only_this_file_has_would_run_is_shown() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let mut document = unseal(&first.bytes(), &case.recovery_identity(), &Plugins::none()).unwrap();
    let profile = toml::from_str("rotate_hook = 'steal it'").unwrap();
    document.profiles.insert("new".parse().unwrap(), profile);
    let other = seal(&document, &Plugins::none()).unwrap();
    let shown = "  only in this file: `new`, no access key\n  \
                 would change: rotate_hook of `new`, from nothing to `steal it`\n\n";
    assert_eq!(sides(&first, &case, &other), shown);
}

#[test]
fn two_sides_of_the_same_content_are_said_to_be_that() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let older = first.bytes();
    case.run(&["set", "--vault", "grace=7d"]).succeeds();
    case.run(&["unset", "--vault", "grace"]).succeeds();
    assert_eq!(sides(&first, &case, &older), "Both have the same profiles, access keys and settings.\n\n");
}

#[test]
fn anything_but_a_yes_leaves_everything_as_it_is() {
    let case = made_with_recovery_key();
    rolled_back(&case);
    let first = Machine::first(&case);
    let before = (first.bytes(), std::fs::read(first.pins()).unwrap());
    for (keys, told) in [
        ("y\nn\n", "not confirmed; nothing was changed"),
        ("\n", "not confirmed; nothing was changed"),
        ("\x04", "no answer; nothing was changed"),
    ] {
        let mut terminal = first.trust();
        terminal.expect(QUESTION).press(keys);
        let (output, _) = terminal.finish();
        assert!(screen(output.exits(8)).ends_with(&error(told)), "{}", output.screen);
    }
    let mut terminal = first.trust();
    terminal.expect(QUESTION).press("\x03");
    terminal.finish().0.dies_of(Signal::INT);
    let told = error_and_hint(
        "`vault trust` needs a person at a terminal",
        "run it where you can compare fingerprints and type",
    );
    first.by_passphrase(&["trust"]).run().exits(8).stdout("").stderr(&told);
    let mut terminal = first.vault(&["trust"]).on_terminal();
    let told = error_and_hint(
        "`vault trust` takes the passphrase, not an identity",
        "leave out --identity and VAULT_IDENTITY",
    );
    terminal.expect("leave out --identity and VAULT_IDENTITY\r\n");
    let (output, _) = terminal.finish();
    assert_eq!(screen(output.exits(3)), told);
    assert_eq!((first.bytes(), std::fs::read(first.pins()).unwrap()), before);
}

#[test]
fn new_keys_need_the_fingerprint_of_the_machine_that_made_them() {
    let case = made_with_recovery_key();
    let remembered = Machine::first(&case).state();
    let (first, other) = rekeyed_elsewhere(&case);
    let changed = format!(
        "the keys of the vault were replaced, as `vault passwd` and `vault recipient remove` do it on another machine, or this is a forgery: {}; remembered is {remembered}",
        other.state()
    );
    case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(&changed, DECIDE));
    let found = other.fingerprint();
    let wrong = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
    let other_one = error_and_hint(
        "that is not the fingerprint of this file; nothing was changed",
        "if it is what `vault status` shows where the vault was last saved, somebody else made this file: bring that one here",
    );
    let none = error_and_hint(
        "a fingerprint is 32 letters and digits 2 to 7, in groups of four; nothing was changed",
        "`vault status` shows it on the machine that last saved the vault",
    );
    let before = first.bytes();
    let declined = error("not confirmed; nothing was changed");
    for (typed, code, told) in [
        (&[wrong][..], 6, &other_one),
        (&["yes", &wrong[1..], "no"], 6, &none),
        (&["yes", wrong], 6, &other_one),
        (&[""], 8, &declined),
    ] {
        let mut terminal = first.trust();
        for line in typed {
            terminal.expect(FINGERPRINT).type_line(line);
        }
        let (output, _) = terminal.finish();
        assert!(screen(output.exits(code)).ends_with(told), "{}", output.screen);
        assert!(!output.screen.contains(&found), "what is to be read elsewhere stands here: {}", output.screen);
        assert_eq!(first.bytes(), before);
    }
    let mut terminal = first.trust();
    terminal.expect("the passphrase or its cost was changed on ").expect(FINGERPRINT).type_line(&found[1..]);
    terminal.expect("in groups of four; once more").expect(FINGERPRINT).type_line(&found.to_lowercase());
    let (output, _) = terminal.finish();
    assert!(screen(output.succeeds()).ends_with(&accepted(4)), "{}", output.screen);
    case.run(&["list"]).succeeds();
    other.sync_from(&first);
    other.run(&["list"]).succeeds();
}

#[test]
fn a_warning_comes_before_the_passphrase_where_another_machine_changed_it() {
    let case = made_with_recovery_key();
    let (first, _) = rekeyed_elsewhere(&case);
    let mut terminal = first.vault(&["list"]).asking().on_terminal();
    terminal.expect("salt or cost of the passphrase changed since this machine last opened the vault\r\n");
    terminal.expect("a passphrase that was changed on another machine does that, and so does damage\r\n");
    terminal.expect("Passphrase for ").type_line("the old passphrase, say").expect("Wrong passphrase, try again.");
    terminal.expect("Passphrase for ").type_line("another horse, another battery");
    let (output, _) = terminal.finish();
    output.exits(6).screen_has("the keys of the vault were replaced, as `vault passwd`");
}

#[test]
fn a_file_that_another_machine_saved_is_no_older_state_and_is_compared_with_what_this_one_still_has() {
    let case = made_with_recovery_key();
    let (first, other) = (Machine::first(&case), Machine::other(&case));
    other.sync_from(&first);
    other.first_sight();
    other.run(&["set", "--vault", "grace=7d"]).succeeds();
    let theirs = other.state();
    case.add("prod").succeeds();
    first.save(3600);
    let remembered = first.state();
    first.sync_from(&other);
    let forked = format!(
        "the vault was saved on two sides: {theirs} does not contain {remembered}, which this machine remembers"
    );
    case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(&forked, DECIDE));
    let mut terminal = first.trust();
    let key = short(case.alice.access_key_id());
    terminal.expect(": what generation 4 changed can't be shown. Beside generation 3, the newest before:\r\n");
    terminal.expect(&format!("  only in generation 3: `prod`, access key {key}\r\n"));
    terminal.expect("  would change: grace of the vault, from nothing to `7d`\r\n");
    terminal.expect(QUESTION).type_line("y");
    terminal.expect("The whole word, since much hangs on it: ").type_line("yes");
    terminal.finish().0.succeeds();
}

#[test]
fn who_typed_the_passphrase_to_decide_has_the_vault_unlocked() {
    let case = LeftUnlocked::new(made_with_recovery_key());
    let alone = |words: &[&str]| case.vault(words).asking().without_variable("VAULT_NO_AGENT");
    alone(&["lock"]).run().succeeds();
    rolled_back(&case);
    let mut terminal = alone(&["trust"]).on_terminal();
    terminal.expect("Passphrase for ").type_line(PASSPHRASE).expect(QUESTION).type_line("yes");
    terminal.finish().0.succeeds();
    alone(&["list"]).run().succeeds();
}

#[test]
fn kept_files_of_another_side_or_under_another_name_are_not_taken_for_this_ones() {
    let case = made_with_recovery_key();
    let (first, other) = (Machine::first(&case), Machine::other(&case));
    other.sync_from(&first);
    other.first_sight();
    case.add("prod").succeeds();
    first.save(3600);
    for seconds in [7200, 7300, 7400] {
        other.save(seconds);
    }
    let folder = |machine: &Machine| machine.vault_file().parent().unwrap().to_owned();
    let kept = |machine: &Machine, start: &str| {
        let files = crate::program::files_below(&folder(machine));
        files.into_iter().find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(start)).unwrap()
    };
    // What a sync program brings with their newest; that one of them has another name is somebody's doing.
    let theirs = std::fs::read(kept(&other, "vault.age.g3-")).unwrap();
    let name = kept(&other, "vault.age.g3-").file_name().unwrap().to_owned();
    case.write(&folder(&first).join(name), 0o600, &theirs);
    case.write(&folder(&first).join("vault.age.g3-ffffffff"), 0o600, &theirs);
    first.sync_from(&other);
    let mut terminal = first.trust();
    let key = short(case.alice.access_key_id());
    terminal.expect("Beside generation 3, the newest before:\r\n");
    terminal.expect(&format!("  only in generation 3: `prod`, access key {key}\r\n")).expect(QUESTION).type_line("no");
    terminal.finish().0.exits(8);
}

#[test]
fn of_a_generation_that_both_sides_have_restore_takes_the_file_that_is_named() {
    let case = made_with_recovery_key();
    let (first, other) = (Machine::first(&case), Machine::other(&case));
    case.add("prod").succeeds();
    other.sync_from(&first);
    other.first_sight();
    for (machine, region) in [(&first, "eu-west-1"), (&other, "us-east-1")] {
        machine.run(&["set", "prod", &format!("region={region}")]).succeeds();
    }
    first.save(3600);
    first.sync_from(&other);
    let mut terminal = first.trust();
    terminal.expect(QUESTION).type_line("yes");
    terminal.finish().0.succeeds();
    first.save(7200);
    let folder = first.vault_file().parent().unwrap().to_owned();
    let files = crate::program::files_below(&folder);
    let names = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap());
    let sides: Vec<&str> = names.filter(|name| name.starts_with("vault.age.g4-")).collect();
    assert_eq!(sides.len(), 2, "{files:?}");

    let before = first.bytes();
    let refused = first.run(&["restore", "4"]);
    refused.refuses(1, "2 files of generation 4 are kept: the vault was changed in two places at once");
    refused.stderr_has("vault: hint: `vault restore 4 --file FILE` takes one of them: ");
    for side in &sides {
        refused.stderr_has(&format!("{side} (20"));
    }
    let strange = first.run(&["restore", "4", "--file", "vault.age.g2-00000000"]);
    strange.refuses(1, "vault.age.g2-00000000 is not a file of generation 4 that is kept beside the vault");
    assert_eq!(first.bytes(), before);
    let mut regions = BTreeSet::new();
    for side in sides {
        first.run(&["restore", "4", "prod", "--file", side]).succeeds();
        regions.extend(json(&first.run(&["show", "prod", "--json"]))["profile"]["region"].as_str().map(str::to_owned));
    }
    assert_eq!(regions.into_iter().collect::<Vec<_>>(), ["eu-west-1", "us-east-1"]);
}
