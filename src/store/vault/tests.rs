use super::*;
use crate::disk::RealDisk;
use crate::secret::Passphrase;
use crate::store::document::Profile;
use crate::store::file::LoadError;
use crate::store::header::HeaderError;
use crate::store::identity;
use crate::store::recovery::RecoveryKey;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

fn place(path: &Path) -> Place<'static> {
    Place::new(&RealDisk, path, &state(path))
}

/// Beside the vault, unlike in life: each test has its own.
fn state(path: &Path) -> PathBuf {
    path.with_file_name("state")
}

fn new(recovery: Option<String>) -> NewVault {
    NewVault {
        passphrase: passphrase(),
        kdf: KdfParameters::new([1; 16], 8192, 1, 2).unwrap(),
        memory: None,
        recovery,
        now: Timestamp::UNIX_EPOCH,
        writer: "host".into(),
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".into())
}

fn stamp() -> Stamp {
    Stamp { now: "2026-01-01T00:00:00Z".parse().unwrap(), writer: "laptop".into(), log: None }
}

fn made() -> (tempfile::TempDir, PathBuf, Vault<'static>) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let vault = create(&place(&path), new(None)).unwrap();
    (temporary, path, vault)
}

fn reopened(path: &Path, vault: &Vault) -> Vault<'static> {
    open_known(path, Key::Opener(vault.opener())).unwrap()
}

fn open_known(path: &Path, key: Key) -> Result<Vault<'static>, OpenError> {
    open(&place(path), &place(path).load().unwrap(), key).map(|opened| opened.known().expect("known"))
}

fn add(name: &str) -> impl FnMut(&mut Document) -> Result<(), Infallible> {
    let name: crate::names::ProfileName = name.parse().unwrap();
    move |document| {
        document.profiles.insert(name.clone(), Profile::default());
        Ok(())
    }
}

fn profiles(vault: &Vault) -> Vec<String> {
    vault.document().profiles.keys().map(ToString::to_string).collect()
}

#[test]
fn a_new_vault_opens_by_its_passphrase_and_by_its_recovery_key_and_by_nothing_else() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("made/on/the/way/vault.age");
    let recovery = RecoveryKey::generate();
    let created = create(&place(&path), new(Some(recovery.recipient))).unwrap();
    for key in [Key::Passphrase(&passphrase(), None), Key::Identity(&recovery.identity), Key::Opener(created.opener())]
    {
        let opened = open_known(&path, key).unwrap();
        assert_eq!(opened.version(), created.version());
        assert_eq!(opened.document().meta.vault_id, created.document().meta.vault_id);
        assert!(matches!(opened.warnings(), [Warning::WeakKdf(_)]));
    }
    let wrong = Passphrase::new("correct horsf".into());
    let refused = open_known(&path, Key::Passphrase(&wrong, None)).err();
    assert!(matches!(refused, Some(OpenError::WrongPassphrase)));
    let stranger = identity::generate();
    let refused = open_known(&path, Key::Identity(&stranger)).err();
    assert!(matches!(refused, Some(OpenError::Unseal(UnsealError::WrongIdentity))));
}

#[test]
fn a_vault_is_never_made_over_something_that_stands_there() {
    let (_temporary, path, vault) = made();
    let before = fs::read(&path).unwrap();
    assert!(matches!(create(&place(&path), new(None)), Err(CreateError::Exists)));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(reopened(&path, &vault).version(), vault.version());
}

#[test]
fn of_several_who_make_the_same_vault_at_once_one_does() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let start = std::sync::Barrier::new(4);
    let make = || {
        start.wait();
        create(&place(&path), new(None))
    };
    let made: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    let (winners, losers): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert!(losers.iter().all(|loser| matches!(loser, Err(CreateError::Exists))));
    let [Ok(winner)] = &winners[..] else { panic!("{} made it", winners.len()) };
    assert_eq!(reopened(&path, winner).document().meta.vault_id, winner.document().meta.vault_id);
}

