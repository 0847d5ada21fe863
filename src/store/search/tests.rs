use super::*;
use crate::disk::RealDisk;
use crate::secret::{Passphrase, SecretAccessKey};
use crate::store::identity;
use crate::store::kdf::KdfParameters;
use crate::store::kept::Keep;
use crate::store::plugin::Plugins;
use crate::store::seal::seal;
use crate::store::vault::{NewVault, Stamp, Vault, create};
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const COPY: &str = "vault (conflicted copy 2026-01-01).age";

fn made() -> (tempfile::TempDir, PathBuf, Vault<'static>) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let new = NewVault {
        passphrase: Passphrase::new("correct horse".into()),
        kdf: KdfParameters::new([1; 16], 8192, 1, 2).unwrap(),
        memory: None,
        recovery: None,
        now: Timestamp::UNIX_EPOCH,
        writer: "host".into(),
    };
    let vault = create(&Place::new(&RealDisk, &path, &temporary.path().join("state")), new).unwrap();
    (temporary, path, vault)
}

fn key() -> StoredAccessKey {
    StoredAccessKey {
        id: ID.parse().unwrap(),
        secret: SecretAccessKey::new(SECRET.into()),
        user_arn: None,
        added: Timestamp::UNIX_EPOCH,
        created: None,
        verified: None,
        endpoint: None,
        rest: toml::Table::new(),
    }
}

fn with_key() -> Profile {
    Profile { access_key: Some(key()), ..Profile::default() }
}

/// The key is in the journal of its rotation, as its new or its old one.
fn with_journal(which: &str, key: toml::Value) -> Profile {
    let journal = toml::Table::from_iter([(which.to_owned(), key), ("state".to_owned(), "created".into())]);
    Profile { rest: toml::Table::from_iter([(Profile::ROTATION.to_owned(), journal.into())]), ..Profile::default() }
}

fn stored() -> toml::Value {
    toml::Value::try_from(key()).unwrap()
}

fn put(vault: &mut Vault, keep: Keep, profile: &Profile) {
    let stamp = Stamp { now: Timestamp::UNIX_EPOCH, writer: "host".into(), log: None };
    let put = vault.edit_keeping(keep, &stamp, |document| {
        document.profiles.insert("prod".parse().unwrap(), profile.clone());
        Ok::<(), ()>(())
    });
    put.unwrap();
}

fn copy(path: &Path) {
    fs::copy(path, path.with_file_name(COPY)).unwrap();
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Found,
    NotFound,
    Unknown,
}

fn search_by(vault: &Vault, id: &str) -> Told {
    match vault.secrets_of(&id.parse().unwrap()) {
        Search::Found(key) => {
            assert_eq!((key.id.as_str(), key.secret.expose()), (ID, SECRET));
            Told::Found
        }
        Search::NotFound => Told::NotFound,
        Search::Unknown => Told::Unknown,
    }
}

#[test]
fn a_key_of_an_earlier_generation_is_found_and_no_other() {
    let (_temporary, _path, mut vault) = made();
    assert_eq!(search_by(&vault, ID), Told::NotFound);
    put(&mut vault, Keep::Nothing, &with_key());
    assert_eq!(search_by(&vault, ID), Told::NotFound);
    put(&mut vault, Keep::Predecessor, &Profile::default());
    assert_eq!(search_by(&vault, ID), Told::Found);
    assert_eq!(search_by(&vault, "AKIAI44QH8DHBEXAMPLE"), Told::NotFound);
}

#[test]
fn a_key_in_the_journal_of_a_conflicted_copy_is_found() {
    for which in ["new", "old"] {
        let (_temporary, path, mut vault) = made();
        put(&mut vault, Keep::Nothing, &with_journal(which, stored()));
        copy(&path);
        put(&mut vault, Keep::Nothing, &Profile::default());
        assert_eq!(search_by(&vault, ID), Told::Found, "{which}");
    }
}

#[test]
fn a_key_in_what_a_killed_save_left_is_found_and_half_of_one_tells_nothing() {
    let (_temporary, path, mut vault) = made();
    let old = fs::read(&path).unwrap();
    put(&mut vault, Keep::Nothing, &with_journal("new", stored()));
    let left = path.with_file_name(".vault.age.0123456789abcdef.tmp");
    fs::rename(&path, &left).unwrap();
    fs::write(&path, old).unwrap();
    assert_eq!(search_by(&vault, ID), Told::Found);
    let whole = fs::read(&left).unwrap();
    fs::write(&left, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(search_by(&vault, ID), Told::Unknown);
}

#[test]
fn a_file_that_does_not_open_leaves_it_open_whether_the_key_is_in_it() {
    let (_temporary, path, mut vault) = made();
    put(&mut vault, Keep::Nothing, &with_key());
    let damaged = path.with_file_name("vault.age.g1-00000000");
    fs::write(&damaged, b"age-encryption.org/v1\n").unwrap();
    assert_eq!(search_by(&vault, ID), Told::Unknown);
    vault.keep_standing().unwrap();
    assert_eq!(search_by(&vault, ID), Told::Found);
    fs::remove_file(damaged).unwrap();
    assert_eq!(search_by(&vault, "AKIAI44QH8DHBEXAMPLE"), Told::NotFound);
}

#[test]
fn what_another_key_signed_is_not_believed_and_not_passed_over() {
    let (_temporary, path, vault) = made();
    let mut forged = vault.document().clone();
    forged.replace_keys(identity::generate()).unwrap();
    forged.profiles.insert("prod".parse().unwrap(), with_key());
    fs::write(path.with_file_name(COPY), seal(&forged, &Plugins::none()).unwrap()).unwrap();
    assert_eq!(search_by(&vault, ID), Told::Unknown);
}

#[test]
fn a_key_of_a_form_that_is_not_known_is_no_key_that_is_not_there() {
    let (_temporary, path, mut vault) = made();
    let id_alone = toml::Table::from_iter([("id".to_owned(), ID.into())]);
    put(&mut vault, Keep::Nothing, &with_journal("new", id_alone.into()));
    copy(&path);
    assert_eq!(search_by(&vault, ID), Told::Unknown);
    assert_eq!(search_by(&vault, "AKIAI44QH8DHBEXAMPLE"), Told::NotFound);
}
