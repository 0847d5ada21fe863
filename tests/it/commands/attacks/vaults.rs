//! Files in the vault's place that open and are not the vault: forged, spliced, put back, forked, with another header.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::process::Signal;
use vault::store::identity;

use super::super::machines::{Machine, identity_in, shown_time};
use super::super::recipient::made_with_recovery_key;
use super::super::{error_and_hint, screen, warning};
use crate::commands::damaged::way_back;
use crate::forgery::Forgery;
use crate::program::{Case, Output};

const DECIDE: &str = "`vault trust` shows both sides and accepts this file if you say so; nothing was changed";
const ANOTHER: &str = "is VAULT_FILE right? if this vault is meant to stand here now: `vault trust`";
/// The vault as its recovery key opens it.
fn forgery(case: &Case) -> Forgery {
    Forgery::of(&fs::read(case.vault_file()).unwrap(), &identity_in(&case.given("recovery.txt")))
}

/// Without the passphrase, whose recipient only those know who opened the vault.
fn without_passphrase(mut forgery: Forgery) -> Forgery {
    forgery.recipients().retain(|one| one["kind"].as_str() != Some("passphrase"));
    forgery
}

fn state(forgery: &Forgery) -> String {
    let meta = &forgery.payload["meta"];
    let text = |key: &str| meta[key].as_str().unwrap();
    format!("generation {} of {} by {}", forgery.generation(), shown_time(text("written_at")), text("writer"))
}

/// Whoever asks to read, to save or to reveal is refused with these words, and nothing is touched.
#[track_caller]
fn refused(case: &Case, bytes: &[u8], told: &str) {
    let first = Machine::first(case);
    let pins = fs::read(first.pins()).unwrap();
    first.put(bytes);
    for command in [
        &["list"][..],
        &["set", "--vault", "session_duration=900"],
        &["reveal", "--vault-identity", "--confirm", "identity"],
        &["passwd", "--new-passphrase-file", case.given("passphrase").to_str().unwrap()],
        &["recipient", "remove", "passphrase", "--yes"],
    ] {
        case.run(command).exits(6).stdout("").stderr(told);
    }
    assert!(first.bytes() == bytes && fs::read(first.pins()).unwrap() == pins);
}

#[test]
fn a_forged_vault_with_a_new_id_is_refused_at_a_known_place() {
    let case = made_with_recovery_key();
    let remembered = Machine::first(&case).state();
    let forged = without_passphrase(forgery(&case)).with_own_key().set("meta", "vault_id", "AAAAAAAAAAAAAAAAAAAAAA");
    for generation in [1, 2, 3, 1_000_000] {
        let forged = forged.clone().set("meta", "generation", generation);
        let found = state(&forged);
        let told = format!("another vault stands here: {found}; this machine knows another one here, {remembered}");
        refused(&case, &forged.seal(), &error_and_hint(&told, ANOTHER));
    }
    // A recovery key that opens it does not help: the fingerprint that the person has is not this one's.
    let mut terminal = case.vault(&["trust"]).on_terminal();
    terminal.expect("Type the fingerprint").type_line("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA");
    terminal.finish().0.exits(6);
    case.run(&["list"]).exits(6);
}

#[test]
fn a_spliced_vault_of_the_same_id_is_refused_whatever_it_says_of_its_past() {
    let case = made_with_recovery_key();
    let (standing, remembered) = (fs::read(case.vault_file()).unwrap(), Machine::first(&case).state());
    for forged in [
        forgery(&case).with_own_key(),
        forgery(&case).with_own_key().saved_over(&standing),
        without_passphrase(forgery(&case)).with_own_key().saved_over(&standing),
    ] {
        let found = state(&forged);
        let told = format!(
            "the keys of the vault were replaced, as `vault passwd` and `vault recipient remove` do it on another machine, or this is a forgery: {found}; remembered is \
             {remembered}"
        );
        refused(&case, &forged.seal(), &error_and_hint(&told, DECIDE));
    }
}

