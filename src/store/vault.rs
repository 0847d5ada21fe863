//! An opened vault: what it holds, what opened it, and the one way to change it.

mod closed;
mod create;
mod opening;
mod other;
mod rekey;
mod standing;

use std::io;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

use closed::Known;
pub use closed::{Closed, ReopenError};
pub use create::{CreateError, NewVault, create};
pub use opening::{Key, OpenError, Opened, Remembered, TrustError, Undecided, Unproven, open};
pub use other::peek;
pub use rekey::NewPassphrase;

use super::document::{Document, DocumentError, LogMark, Profile};
use super::file::{Loaded, Locked, Place, SaveError, Saved};
use super::fingerprint::Fingerprint;
use super::history::{HistoryError, Kept, history};
use super::identity;
use super::kdf::KdfParameters;
use super::kept::Keep;
use super::opener::Opener;
use super::passphrase;
use super::pin::{Pin, RecipientChange, Verdict, judge};
use super::pins::{PinError, is_news};
use super::seal::{SealError, Sealed, UnsealError, unseal_by};
use super::search::{Search, search};
use crate::disk::Status;
use crate::names::AccessKeyId;

/// The document in memory, and all it takes to save it again: no passphrase, no derivation.
pub struct Vault<'d> {
    place: Place<'d>,
    opener: Opener,
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

impl Version {
    fn of(document: &Document, loaded: &Loaded) -> Self {
        Self { generation: document.meta.generation, hash: loaded.hash, status: loaded.status }
    }
}

/// What a user should hear about a vault that opened.
#[derive(Debug)]
pub enum Warning {
    /// Easier to guess than the vaults that are made today.
    WeakKdf(KdfParameters),
    /// Their names, beside the vault.
    ConflictedCopies(Vec<String>),
    /// It belongs to the administrator: reading works, saving will not.
    ReadOnly,
    /// Who may open it changed since this machine last did.
    Recipients(RecipientChange),
    /// This machine can't remember the vault, so that it will not tell a forged or an older one the next time.
    NotRemembered(PinError),
}

fn warnings(place: &Place, document: &Document, status: &Status) -> Vec<Warning> {
    let weak = document.kdf().filter(|kdf| passphrase::is_weak(kdf)).map(|kdf| Warning::WeakKdf(*kdf));
    let copies = Some(place.conflicted_copies()).filter(|copies| !copies.is_empty()).map(Warning::ConflictedCopies);
    let read_only = (!status.ours()).then_some(Warning::ReadOnly);
    [weak, copies, read_only].into_iter().flatten().collect()
}

/// What a document is to the file that was known before it.
enum Relation {
    Same,
    /// Saved over that file, or over one that was.
    Successor,
    /// Of the same vault, but not from that file: an older one, or another branch.
    Other,
    /// Of another vault.
    Stranger,
}

impl Known {
    fn relation(&self, loaded: &Loaded, document: &Document) -> Result<Relation, DocumentError> {
        if document.meta.vault_id != self.vault_id {
            return Ok(Relation::Stranger);
        }
        let same_key = *document.auth.verifying_key()?.as_bytes() == self.signing_key;
        // This machine may have replaced the vault's keys meanwhile, and remembers the new ones then.
        let trusted =
            same_key || matches!(judge(&loaded.pins, &loaded.places, document, &loaded.hash)?, Verdict::Known(_));
        Ok(match trusted {
            true if loaded.hash == self.hash => Relation::Same,
            true if document.meta.has_ancestor(&self.hash) => Relation::Successor,
            _ => Relation::Other,
        })
    }
}

/// Who saves, and when.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub now: Timestamp,
    /// This machine's name.
    pub writer: String,
    /// How its log stands. None leaves what the vault knows of it.
    pub log: Option<LogMark>,
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
    /// This machine could not have believed its own vault again.
    #[error("the vault's new keys can't be remembered: {0}")]
    Announce(PinError),
}

impl From<ReopenError> for NotCommitted {
    fn from(error: ReopenError) -> Self {
        match error {
            ReopenError::Load(error) => Self::Save(error.into()),
            ReopenError::Unseal(error) => Self::Changed(error),
            ReopenError::AnotherVault => Self::AnotherVault,
            ReopenError::Diverged => Self::Diverged,
        }
    }
}

