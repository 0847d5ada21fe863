//! Earlier generations of an open vault, as they stand beside it.

use std::io;

use sha2::{Digest, Sha256};

use super::document::{Document, Meta};
use super::file::Place;
use super::fingerprint::Fingerprint;
use super::kept;
use super::opener::Opener;
use super::plugin::plugin_of_identity;
use super::seal::{UnsealError, unseal_by};
use super::vault::Version;

/// One of the files that a save kept.
pub struct Kept {
    pub generation: u64,
    /// Its name, beside the vault.
    pub file: String,
    pub content: Result<Document, KeptError>,
    /// Of the file, where that opens.
    hash: Option<[u8; 32]>,
}

/// Why an earlier generation can't be looked into.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// Who may write into the folder and knows a recipient can put a file there that opens.
    #[error("not signed by this vault")]
    NotSigned,
    /// An older one could stand there for the newest.
    #[error("not what its name says")]
    Misnamed,
    /// The vault was opened by an age plugin, which would ask a person for every file.
    #[error("not looked into, since a plugin would ask for each")]
    AsksEachTime,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Nobody can tell which earlier generations there are: that is not to say that there are none.
#[derive(Debug, thiserror::Error)]
#[error("the folder of the vault can't be listed: {0}")]
pub struct HistoryError(io::Error);

impl Kept {
    /// Host name of who wrote it.
    pub fn writer(&self) -> Option<String> {
        Some(self.content.as_ref().ok()?.meta.writer.clone())
    }

    /// Whether what has this to tell of its past comes after it.
    pub fn is_ancestor_of(&self, later: &Meta) -> bool {
        self.hash.is_some_and(|hash| later.has_ancestor(&hash))
    }

    /// Whether it is this very file, or comes after it: another side of a fork does not.
    pub fn is_on_the_side_of(&self, earlier: &Kept) -> bool {
        let comes_after = |document: &Document| earlier.is_ancestor_of(&document.meta);
        self.file == earlier.file || self.content.as_ref().is_ok_and(comes_after)
    }
}

/// All of them, the newest first, but not what stands: that may be kept already. What does not open with this identity, or is
/// of another vault, is listed all the same.
pub(super) fn history(
    place: &Place,
    opener: &Opener,
    fingerprint: &Fingerprint,
    standing: &Version,
) -> Result<Vec<Kept>, HistoryError> {
    let standing = kept::ending(standing.generation, &standing.hash);
    let mut files = place.kept_files().map_err(HistoryError)?;
    files.retain(|(_, file)| !file.ends_with(&standing));
    files.sort_by(|(one, this), (other, that)| other.cmp(one).then(this.cmp(that)));
    let look_into = |(generation, file): (u64, String)| {
        let found = content(place, &file, opener, fingerprint).and_then(|found| named(&file, found));
        match found {
            Ok((document, hash)) => Kept { generation, file, content: Ok(document), hash: Some(hash) },
            Err(error) => Kept { generation, file, content: Err(error), hash: None },
        }
    };
    Ok(files.into_iter().map(look_into).collect())
}

/// What a file beside the vault holds, and its hash, if it is one of its own.
pub(super) fn content(
    place: &Place,
    file: &str,
    opener: &Opener,
    own: &Fingerprint,
) -> Result<(Document, [u8; 32]), KeptError> {
    // A touch for each of up to forty files is more than anybody means to give.
    if opener.identity().and_then(plugin_of_identity).is_some() {
        return Err(KeptError::AsksEachTime);
    }
    let bytes = place.read_beside(file)?;
    let document = unseal_by(&bytes, opener, place.plugins())?;
    if !document.fingerprint().is_ok_and(|fingerprint| fingerprint == *own) {
        return Err(KeptError::NotSigned);
    }
    Ok((document, Sha256::digest(&bytes).into()))
}

/// Of a file that a save kept, whose name says what it is.
fn named(file: &str, (document, hash): (Document, [u8; 32])) -> Result<(Document, [u8; 32]), KeptError> {
    match file.ends_with(&kept::ending(document.meta.generation, &hash)) {
        true => Ok((document, hash)),
        false => Err(KeptError::Misnamed),
    }
}
