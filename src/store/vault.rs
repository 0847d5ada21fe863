//! An opened vault: what it holds, what opened it, and the one way to change it.

mod create;
mod other;

use std::io;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use create::{CreateError, NewVault, create};
pub use other::peek;

use super::document::Document;
use super::file::{LoadError, Loaded, Locked, Place, SaveError, Saved};
use super::header::HeaderError;
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
    /// What opens it again.
    pub fn identity(&self) -> &IdentityText {
        &self.identity
    }

    /// Opens what stands there now: the same generation or a later one.
    pub fn open(&self) -> Result<Vault<'d>, ReopenError> {
        let loaded = self.place.load()?;
        let document = unseal(&loaded.bytes, &self.identity)?;
        match relation(&document, &self.vault_id, &self.hash) {
            Relation::Stranger => return Err(ReopenError::AnotherVault),
            Relation::Other if loaded.hash != self.hash => return Err(ReopenError::Diverged),
            Relation::Other | Relation::Successor => {}
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

/// What a document is to the file that was known before it.
enum Relation {
    /// Saved over that file, or over one that was.
    Successor,
    /// Of the same vault, but not from that file: that file itself, an older one, or another branch.
    Other,
    /// Of another vault.
    Stranger,
}

fn relation(document: &Document, vault_id: &str, hash: &[u8; 32]) -> Relation {
    if document.meta.vault_id != vault_id {
        return Relation::Stranger;
    }
    if document.meta.has_ancestor(hash) { Relation::Successor } else { Relation::Other }
}

/// Who saves, and when.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub now: Timestamp,
    /// This machine's name.
    pub writer: String,
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
            match relation(&document, &self.document.meta.vault_id, &self.version.hash) {
                Relation::Stranger => return Err(NotCommitted::AnotherVault),
                Relation::Other => return Err(NotCommitted::Diverged),
                Relation::Successor => self.document = document,
            }
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
mod tests;