#[test]
fn a_vault_that_was_put_aside_opens_again_as_it_stands_by_then_and_not_as_it_stood_before() {
    let (_temporary, path, mut vault) = made();
    let first = fs::read(&path).unwrap();
    vault.edit(&stamp(), add("one")).unwrap();
    let mut other = reopened(&path, &vault);
    let aside = vault.close();
    assert_eq!(profiles(&aside.open().unwrap()), ["one"]);
    other.edit(&stamp(), add("two")).unwrap();
    assert_eq!(profiles(&aside.open().unwrap()), ["one", "two"]);
    fs::write(&path, &first).unwrap();
    assert!(matches!(aside.open(), Err(ReopenError::Diverged)));
    fs::remove_file(&path).unwrap();
    assert!(matches!(aside.open(), Err(ReopenError::Load(LoadError::Gone(_)))));
    create(&place(&path), new(None)).unwrap();
    // Made by the same passphrase and salt, so that the identity opens it.
    assert!(matches!(aside.open(), Err(ReopenError::AnotherVault)));
}

#[test]
fn what_is_no_age_recipient_does_not_become_a_recovery_key() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let refused = create(&place(&path), new(Some("age1nonsense".into()))).err();
    assert!(matches!(refused, Some(CreateError::Recovery(_))));
    assert!(!path.exists());
}

#[test]
fn an_edit_is_saved_as_the_next_generation_and_costs_no_derivation() {
    let (_temporary, path, mut vault) = made();
    let first = vault.version().clone();
    vault.edit(&stamp(), add("prod")).unwrap();
    let opened = reopened(&path, &vault);
    assert_eq!(opened.version(), vault.version());
    assert_eq!(profiles(&opened), ["prod"]);
    let meta = &opened.document().meta;
    assert_eq!((meta.generation, meta.writer.as_str(), meta.written_at), (2, "laptop", stamp().now));
    assert!(meta.has_ancestor(&first.hash));
    assert!(open_known(&path, Key::Passphrase(&passphrase(), None)).is_ok());
}

#[test]
fn an_edit_that_says_no_changes_nothing() {
    let (_temporary, path, mut vault) = made();
    let before = (fs::read(&path).unwrap(), vault.version().clone());
    let refused: Result<(), _> = vault.edit(&stamp(), |document| {
        document.profiles.clear();
        Err("no")
    });
    assert!(matches!(refused, Err(EditError::Refused("no"))));
    assert_eq!((fs::read(&path).unwrap(), vault.version().clone()), before);
}

#[test]
fn an_edit_has_no_say_in_the_generation_or_in_whose_vault_it_is() {
    let (_temporary, _path, mut vault) = made();
    let id = vault.document().meta.vault_id.clone();
    let meddle = |document: &mut Document| -> Result<(), Infallible> {
        document.meta.vault_id = "other".into();
        document.meta.generation = 99;
        Ok(())
    };
    vault.edit(&stamp(), meddle).unwrap();
    assert_eq!((&vault.document().meta.vault_id, vault.version().generation), (&id, 2));
}

#[test]
fn of_two_programs_that_save_neither_loses_its_change() {
    let (_temporary, path, mut one) = made();
    let mut other = reopened(&path, &one);
    one.edit(&stamp(), add("one")).unwrap();
    other.edit(&stamp(), add("other")).unwrap();
    one.edit(&stamp(), add("third")).unwrap();
    assert_eq!(profiles(&reopened(&path, &one)), ["one", "other", "third"]);
    assert_eq!(one.version().generation, 4);
}

#[test]
fn many_savers_at_once_lose_nothing() {
    let (_temporary, path, vault) = made();
    std::thread::scope(|scope| {
        for saver in 0..4 {
            let (path, mut vault) = (path.clone(), reopened(&path, &vault));
            scope.spawn(move || {
                for change in 0..5 {
                    vault.edit(&stamp(), add(&format!("{saver}/{change}"))).unwrap();
                    assert!(!reopened(&path, &vault).document().profiles.is_empty());
                }
            });
        }
    });
    let last = reopened(&path, &vault);
    assert_eq!((last.document().profiles.len(), last.version().generation), (20, 21));
}

