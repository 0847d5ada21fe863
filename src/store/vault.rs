//! An opened vault: what it holds, what opened it, and the one way to change it.

use std::io;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::document::{Document, Recipient, RecipientKind};
use super::file::{LoadError, Loaded, Locked, Place, SaveError, Saved};
use super::header::HeaderError;
use super::identity;
use super::kdf::KdfParameters;
use super::passphrase::{self, DeriveError};
use super::seal::{SealError, UnsealError, seal, unseal};
use crate::disk::Status;
use crate::secret::{IdentityText, Passphrase};

/// The document in memory, and all it takes to save it again: no passphrase, no derivation.
pub struct Vault<'d> {
    place: Place<'d>,
    identity: IdentityText,
    document: Document,
    version: Version,
    warnings: Vec<Warning>,
}

/// Which file a document was read from or saved as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub generation: u64,
    pub hash: [u8; 32],
    pub status: Status,
}

/// What opens a vault.
pub enum Key<'a> {
    Passphrase(&'a Passphrase),
    Identity(&'a IdentityText),
}

/// What a user should hear about a vault that opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Easier to guess than the vaults that are made today.
    WeakKdf(KdfParameters),
    /// Their names, beside the vault.
    ConflictedCopies(Vec<String>),
    /// It belongs to the administrator: reading works, saving will not.
    ReadOnly,
}

#[derive(Debug, Error)]
pub enum OpenError {
    #[error("wrong passphrase")]
    WrongPassphrase,
    #[error("no passphrase opens this vault, only an identity")]
    NoPassphrase,
    #[error(transparent)]
    Derive(#[from] DeriveError),
    #[error(transparent)]
    Unseal(#[from] UnsealError),
}

impl From<HeaderError> for OpenError {
    fn from(error: HeaderError) -> Self {
        Self::Unseal(error.into())
    }
}

/// Opens what was loaded from `place`.
pub fn open<'d>(place: &Place<'d>, loaded: &Loaded, key: Key) -> Result<Vault<'d>, OpenError> {
    let (identity, document) = match key {
        Key::Identity(identity) => (identity.clone(), unseal(&loaded.bytes, identity)?),
        Key::Passphrase(passphrase) => {
            let kdf = loaded.kdf()?.ok_or(OpenError::NoPassphrase)?;
            let identity = passphrase::derive(passphrase, &kdf)?;
            let document = unseal(&loaded.bytes, &identity).map_err(|error| match error {
                UnsealError::WrongIdentity => OpenError::WrongPassphrase,
                other => OpenError::Unseal(other),
            })?;
            (identity, document)
        }
    };
    let version = Version { generation: document.meta.generation, hash: loaded.hash, status: loaded.status };
    let warnings = warnings(place, &document, &loaded.status);
    Ok(Vault { place: place.clone(), identity, document, version, warnings })
}

fn warnings(place: &Place, document: &Document, status: &Status) -> Vec<Warning> {
    let weak = document.kdf().filter(|kdf| passphrase::is_weak(kdf)).map(|kdf| Warning::WeakKdf(*kdf));
    let copies = Some(place.conflicted_copies()).filter(|copies| !copies.is_empty()).map(Warning::ConflictedCopies);
    let read_only = (!status.ours()).then_some(Warning::ReadOnly);
    [weak, copies, read_only].into_iter().flatten().collect()
}

/// A vault put aside while a person is waited for: the one key that opens it again, and nothing of what it holds.
pub struct Closed<'d> {
    place: Place<'d>,
    identity: IdentityText,
    vault_id: String,
    hash: [u8; 32],
}

/// Why a vault that was put aside can't be taken up again.
#[derive(Debug, Error)]
pub enum ReopenError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    #[error("another vault stands there now")]
    AnotherVault,
    #[error("the file was put back to another state")]
    Diverged,
}

impl<'d> Closed<'d> {
    /// Opens what stands there now: the same generation or a later one.
    pub fn open(&self) -> Result<Vault<'d>, ReopenError> {
        let loaded = self.place.load()?;
        let document = unseal(&loaded.bytes, &self.identity)?;
        if document.meta.vault_id != self.vault_id {
            return Err(ReopenError::AnotherVault);
        }
        if loaded.hash != self.hash && !document.meta.has_ancestor(&self.hash) {
            return Err(ReopenError::Diverged);
        }
        let version = Version { generation: document.meta.generation, hash: loaded.hash, status: loaded.status };
        Ok(Vault {
            place: self.place.clone(),
            identity: self.identity.clone(),
            document,
            version,
            warnings: Vec::new(),
        })
    }
}

/// Who saves, and when.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub now: Timestamp,
    /// This machine's name.
    pub writer: String,
}

