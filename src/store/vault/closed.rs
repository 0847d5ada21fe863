//! A vault put aside while a person is waited for: the one key that opens it again, and nothing of what it holds.

use thiserror::Error;

use super::{Relation, Vault, Version};
use crate::store::document::DocumentError;
use crate::store::file::{LoadError, Place};
use crate::store::opener::Opener;
use crate::store::seal::{UnsealError, unseal_by};

pub struct Closed<'d> {
    place: Place<'d>,
    opener: Opener,
    known: Known,
}

/// What tells the vault that was opened from every other file.
#[derive(Clone)]
pub(super) struct Known {
    pub vault_id: String,
    pub signing_key: [u8; 32],
    pub hash: [u8; 32],
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

impl From<DocumentError> for ReopenError {
    fn from(error: DocumentError) -> Self {
        Self::Unseal(error.into())
    }
}

impl<'d> Closed<'d> {
    /// What opens it.
    pub fn opener(&self) -> &Opener {
        &self.opener
    }

    /// Opens what stands there now: the same generation or a later one.
    pub fn open(&self) -> Result<Vault<'d>, ReopenError> {
        let loaded = self.place.load()?;
        let document = unseal_by(&loaded.bytes, &self.opener, self.place.plugins())?;
        match self.known.relation(&loaded, &document)? {
            Relation::Stranger => return Err(ReopenError::AnotherVault),
            Relation::Other => return Err(ReopenError::Diverged),
            Relation::Same | Relation::Successor => {}
        }
        let version = Version::of(&document, &loaded);
        let (place, opener) = (self.place.clone(), self.opener.clone());
        Ok(Vault { place, opener, document, version, warnings: Vec::new() })
    }
}

impl<'d> Vault<'d> {
    /// Forgets the document; the caller is about to wait for a person.
    pub fn close(self) -> Closed<'d> {
        let known = self.known();
        Closed { place: self.place, opener: self.opener, known }
    }
}