#[test]
fn another_vault_in_the_same_place_is_not_saved_over() {
    let (_temporary, path, mut vault) = made();
    fs::remove_file(&path).unwrap();
    create(&place(&path), new(None)).unwrap();
    let standing = fs::read(&path).unwrap();
    let refused = vault.edit(&stamp(), add("prod"));
    assert!(matches!(refused, Err(EditError::NotCommitted(NotCommitted::AnotherVault))));
    assert_eq!(fs::read(&path).unwrap(), standing);
}

#[test]
fn a_file_that_was_put_back_is_not_saved_over() {
    let (_temporary, path, mut vault) = made();
    let older = fs::read(&path).unwrap();
    vault.edit(&stamp(), add("prod")).unwrap();
    fs::write(&path, &older).unwrap();
    let refused = vault.edit(&stamp(), add("more"));
    assert!(matches!(refused, Err(EditError::NotCommitted(NotCommitted::Diverged))));
    assert_eq!(fs::read(&path).unwrap(), older);
}

#[test]
fn a_file_that_is_gone_or_damaged_is_not_saved_over() {
    let (_temporary, path, mut vault) = made();
    fs::write(&path, b"age-encryption.org/v1\n").unwrap();
    let damaged = vault.edit(&stamp(), add("prod"));
    assert!(matches!(damaged, Err(EditError::NotCommitted(NotCommitted::Changed(UnsealError::Header(_))))));
    fs::remove_file(&path).unwrap();
    let gone = vault.edit(&stamp(), add("prod"));
    assert!(matches!(gone, Err(EditError::NotCommitted(NotCommitted::Save(SaveError::Load(_))))));
    assert!(!path.exists());
}