/// What a new vault is made of.
pub struct NewVault {
    pub passphrase: Passphrase,
    /// From [`passphrase::Cost::parameters`].
    pub kdf: KdfParameters,
    /// The public half of a recovery key.
    pub recovery: Option<String>,
    pub now: Timestamp,
    pub writer: String,
}

#[derive(Debug, Error)]
pub enum CreateError {
    #[error("something stands there already")]
    Exists,
    #[error("not an age recipient: `{0}`")]
    Recovery(String),
    #[error(transparent)]
    Derive(#[from] DeriveError),
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The new file would not have opened.
    #[error("the sealed file does not open: {0}")]
    Proof(UnsealError),
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The vault stands, but a power cut may undo that.
    #[error("not yet durable: {0}")]
    NotDurable(io::Error),
}

/// Makes a vault where nothing stands.
pub fn create<'d>(place: &Place<'d>, new: NewVault) -> Result<Vault<'d>, CreateError> {
    if place.exists().map_err(SaveError::Io)? {
        return Err(CreateError::Exists);
    }
    let identity = passphrase::derive(&new.passphrase, &new.kdf)?;
    let document = first_document(&new, &identity)?;
    let file = seal(&document)?;
    let document = unseal(&file, &identity).map_err(CreateError::Proof)?;
    place.make_folder().map_err(SaveError::Io)?;
    let locked = place.lock()?;
    if !locked.is_free().map_err(SaveError::Io)? {
        return Err(CreateError::Exists);
    }
    let status = match locked.commit(None, &file, new.now) {
        Saved::Committed(status) => status,
        Saved::NotCommitted(error) => return Err(error.into()),
        Saved::CommittedNotDurable(_, error) => return Err(CreateError::NotDurable(error)),
    };
    let version = Version { generation: document.meta.generation, hash: Sha256::digest(&file).into(), status };
    let warnings = warnings(place, &document, &status);
    Ok(Vault { place: place.clone(), identity, document, version, warnings })
}

fn first_document(new: &NewVault, identity: &IdentityText) -> Result<Document, CreateError> {
    let mut document = Document::new(new.now, new.writer.clone(), identity::generate()).map_err(SealError::from)?;
    document.meta.generation = 1;
    let recipient = |name: &str, kind, recipient, kdf| Recipient {
        name: name.to_owned(),
        kind,
        recipient,
        added: new.now,
        kdf,
        rest: toml::Table::new(),
    };
    let public = identity::recipient(identity).expect("derive makes age identities");
    document.recipients.push(recipient("passphrase", RecipientKind::Passphrase, public, Some(new.kdf)));
    if let Some(recovery) = &new.recovery {
        if !identity::is_recipient(recovery) {
            return Err(CreateError::Recovery(recovery.clone()));
        }
        document.recipients.push(recipient("recovery", RecipientKind::Recovery, recovery.clone(), None));
    }
    Ok(document)
}

/// Why an edit did not end as it should.
#[derive(Debug, Error)]
pub enum EditError<E> {
    /// By the edit itself; nothing was saved.
    #[error("the change was refused")]
    Refused(E),
    /// Nothing was saved; the old file stands.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
    /// Saved and in force, but a power cut may undo it.
    #[error("not yet durable: {0}")]
    NotDurable(io::Error),
}

#[derive(Debug, Error)]
pub enum NotCommitted {
    #[error(transparent)]
    Save(#[from] SaveError),
    /// Another program saved meanwhile, and what it saved does not open.
    #[error("the file changed and no longer opens: {0}")]
    Changed(UnsealError),
    /// Another vault stands there now.
    #[error("another vault stands there now")]
    AnotherVault,
    /// The file is not a successor of the one that was opened: an older one was put back, or another branch of it.
    #[error("the file was put back to another state")]
    Diverged,
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The new file would not have opened.
    #[error("the sealed file does not open: {0}")]
    Proof(UnsealError),
}

impl<'d> Vault<'d> {
    /// Forgets the document; the caller is about to wait for a person.
    pub fn close(self) -> Closed<'d> {
        Closed {
            place: self.place,
            identity: self.identity,
            vault_id: self.document.meta.vault_id,
            hash: self.version.hash,
        }
    }
}