#[test]
fn an_older_file_and_a_kept_generation_are_refused_as_put_back() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let (older, found) = (first.bytes(), first.state());
    first.save(7200);
    let told = |found: &str| {
        let remembered = first.state();
        let told = format!("an older state of the vault was put back: {found}; remembered is {remembered}");
        error_and_hint(&told, DECIDE)
    };
    let told_older = told(&found);
    let newest = first.bytes();
    refused(&case, &older, &told_older);
    let folder = case.vault_file().parent().unwrap().to_owned();
    let kept =
        crate::program::files_below(&folder).into_iter().find(|path| path.display().to_string().contains(".g1-"));
    let kept = fs::read(kept.unwrap()).unwrap();
    first.put(&newest);
    let found = state(&Forgery::of(&kept, &identity_in(&case.given("recovery.txt"))));
    let told_kept = told(&found);
    refused(&case, &kept, &told_kept);
    // The same by a path that this machine has not seen.
    let copy = case.home().join("copy.age");
    case.write(&copy, 0o600, &older);
    case.vault(&["list"]).variable("VAULT_FILE", &copy).run().exits(6).stdout("").stderr(&told_older);
    let link = case.home().join("link.age");
    symlink(&copy, &link).unwrap();
    case.vault(&["list"]).variable("VAULT_FILE", &link).run().exits(6).stdout("").stderr(&told_older);
}

#[test]
fn a_longer_fork_is_refused() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let mut fork = forgery(&case);
    let mut file = first.bytes();
    first.save(7200);
    let remembered = first.state();
    for _ in 0..5 {
        fork = fork.saved_over(&file);
        file = fork.seal();
    }
    let told = |fork: &Forgery| {
        let found = state(fork);
        let told = format!(
            "the vault was saved on two sides: {found} does not contain {remembered}, which this machine remembers"
        );
        error_and_hint(&told, DECIDE)
    };
    refused(&case, &file, &told(&fork));
    let as_long = forgery_of(&case, &file).set("meta", "generation", 3);
    refused(&case, &as_long.seal(), &told(&as_long));
    let far = fork.set("meta", "generation", 3 + 1025);
    let found = state(&far);
    let told =
        format!("too many saves lie between {found} and {remembered}, which this machine remembers, to compare them");
    refused(&case, &far.seal(), &error_and_hint(&told, DECIDE));
}

fn forgery_of(case: &Case, file: &[u8]) -> Forgery {
    Forgery::of(file, &identity_in(&case.given("recovery.txt")))
}

#[test]
fn a_fork_signed_by_a_removed_reader_is_never_believed_again() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let bob = identity::generate();
    case.keep_secret("bob's identity", bob.expose());
    case.run(&["recipient", "add", "bob", &identity::recipient(&bob).unwrap()]).succeeds();
    let read_by_bob = first.bytes();
    let fork = Forgery::of(&read_by_bob, bob.expose());
    case.run(&["recipient", "remove", "bob", "--yes"]).succeeds();
    let (standing, remembered) = (first.bytes(), first.state());
    for fork in [fork.clone(), fork.clone().saved_over(&read_by_bob), fork.saved_over(&standing)] {
        let found = state(&fork);
        let told = format!("this file is signed with a key that was replaced: {found}; remembered is {remembered}");
        let hint = "bring the file from a machine that has the new keys; nothing of this one is believed any more";
        refused(&case, &fork.seal(), &error_and_hint(&told, hint));
        let mut terminal = first.trust();
        terminal.expect(hint);
        let (output, _) = terminal.finish();
        assert_eq!(screen(output.exits(6)), error_and_hint(&told, hint));
    }
}

/// The header up to its MAC, and the rest.
fn parts(case: &Case) -> (String, Vec<u8>) {
    let whole = fs::read(case.vault_file()).unwrap();
    let end = whole.windows(5).position(|window| window == b"\n--- ").unwrap();
    (String::from_utf8(whole[..end].to_vec()).unwrap(), whole[end..].to_vec())
}

fn by(case: &Case, passphrase: &str) -> Output {
    let file = case.give("tried", passphrase);
    case.vault(&["list", "--passphrase-file", file.to_str().unwrap()]).asking().run()
}