#[test]
fn what_would_not_open_again_is_not_saved() {
    let (_temporary, path, mut vault) = made();
    let before = fs::read(&path).unwrap();
    let lock_out = |document: &mut Document| -> Result<(), Infallible> {
        document.recipients[0].recipient = RecoveryKey::generate().recipient;
        Ok(())
    };
    let refused = vault.edit(&stamp(), lock_out);
    assert!(matches!(refused, Err(EditError::NotCommitted(NotCommitted::Proof(UnsealError::WrongIdentity)))));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_header_of_hostile_costs_is_refused_before_the_passphrase_is_derived() {
    let (_temporary, path, _vault) = made();
    let file = fs::read(&path).unwrap();
    let end = file.windows(11).position(|window| window == b" 8192 1 2\n\n").unwrap();
    let hostile = [&file[..end], b" 2097152 16 16", &file[end + 9..]].concat();
    fs::write(&path, hostile).unwrap();
    let refused = open_known(&path, Key::Passphrase(&passphrase(), None)).err();
    assert!(matches!(refused, Some(OpenError::Unseal(UnsealError::Header(HeaderError::Kdf(_))))));
}

#[test]
fn copies_of_a_conflict_beside_the_vault_are_told() {
    let (temporary, path, vault) = made();
    let copy = "vault (conflicted copy 2026-01-01).age";
    fs::write(temporary.path().join(copy), b"").unwrap();
    let opened = reopened(&path, &vault);
    let told = |warning: &Warning| matches!(warning, Warning::ConflictedCopies(copies) if copies == &[copy]);
    assert!(opened.warnings().iter().any(told));
}

/// With a rotation in this state.
fn rotating(state: &str) -> impl FnMut(&mut Document) -> Result<(), Infallible> {
    let journal: toml::Table = [("state".to_owned(), state.into())].into_iter().collect();
    move |document| {
        let rest = [(Profile::ROTATION.to_owned(), journal.clone().into())].into_iter().collect();
        document.profiles.insert("prod".parse().unwrap(), Profile { rest, ..Profile::default() });
        Ok(())
    }
}

#[test]
fn while_a_key_may_be_missing_no_save_removes_what_a_killed_one_left_but_new_keys_do() {
    let (_temporary, path, mut vault) = made();
    let left = path.with_file_name(".vault.age.0123456789abcdef.tmp");
    let leave = || fs::write(&left, b"of a save").unwrap();
    leave();
    vault.edit(&stamp(), rotating("intended")).unwrap();
    assert!(!left.exists(), "it is from before the intent");
    leave();
    vault.edit(&stamp(), add("other")).unwrap();
    assert!(left.exists());
    vault.edit(&stamp(), rotating("created")).unwrap();
    assert!(left.exists(), "a power cut may undo the save that has the key");
    vault.edit(&stamp(), add("later")).unwrap();
    assert!(!left.exists());
    vault.edit(&stamp(), rotating("intended")).unwrap();
    leave();
    vault.rekey(Rekey::default(), &stamp(), |_| Ok::<_, Infallible>(())).unwrap();
    assert!(!left.exists());
}

/// Generations that are kept beside it, and their bytes.
fn kept(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut kept: Vec<_> = place(path).kept_files().unwrap();
    kept.sort();
    kept.into_iter().map(|(number, name)| (number, fs::read(path.with_file_name(name)).unwrap())).collect()
}

#[test]
fn a_save_that_keeps_nothing_leaves_the_kept_files_as_they_were() {
    let (_temporary, path, mut vault) = made();
    vault.edit(&stamp(), add("kept")).unwrap();
    let before = kept(&path);
    assert_eq!(before.len(), 1);
    for name in ["a", "b", "c"] {
        vault.edit_keeping(Keep::Nothing, &stamp(), add(name)).unwrap();
    }
    assert_eq!(kept(&path), before);
    assert_eq!(profiles(&reopened(&path, &vault)), ["a", "b", "c", "kept"]);
    let fifth = fs::read(&path).unwrap();
    vault.edit(&stamp(), add("d")).unwrap();
    assert_eq!(kept(&path)[1..], [(5, fifth)]);
}

#[test]
fn the_file_that_stands_is_kept_once_however_often_that_is_asked() {
    let (_temporary, path, mut vault) = made();
    let standing = fs::read(&path).unwrap();
    for _ in 0..2 {
        vault.keep_standing().unwrap();
        assert_eq!(kept(&path), [(1, standing.clone())]);
        assert_eq!(reopened(&path, &vault).version(), vault.version());
        assert!(vault.history().unwrap().is_empty(), "what stands is no earlier generation");
    }
    vault.edit(&stamp(), add("prod")).unwrap();
    assert_eq!(kept(&path), [(1, standing)]);
    assert_eq!(vault.history().unwrap().len(), 1);
}

#[test]
fn a_folder_that_can_not_be_listed_is_not_one_without_earlier_generations() {
    let (_temporary, path, vault) = made();
    let folder = path.parent().unwrap();
    fs::rename(folder, folder.with_extension("moved")).unwrap();
    assert!(vault.history().is_err());
    fs::rename(folder.with_extension("moved"), folder).unwrap();
    assert!(vault.history().unwrap().is_empty());
}

#[test]
fn what_is_kept_is_what_stands_also_when_another_program_saved_it() {
    let (_temporary, path, mut one) = made();
    reopened(&path, &one).edit_keeping(Keep::Nothing, &stamp(), add("others")).unwrap();
    one.keep_standing().unwrap();
    assert_eq!(kept(&path), [(2, fs::read(&path).unwrap())]);
    assert_eq!(profiles(&one), ["others"]);
}

#[test]
fn a_file_that_was_put_back_is_not_kept_as_what_was_saved() {
    let (_temporary, path, mut vault) = made();
    let older = fs::read(&path).unwrap();
    vault.edit_keeping(Keep::Nothing, &stamp(), add("prod")).unwrap();
    fs::write(&path, &older).unwrap();
    assert!(matches!(vault.keep_standing(), Err(NotCommitted::Diverged)));
    assert_eq!(kept(&path), []);
}

#[test]
fn only_the_very_file_that_was_read_is_made_durable() {
    let (_temporary, path, vault) = made();
    vault.make_durable().unwrap();
    reopened(&path, &vault).edit(&stamp(), add("others")).unwrap();
    assert_eq!(vault.make_durable().unwrap_err().to_string(), "another file stands there now");
    fs::remove_file(&path).unwrap();
    assert_eq!(vault.make_durable().unwrap_err().kind(), io::ErrorKind::NotFound);
}