impl Vault<'_> {
    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What opened it.
    pub fn identity(&self) -> &IdentityText {
        &self.identity
    }

    /// Changes the document and saves it. The edit is applied to what stands in the file now, which another program may have
    /// saved since this vault was opened: it must look for itself whether it still makes sense.
    pub fn edit<T, E>(
        &mut self,
        stamp: &Stamp,
        mut edit: impl FnMut(&mut Document) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        let locked = self.place.lock().map_err(NotCommitted::from)?;
        let standing = locked.load().map_err(NotCommitted::from)?;
        self.catch_up(&standing)?;
        let mut next = self.document.clone();
        let value = edit(&mut next).map_err(EditError::Refused)?;
        self.succeed(&mut next, stamp);
        self.save(&locked, &standing, next, stamp)?;
        Ok(value)
    }

    fn catch_up(&mut self, standing: &Loaded) -> Result<(), NotCommitted> {
        if standing.hash != self.version.hash {
            let document = unseal(&standing.bytes, &self.identity).map_err(NotCommitted::Changed)?;
            if document.meta.vault_id != self.document.meta.vault_id {
                return Err(NotCommitted::AnotherVault);
            }
            if !document.meta.has_ancestor(&self.version.hash) {
                return Err(NotCommitted::Diverged);
            }
            self.document = document;
        }
        self.version =
            Version { generation: self.document.meta.generation, hash: standing.hash, status: standing.status };
        Ok(())
    }

    /// An edit has no say in what tells generations apart.
    fn succeed(&self, next: &mut Document, stamp: &Stamp) {
        next.meta = self.document.meta.clone();
        next.meta.generation += 1;
        next.meta.written_at = stamp.now;
        next.meta.writer.clone_from(&stamp.writer);
        next.meta.descend_from(&self.version.hash);
    }

    fn save<E>(
        &mut self,
        locked: &Locked,
        standing: &Loaded,
        next: Document,
        stamp: &Stamp,
    ) -> Result<(), EditError<E>> {
        let file = seal(&next).map_err(NotCommitted::from)?;
        // The last moment at which a file that doesn't open costs nothing.
        let next = unseal(&file, &self.identity).map_err(NotCommitted::Proof)?;
        let (status, outcome) = match locked.commit(Some((standing, self.version.generation)), &file, stamp.now) {
            Saved::NotCommitted(error) => return Err(NotCommitted::from(error).into()),
            Saved::Committed(status) => (status, Ok(())),
            Saved::CommittedNotDurable(status, error) => (status, Err(EditError::NotDurable(error))),
        };
        self.version = Version { generation: next.meta.generation, hash: Sha256::digest(&file).into(), status };
        self.document = next;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::store::document::Profile;
    use crate::store::recovery::RecoveryKey;
    use std::convert::Infallible;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn place(path: &Path) -> Place<'static> {
        Place::new(&RealDisk, path)
    }

    fn new(recovery: Option<String>) -> NewVault {
        NewVault {
            passphrase: passphrase(),
            kdf: KdfParameters::new([1; 16], 8192, 1, 2).unwrap(),
            recovery,
            now: Timestamp::UNIX_EPOCH,
            writer: "host".into(),
        }
    }

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse".into())
    }

    fn stamp() -> Stamp {
        Stamp { now: "2026-01-01T00:00:00Z".parse().unwrap(), writer: "laptop".into() }
    }

    fn made() -> (tempfile::TempDir, PathBuf, Vault<'static>) {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("vault.age");
        let vault = create(&place(&path), new(None)).unwrap();
        (temporary, path, vault)
    }

    fn reopened(path: &Path, vault: &Vault) -> Vault<'static> {
        open(&place(path), &place(path).load().unwrap(), Key::Identity(vault.identity())).unwrap()
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
        let load = || place(&path).load().unwrap();
        for key in
            [Key::Passphrase(&passphrase()), Key::Identity(&recovery.identity), Key::Identity(created.identity())]
        {
            let opened = open(&place(&path), &load(), key).unwrap();
            assert_eq!(opened.version(), created.version());
            assert_eq!(opened.document().meta.vault_id, created.document().meta.vault_id);
            assert_eq!(opened.warnings(), [Warning::WeakKdf(KdfParameters::new([1; 16], 8192, 1, 2).unwrap())]);
        }
        let wrong = Passphrase::new("correct horsf".into());
        let refused = open(&place(&path), &load(), Key::Passphrase(&wrong)).err();
        assert!(matches!(refused, Some(OpenError::WrongPassphrase)));
        let stranger = identity::generate();
        let refused = open(&place(&path), &load(), Key::Identity(&stranger)).err();
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
        assert!(open(&place(&path), &place(&path).load().unwrap(), Key::Passphrase(&passphrase())).is_ok());
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
        let refused = open(&place(&path), &place(&path).load().unwrap(), Key::Passphrase(&passphrase())).err();
        assert!(matches!(refused, Some(OpenError::Unseal(UnsealError::Header(HeaderError::Kdf(_))))));
    }

    #[test]
    fn copies_of_a_conflict_beside_the_vault_are_told() {
        let (temporary, path, vault) = made();
        let copy = "vault (conflicted copy 2026-01-01).age";
        fs::write(temporary.path().join(copy), b"").unwrap();
        assert!(reopened(&path, &vault).warnings().contains(&Warning::ConflictedCopies(vec![copy.into()])));
    }
}
