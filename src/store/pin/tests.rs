use super::*;
use crate::store::document::{Recipient, RecipientKind};
use crate::store::identity;

const HASH: [u8; 32] = [1; 32];

fn document() -> Document {
    let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".into(), identity::generate()).unwrap();
    document.meta.generation = 5;
    document
}

/// What `base` becomes when it is saved over the file with this hash.
fn successor(base: &Document, over: &[u8; 32]) -> Document {
    let mut next = base.clone();
    next.meta.generation += 1;
    next.meta.descend_from(over);
    next
}

fn place() -> Vec<PathBuf> {
    vec!["/home/alice/vault.age".into(), "/synced/vault.age".into()]
}

fn pinned(document: &Document) -> Vec<Pin> {
    vec![Pin::of(document, &HASH, place()).unwrap()]
}

fn verdict(pins: &[Pin], document: &Document, hash: &[u8; 32]) -> Verdict {
    judge(pins, &place(), document, hash).unwrap()
}

fn reason(pins: &[Pin], document: &Document) -> Reason {
    match verdict(pins, document, &[9; 32]) {
        Verdict::Distrusted(distrust) => distrust.reason,
        other => panic!("{other:?}"),
    }
}

const KNOWN: Verdict = Verdict::Known(RecipientChange { added: Vec::new(), removed: 0, passphrase: false });

#[test]
fn the_remembered_file_and_what_was_saved_over_it_are_known() {
    let base = document();
    let pins = pinned(&base);
    assert_eq!(verdict(&pins, &base, &HASH), KNOWN);
    let next = successor(&base, &HASH);
    assert_eq!(verdict(&pins, &next, &[2; 32]), KNOWN);
    assert_eq!(verdict(&pins, &successor(&next, &[2; 32]), &[3; 32]), KNOWN);
}

#[test]
fn a_vault_that_was_never_seen_in_a_place_where_none_was_is_seen_for_the_first_time() {
    assert_eq!(verdict(&[], &document(), &HASH), Verdict::FirstSight);
    let elsewhere = [Pin { places: vec!["/usb/vault.age".into()], ..pinned(&document()).remove(0) }];
    assert_eq!(verdict(&elsewhere, &document(), &HASH), Verdict::FirstSight);
}

#[test]
fn a_forged_vault_with_a_new_id_is_refused_at_a_known_place_by_either_of_its_paths() {
    let pins = pinned(&document());
    assert_eq!(reason(&pins, &document()), Reason::AnotherVault);
    for path in place() {
        let judged = judge(&pins, &[path], &document(), &HASH).unwrap();
        assert!(matches!(judged, Verdict::Distrusted(distrust) if distrust.reason == Reason::AnotherVault));
    }
}

#[test]
fn another_known_vault_is_refused_where_this_one_stood() {
    let (here, other) = (document(), document());
    let mut pins = pinned(&here);
    pins.push(Pin::of(&other, &[2; 32], vec!["/elsewhere".into()]).unwrap());
    assert!(
        matches!(verdict(&pins, &other, &[2; 32]), Verdict::Distrusted(distrust) if distrust.reason == Reason::AnotherVault)
    );
}

#[test]
fn a_vault_that_is_known_from_another_place_is_held_to_what_was_seen_there() {
    let base = document();
    let pins = [Pin { places: vec!["/usb/vault.age".into()], ..pinned(&base).remove(0) }];
    assert_eq!(verdict(&pins, &base, &HASH), KNOWN);
    assert_eq!(verdict(&pins, &successor(&base, &HASH), &[2; 32]), KNOWN);
    assert_eq!(reason(&pins, &base), Reason::Forked);
}

#[test]
fn a_spliced_vault_of_the_same_id_and_another_signing_key_is_refused() {
    let base = document();
    let mut spliced = successor(&base, &HASH);
    spliced.replace_keys(identity::generate()).unwrap();
    assert_eq!(reason(&pinned(&base), &spliced), Reason::NewSigningKey);
}

#[test]
fn a_signing_key_that_was_seen_replaced_is_told_apart_from_a_new_one() {
    let base = document();
    let mut pin = pinned(&base).remove(0);
    pin.replaced_keys = vec![std::mem::replace(&mut pin.signing_key, "other".into())];
    assert_eq!(reason(&[pin], &successor(&base, &HASH)), Reason::ReplacedSigningKey);
}

#[test]
fn an_older_file_is_a_rollback_and_one_of_another_branch_a_fork_however_long() {
    let base = document();
    let later = successor(&successor(&base, &[7; 32]), &[8; 32]);
    let pins = [Pin::of(&later, &HASH, place()).unwrap()];
    assert_eq!(reason(&pins, &base), Reason::RolledBack);
    let mut branch = successor(&base, &[7; 32]);
    branch.meta.generation = later.meta.generation;
    assert_eq!(reason(&pins, &branch), Reason::Forked);
    branch.meta.generation += MAX_ANCESTORS as u64;
    assert_eq!(reason(&pins, &branch), Reason::Forked);
    branch.meta.generation += 1;
    assert_eq!(reason(&pins, &branch), Reason::TooLongAgo);
}

#[test]
fn recipients_that_are_new_or_gone_are_told_and_their_text_is_not_remembered() {
    let mut base = document();
    let recipient = |name: &str| {
        let text = identity::recipient(&identity::generate()).unwrap();
        Recipient::new(name, RecipientKind::X25519, text, Timestamp::UNIX_EPOCH, "host")
    };
    base.recipients = vec![recipient("one"), recipient("two")];
    let pins = pinned(&base);
    assert!(!toml::to_string(&pins[0]).unwrap().contains("age1"));
    let mut next = successor(&base, &HASH);
    next.recipients.remove(0);
    next.recipients.push(recipient("three"));
    let added =
        vec![Added { name: "three".into(), is_passphrase: false, on: Timestamp::UNIX_EPOCH, by: Some("host".into()) }];
    assert_eq!(
        verdict(&pins, &next, &[2; 32]),
        Verdict::Known(RecipientChange { added, removed: 1, passphrase: false })
    );
}
