//! Makes a vault where none is.

use std::io;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{NewPassphrase, Stamp, Vault, Version, warnings};
use crate::secret::Passphrase;
use crate::store::document::{Document, Recipient, RecipientKind};
use crate::store::file::{Place, SaveError, Saved};
use crate::store::identity;
use crate::store::kdf::KdfParameters;
use crate::store::passphrase::DeriveError;
use crate::store::seal::{SealError, UnsealError, seal, unseal};

/// What a new vault is made of.
pub struct NewVault {
    pub passphrase: Passphrase,
    /// From [`crate::store::passphrase::Cost::parameters`].
    pub kdf: KdfParameters,
    /// In bytes, what deriving may take; None tries it with whatever there is.
    pub memory: Option<u64>,
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
    let passphrase = NewPassphrase::derive(&new.passphrase, new.kdf, new.memory)?;
    let document = first_document(&new, &passphrase)?;
    let identity = passphrase.identity().clone();
    let file = seal(&document, place.plugins())?;
    let document = unseal(&file, &identity, place.plugins()).map_err(CreateError::Proof)?;
    place.make_folder().map_err(SaveError::Io)?;
    let locked = place.lock()?;
    if !locked.is_free().map_err(SaveError::Io)? {
        return Err(CreateError::Exists);
    }
    locked.sweep();
    let status = match locked.commit(None, &file, 0, new.now) {
        Saved::Committed(status) => status,
        Saved::NotCommitted(error) => return Err(error.into()),
        Saved::CommittedNotDurable(_, error) => return Err(CreateError::NotDurable(error)),
    };
    let version = Version { generation: document.meta.generation, hash: Sha256::digest(&file).into(), status };
    let warnings = warnings(place, &document, &status);
    let mut vault = Vault { place: place.clone(), opener: identity.into(), document, version, warnings };
    vault.remember();
    Ok(vault)
}

fn first_document(new: &NewVault, passphrase: &NewPassphrase) -> Result<Document, CreateError> {
    let mut document = Document::new(new.now, new.writer.clone(), identity::generate()).map_err(SealError::from)?;
    document.meta.generation = 1;
    let stamp = Stamp { now: new.now, writer: new.writer.clone(), log: None };
    document.recipients.push(passphrase.recipient(&stamp));
    if let Some(recovery) = &new.recovery {
        if !identity::is_recipient(recovery) {
            return Err(CreateError::Recovery(recovery.clone()));
        }
        let kind = RecipientKind::Recovery;
        document.recipients.push(Recipient::new("recovery", kind, recovery.clone(), stamp.now, &stamp.writer));
    }
    Ok(document)
}