#[test]
fn another_salt_or_cost_in_the_header_is_named_before_and_after_the_passphrase() {
    let case = made_with_recovery_key();
    let (header, rest) = parts(&case);
    let warned = warning("salt or cost of the passphrase changed since this machine last opened the vault")
        + "vault: hint: a passphrase that was changed on another machine does that, and so does damage\n";
    let salt = header.split(' ').nth(2).unwrap();
    for changed in [header.replacen(salt, "AAECAwQFBgcICQoLDA0ODw", 1), header.replacen(" 65536 3 4", " 65536 1 1", 1)]
    {
        assert_ne!(changed, header);
        fs::write(case.vault_file(), [changed.as_bytes(), &rest].concat()).unwrap();
        let told =
            "the passphrase is right, but the vault is damaged: its header's line about the passphrase was changed";
        let right = format!("{warned}{}", error_and_hint(told, &way_back(&case)));
        by(&case, crate::program::PASSPHRASE).exits(6).stdout("").stderr(&right);
        let told = "wrong passphrase for `~/.local/share/vault/vault.age`";
        let hint = "forgotten? `vault passwd --identity FILE` makes a new one by the recovery key; `--identity FILE` opens the vault with it";
        by(&case, "quite another passphrase")
            .exits(3)
            .stdout("")
            .stderr(&format!("{warned}{}", error_and_hint(told, hint)));
        let mut terminal = case.vault(&["list"]).asking().on_terminal();
        terminal.expect("salt or cost of the passphrase changed").expect("Passphrase for ").press("\x03");
        terminal.finish().0.dies_of(Signal::INT);
    }
    // The line taken out, and there twice.
    let line = header.lines().find(|line| line.contains("argon2id")).unwrap();
    let without = header.replace(&format!("{line}\n\n"), "");
    assert_ne!(without, header);
    fs::write(case.vault_file(), [without.as_bytes(), &rest].concat()).unwrap();
    let told = error_and_hint("no passphrase opens this vault, only an identity", "pass `--identity FILE`");
    by(&case, crate::program::PASSPHRASE).exits(3).stdout("").stderr(&format!("{warned}{told}"));
    case.vault(&["list"]).asking().run().exits(3).stdout("").stderr(&format!("{warned}{told}"));
    let told = "the vault is damaged: its header was changed since it was written";
    case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(told, &way_back(&case)));
}

#[test]
fn a_header_that_its_writer_made_other_than_the_content_is_refused() {
    let case = made_with_recovery_key();
    let standing = fs::read(case.vault_file()).unwrap();
    let none = Forgery { kdf_lines: 0, ..forgery(&case) }.saved_over(&standing);
    let told = "the vault's header and content disagree about the passphrase";
    fs::write(case.vault_file(), none.seal()).unwrap();
    case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(told, &way_back(&case)));
    let two = Forgery { kdf_lines: 2, ..forgery_of(&case, &standing) };
    fs::write(case.vault_file(), two.seal()).unwrap();
    case.run(&["list"]).refuses(6, "the vault is damaged: ");
    let mut refused = case.vault(&["list"]).asking().on_terminal();
    refused.expect("the vault is damaged: ");
    refused.finish().0.exits(6);
}

#[test]
fn a_link_that_leads_to_another_known_vault_is_noticed() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let link = case.home().join("link.age");
    let (one, other) = (case.home().join("one/vault.age"), case.home().join("other/vault.age"));
    case.write(&one, 0o600, first.bytes());
    symlink(&one, &link).unwrap();
    let at = |path: &std::path::Path, arguments: &[&str]| case.vault(arguments).variable("VAULT_FILE", path).run();
    at(&link, &["list"]).succeeds();
    let init = ["init", "--kdf", "small", "--no-recovery"];
    let by_passphrase = |path: &std::path::Path, arguments: &[&str]| {
        let invocation = case.vault(arguments).asking().variable("VAULT_FILE", path);
        invocation.variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).run()
    };
    by_passphrase(&other, &init).succeeds();
    by_passphrase(&other, &["list"]).succeeds();
    fs::remove_file(&link).unwrap();
    symlink(&other, &link).unwrap();
    by_passphrase(&link, &["list"]).exits(6).stderr_has("another vault stands here: generation 1 of ");
    by_passphrase(&other, &["list"]).succeeds();
    fs::remove_file(&link).unwrap();
    symlink(&one, &link).unwrap();
    at(&link, &["list"]).succeeds();
}

#[test]
fn an_older_state_of_one_vault_in_the_place_of_another_is_not_trusted_by_its_fingerprint() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let (older, found, fingerprint) = (first.bytes(), first.state(), first.fingerprint());
    first.save(7200);
    let (newest, remembered) = (first.bytes(), first.state());
    let place = case.home().join("other/vault.age");
    let at = |arguments: &[&str]| first.by_passphrase(arguments).variable("VAULT_FILE", &place);
    at(&["init", "--kdf", "small", "--no-recovery"]).run().succeeds();
    for (bytes, accepted) in [(&older, false), (&newest, true)] {
        case.write(&place, 0o600, bytes);
        let mut terminal = at(&["trust"]).on_terminal();
        terminal.expect("Type the fingerprint").type_line(&fingerprint);
        let (output, _) = terminal.finish();
        if accepted {
            at(&["list"]).run().succeeds();
            continue;
        }
        let told = format!("an older state of the vault was put back: {found}; remembered is {remembered}");
        let hint = "this vault is known in another place: bring the file that stands there, or decide there first";
        assert!(screen(output.exits(6)).ends_with(&error_and_hint(&told, hint)), "{}", output.screen);
        assert_eq!(fs::read(&place).unwrap(), older);
    }
}
