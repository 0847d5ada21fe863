//! Looks into a vault that is not this machine's own: another's, or a branch that was refused. Read once, never saved, and
//! nothing is remembered of it.

use super::{Key, OpenError};
use crate::store::document::Document;
use crate::store::header;
use crate::store::passphrase;
use crate::store::plugin::Plugins;
use crate::store::seal::{UnsealError, unseal};

/// What a file holds. Its signature says only that it is whole: whether its author is to be believed is up to the caller.
pub fn peek(file: &[u8], key: Key, plugins: &Plugins) -> Result<Document, OpenError> {
    match key {
        Key::Identity(identity) => Ok(unseal(file, identity, plugins)?),
        Key::Passphrase(passphrase, memory) => {
            let kdf = header::scan(file)?.ok_or(OpenError::NoPassphrase)?;
            let identity = passphrase::derive(passphrase, &kdf, memory)?;
            unseal(file, &identity, plugins).map_err(|error| match error {
                UnsealError::WrongIdentity => OpenError::WrongPassphrase,
                other => OpenError::Unseal(other),
            })
        }
    }
}