/// How writing a prepared document ended, where it did not end well.
enum SaveFailure {
    NotCommitted(NotCommitted),
    NotDurable(io::Error),
}

impl<E: Into<NotCommitted>> From<E> for SaveFailure {
    fn from(error: E) -> Self {
        Self::NotCommitted(error.into())
    }
}

impl<E> From<SaveFailure> for EditError<E> {
    fn from(failure: SaveFailure) -> Self {
        match failure {
            SaveFailure::NotCommitted(error) => Self::NotCommitted(error),
            SaveFailure::NotDurable(error) => Self::NotDurable(error),
        }
    }
}

impl<'d> Vault<'d> {
    /// As it was just read.
    fn of(place: &Place<'d>, opener: &Opener, document: Document, loaded: &Loaded) -> Self {
        let version = Version::of(&document, loaded);
        let warnings = warnings(place, &document, &loaded.status);
        Self { place: place.clone(), opener: opener.clone(), document, version, warnings }
    }
}

impl Vault<'_> {
    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.document.fingerprint().expect("it was compared with what is remembered when this was opened")
    }

    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What opened it.
    pub fn opener(&self) -> &Opener {
        &self.opener
    }

    /// Earlier generations beside the vault, the newest first.
    pub fn history(&self) -> Result<Vec<Kept>, HistoryError> {
        history(&self.place, &self.opener, &self.fingerprint(), &self.version)
    }

    /// The access key of this id from earlier generations and other copies beside the vault.
    pub fn secrets_of(&self, id: &AccessKeyId) -> Search {
        search(id, &self.place, &self.opener, &self.fingerprint())
    }

    /// Changes the document and saves it. The edit is applied to what stands in the file now, which another program may have
    /// saved since this vault was opened: it must look for itself whether it still makes sense.
    pub fn edit<T, E>(
        &mut self,
        stamp: &Stamp,
        edit: impl FnMut(&mut Document) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        self.edit_keeping(Keep::Predecessor, stamp, edit)
    }

    /// The same, and says what is kept of the file that is replaced.
    pub fn edit_keeping<T, E>(
        &mut self,
        keep: Keep,
        stamp: &Stamp,
        mut edit: impl FnMut(&mut Document) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        self.edit_deciding(stamp, |document| Ok((edit(document)?, keep)))
    }

    /// The same, where the edit itself says what is to be kept.
    pub(super) fn edit_deciding<T, E>(
        &mut self,
        stamp: &Stamp,
        edit: impl FnMut(&mut Document) -> Result<(T, Keep), E>,
    ) -> Result<T, EditError<E>> {
        self.change(stamp, edit, |vault, _| Ok(vec![vault.opener.clone()]))
    }

    /// Applies an edit to what stands, lets `prepare` finish the document and say what it must open by, and saves it.
    fn change<T, E>(
        &mut self,
        stamp: &Stamp,
        mut edit: impl FnMut(&mut Document) -> Result<(T, Keep), E>,
        prepare: impl FnOnce(&Self, &mut Document) -> Result<Vec<Opener>, NotCommitted>,
    ) -> Result<T, EditError<E>> {
        let locked = self.place.lock().map_err(NotCommitted::from)?;
        let standing = locked.load().map_err(NotCommitted::from)?;
        self.catch_up(&standing)?;
        let mut next = self.document.clone();
        let (value, keep) = edit(&mut next).map_err(EditError::Refused)?;
        self.succeed(&mut next, stamp);
        let provers = prepare(self, &mut next)?;
        let kept = (keep == Keep::Predecessor).then_some((&standing, self.version.generation));
        self.save(&locked, kept, &next, provers, stamp)?;
        Ok(value)
    }

    fn catch_up(&mut self, standing: &Loaded) -> Result<(), NotCommitted> {
        if standing.hash != self.version.hash {
            let document =
                unseal_by(&standing.bytes, &self.opener, self.place.plugins()).map_err(NotCommitted::Changed)?;
            match self.known().relation(standing, &document).map_err(SealError::from)? {
                Relation::Stranger => return Err(NotCommitted::AnotherVault),
                Relation::Other => return Err(NotCommitted::Diverged),
                Relation::Same | Relation::Successor => self.document = document,
            }
        }
        self.version = Version::of(&self.document, standing);
        Ok(())
    }

    fn known(&self) -> Known {
        let key = self.document.auth.verifying_key().expect("the signature of what is open was verified with it");
        Known { vault_id: self.document.meta.vault_id.clone(), signing_key: key.to_bytes(), hash: self.version.hash }
    }

    /// An edit has no say in what tells generations apart.
    fn succeed(&self, next: &mut Document, stamp: &Stamp) {
        next.meta = self.document.meta.clone();
        next.meta.generation += 1;
        next.meta.written_at = stamp.now;
        next.meta.writer.clone_from(&stamp.writer);
        next.meta.descend_from(&self.version.hash);
        if let Some(mark) = &stamp.log {
            next.mark_log(&stamp.writer, mark);
        }
    }

    /// Saves what opens by each of the provers, with the first of which this vault goes on; keeps what it is given to keep.
    fn save(
        &mut self,
        locked: &Locked,
        kept: Option<(&Loaded, u64)>,
        next: &Document,
        mut provers: Vec<Opener>,
        stamp: &Stamp,
    ) -> Result<(), SaveFailure> {
        let sealed = Sealed::of(next, self.place.plugins())?;
        // The last moment at which a file that doesn't open costs nothing.
        for opener in &provers {
            opener.identity().into_iter().for_each(|identity| self.place.plugins().announce_proof(identity));
            sealed.prove(opener, self.place.plugins()).map_err(NotCommitted::Proof)?;
        }
        let (file, next) = sealed.opened().map_err(NotCommitted::Proof)?;
        let opener = provers.swap_remove(0);
        if !self.may_lack_a_key(&next) {
            locked.sweep();
        }
        let (status, outcome) = match locked.commit(kept, &file, next.meta.rekeyed_generation, stamp.now) {
            Saved::NotCommitted(error) => return Err(error.into()),
            Saved::Committed(status) => (status, Ok(())),
            Saved::CommittedNotDurable(status, error) => (status, Err(SaveFailure::NotDurable(error))),
        };
        self.version = Version { generation: next.meta.generation, hash: Sha256::digest(&file).into(), status };
        (self.opener, self.document) = (opener, next);
        // Remembering what a power cut may undo would make the older state, which then stands again, look put back.
        if outcome.is_ok() {
            self.remember();
        }
        outcome
    }

    /// Whether the secret of a key that AWS made may be in nothing but what a killed save left, for [`search`] to find. After new
    /// keys of the vault nothing of that is believed, nor to be open to whoever was shut out.
    fn may_lack_a_key(&self, next: &Document) -> bool {
        let is_rekeyed = next.meta.rekeyed_generation == next.meta.generation;
        !is_rekeyed && self.document.profiles.values().any(Profile::may_lack_a_key)
    }

    /// Moves the pin up to a state that was found and not saved here. Whoever saved it may still be at it, or was told that a
    /// power cut may undo it: a pin that outlives the state would make the older file, which stands again then, look put back.
    fn remember_found(&mut self, pins: &[Pin]) {
        let Ok(pin) = Pin::of(&self.document, &self.version.hash, self.place.places()) else { return };
        if is_news(pins, &pin) && self.make_durable().is_ok() {
            self.remember();
        }
    }

    /// Moves this machine's pin up to here. Where that can't be, the vault works on; the next rollback will not be told.
    fn remember(&mut self) {
        let recorded = match Pin::of(&self.document, &self.version.hash, self.place.places()) {
            Ok(pin) => self.place.pins().record(pin),
            Err(_) => return,
        };
        if let Err(error) = recorded {
            self.warnings.push(Warning::NotRemembered(error));
        }
    }

    /// Whether the passphrase's identity is what opened it.
    fn opened_by_passphrase(&self) -> bool {
        let opener = self.opener.identity().and_then(identity::recipient);
        self.document.passphrase_recipient().is_some_and(|one| Some(&one.recipient) == opener.as_ref())
    }
}

#[cfg(test)]
mod tests;
