//! Earlier generations of an open vault, as they stand beside it.

use std::io;

use super::document::Document;
use super::file::Place;
use super::plugin::plugin_of_identity;
use super::seal::{UnsealError, unseal};
use crate::secret::IdentityText;

/// One of the files that a save kept.
pub struct Kept {
    pub generation: u64,
    /// Its name, beside the vault.
    pub file: String,
    pub content: Result<Document, KeptError>,
}

/// Why an earlier generation can't be looked into.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The vault was opened by an age plugin, which would ask a person for every file.
    #[error("not looked into")]
    AsksEachTime,
    #[error("another vault")]
    AnotherVault,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Kept {
    /// Host name of who wrote it.
    pub fn writer(&self) -> Option<String> {
        Some(self.content.as_ref().ok()?.meta.writer.clone())
    }
}

/// All of them, the newest first. What does not open with this identity, or is of another vault, is listed all the same.
pub(super) fn history(place: &Place, identity: &IdentityText, vault_id: &str) -> io::Result<Vec<Kept>> {
    let mut history: Vec<Kept> = Vec::new();
    for (generation, file) in place.kept_files()? {
        let content = content(place, &file, identity, vault_id);
        history.push(Kept { generation, file, content });
    }
    history.sort_by(|one, other| other.generation.cmp(&one.generation).then(one.file.cmp(&other.file)));
    Ok(history)
}

fn content(place: &Place, file: &str, identity: &IdentityText, vault_id: &str) -> Result<Document, KeptError> {
    // A touch for each of up to forty files is more than anybody means to give.
    if plugin_of_identity(identity).is_some() {
        return Err(KeptError::AsksEachTime);
    }
    let document = unseal(&place.read_beside(file)?, identity, place.plugins())?;
    if document.meta.vault_id != vault_id {
        return Err(KeptError::AnotherVault);
    }
    Ok(document)
}
