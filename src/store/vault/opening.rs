//! From the bytes of a file to a vault that is believed.

use std::io;

use thiserror::Error;

use super::{NotCommitted, ReopenError, SaveFailure, Stamp, Vault, Version, Warning};
use crate::process::make_room;
use crate::secret::{IdentityText, Passphrase};
use crate::store::document::{Document, DocumentError};
use crate::store::file::{LoadError, Loaded, Place};
use crate::store::fingerprint::Fingerprint;
use crate::store::header::{self, HeaderError};
use crate::store::opener::Opener;
use crate::store::passphrase::{self, DeriveError};
use crate::store::pin::{Distrust, Pin, Reason, Verdict, judge, judge_anywhere, public_key};
use crate::store::plugin::{Plugins, plugin_of_identity};
use crate::store::seal::{UnsealError, unseal, unseal_by};

/// What reading it takes of memory, and writing it again, for each byte of a vault's file.
const ROOM: usize = 64;

/// What opens a vault.
pub enum Key<'a> {
    /// With the memory that deriving may take, in bytes; None tries it with whatever there is.
    Passphrase(&'a Passphrase, Option<u64>),
    Identity(&'a IdentityText),
    /// What opened it, or another file of it, before.
    Opener(&'a Opener),
}

#[derive(Debug, Error)]
pub enum OpenError {
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// It is the right one, for what the header said when this machine last opened the vault.
    #[error("the header's line about the passphrase was changed")]
    PassphraseLineChanged,
    #[error("no passphrase opens this vault, only an identity")]
    NoPassphrase,
    #[error(transparent)]
    Derive(#[from] DeriveError),
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The file was read once more, after it was found to be another than what is remembered.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl OpenError {
    /// Whether an earlier file is to go back to.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Unseal(error) => error.is_damage(),
            Self::PassphraseLineChanged | Self::Load(LoadError::TooLarge) => true,
            Self::WrongPassphrase | Self::NoPassphrase | Self::Derive(_) | Self::Load(_) => false,
        }
    }
}

impl From<HeaderError> for OpenError {
    fn from(error: HeaderError) -> Self {
        Self::Unseal(error.into())
    }
}

impl From<DocumentError> for OpenError {
    fn from(error: DocumentError) -> Self {
        Self::Unseal(error.into())
    }
}

/// A vault whose content opened.
pub enum Opened<'d> {
    Known(Vault<'d>),
    /// This machine has never seen it: somebody must say that it is the right one.
    FirstSight(Unproven<'d>),
    /// It is not what this machine remembers.
    Distrusted(Unproven<'d>, Box<Distrust>),
}

/// The other side of a vault that is not what this machine remembers.
pub enum Remembered {
    Itself(Document),
    /// The newest state before it: what stands in a vault's own place is kept by the next save only.
    Before(Document),
    /// And that is the very file that stands here now.
    BeforeAndHere,
}

/// An open vault that is not believed yet; nothing in it is to be used.
pub struct Unproven<'d> {
    vault: Vault<'d>,
    fingerprint: Fingerprint,
}

/// Opens what was loaded from `place` and compares it with what this machine remembers.
pub fn open<'d>(place: &Place<'d>, loaded: &Loaded, key: Key) -> Result<Opened<'d>, OpenError> {
    make_room(ROOM * loaded.bytes.len());
    let unlocked = unlock(&loaded.bytes, &key, place.plugins());
    let (opener, document) = unlocked.map_err(|error| match (error, &key) {
        (OpenError::WrongPassphrase, Key::Passphrase(passphrase, memory)) => {
            wrong_passphrase(place, loaded, passphrase, *memory)
        }
        (error, _) => error,
    })?;
    match believe(place, loaded, &opener, document)? {
        Opened::Distrusted(unproven, distrust) => {
            // A reader that was overtaken by two saves may have seen the file of one with the pin of the other.
            let again = place.load()?;
            if again.hash == loaded.hash && again.pins == loaded.pins {
                return Ok(Opened::Distrusted(unproven, distrust));
            }
            let document = unseal_by(&again.bytes, &opener, place.plugins())?;
            believe(place, &again, &opener, document)
        }
        opened => Ok(opened),
    }
}

/// What a file holds, and the identity that opened it.
pub(super) fn unlock(file: &[u8], key: &Key, plugins: &Plugins) -> Result<(Opener, Document), OpenError> {
    let (passphrase, memory) = match key {
        Key::Identity(identity) => return Ok(((*identity).clone().into(), unseal(file, identity, plugins)?)),
        Key::Opener(opener) => return Ok(((*opener).clone(), unseal_by(file, opener, plugins)?)),
        Key::Passphrase(passphrase, memory) => (passphrase, *memory),
    };
    let kdf = header::scan(file)?.ok_or(OpenError::NoPassphrase)?;
    let identity = passphrase::derive(passphrase, &kdf, memory)?;
    match unseal(file, &identity, plugins) {
        Ok(document) => Ok((identity.into(), document)),
        Err(UnsealError::WrongIdentity) => Err(OpenError::WrongPassphrase),
        Err(error) => Err(error.into()),
    }
}

/// A flipped bit in the salt makes the right passphrase derive another identity. What the pin remembers tells the two apart.
fn wrong_passphrase(place: &Place, loaded: &Loaded, passphrase: &Passphrase, memory: Option<u64>) -> OpenError {
    let Some(pinned) = loaded.changed_kdf() else { return OpenError::WrongPassphrase };
    let identity = passphrase::derive(passphrase, &pinned, memory);
    match identity.map(|identity| unseal(&loaded.bytes, &identity, place.plugins())) {
        Ok(Err(UnsealError::HeaderDamaged)) => OpenError::PassphraseLineChanged,
        _ => OpenError::WrongPassphrase,
    }
}

fn believe<'d>(
    place: &Place<'d>,
    loaded: &Loaded,
    opener: &Opener,
    document: Document,
) -> Result<Opened<'d>, OpenError> {
    let verdict = judge(&loaded.pins, &loaded.places, &document, &loaded.hash)?;
    let fingerprint = document.fingerprint()?;
    let mut vault = Vault::of(place, opener, document, loaded);
    Ok(match verdict {
        Verdict::FirstSight => Opened::FirstSight(Unproven { vault, fingerprint }),
        Verdict::Distrusted(mut distrust) => {
            if distrust.reason == Reason::RolledBack && is_another_side(place, &vault.version) {
                distrust.reason = Reason::Forked;
            }
            Opened::Distrusted(Unproven { vault, fingerprint }, distrust)
        }
        Verdict::Known(recipients) => {
            if !recipients.is_empty() {
                vault.warnings.push(Warning::Recipients(recipients));
            }
            vault.remember_found(&loaded.pins);
            Opened::Known(vault)
        }
    })
}

/// Whether what this machine has kept of that very generation is another file: then this one is no earlier state of its own.
fn is_another_side(place: &Place, found: &Version) -> bool {
    let generation = found.generation;
    let kept = place.whole_ones(generation..generation.saturating_add(1));
    !kept.is_empty() && kept.iter().all(|one| one.hash != found.hash)
}

impl<'d> Opened<'d> {
    /// Where nobody is there to say that a vault is the right one.
    pub fn known(self) -> Option<Vault<'d>> {
        match self {
            Self::Known(vault) => Some(vault),
            Self::FirstSight(_) | Self::Distrusted(..) => None,
        }
    }
}

impl<'d> Unproven<'d> {
    /// To show what it says, not to use it.
    pub fn document(&self) -> &Document {
        &self.vault.document
    }

    /// What this machine remembers instead, as far as that stands beside the vault: kept by a save, or put aside by a sync
    /// program.
    pub fn remembered(&self, distrust: &Distrust) -> Option<Remembered> {
        let Vault { place, opener, .. } = &self.vault;
        let itself = place.beside_with_hash(&distrust.pin.hash.0);
        let itself = itself.and_then(|bytes| unseal_by(&bytes, opener, place.plugins()).ok());
        itself.map(Remembered::Itself).or_else(|| self.kept_before(&distrust.pin))
    }

    /// The newest that is signed by the key which is remembered, and that the file did not grow from: of this machine's side. Of
    /// two of one generation nobody can say which it was.
    fn kept_before(&self, pin: &Pin) -> Option<Remembered> {
        let Vault { place, opener, version, document, .. } = &self.vault;
        // A plugin would ask a person for each.
        opener.identity().is_none_or(|identity| plugin_of_identity(identity).is_none()).then_some(())?;
        let mut kept = place.whole_ones(0..pin.generation);
        kept.retain(|one| one.hash == version.hash || !document.meta.has_ancestor(&one.hash));
        let opened = kept.into_iter().filter_map(|one| {
            let document = unseal_by(&one.bytes, opener, place.plugins()).ok()?;
            let is_its = document.meta.vault_id == pin.vault_id && public_key(&document).ok()? == pin.signing_key;
            is_its.then_some((one, document))
        });
        let mut opened: Vec<_> = opened.collect();
        let newest = opened.iter().map(|(one, _)| one.generation).max()?;
        opened.retain(|(one, _)| one.generation == newest);
        match <[_; 1]>::try_from(opened) {
            Ok([(one, _)]) if one.hash == version.hash => Some(Remembered::BeforeAndHere),
            Ok([(_, document)]) => Some(Remembered::Before(document)),
            Err(_) => None,
        }
    }

    /// Forgets the document; the caller is about to wait for a person.
    pub fn close(self) -> Undecided<'d> {
        let Vault { place, opener, version, .. } = self.vault;
        Undecided { place, opener, hash: version.hash, fingerprint: self.fingerprint }
    }
}

/// A vault put aside while a person decides whether it is to be believed.
pub struct Undecided<'d> {
    place: Place<'d>,
    opener: Opener,
    hash: [u8; 32],
    fingerprint: Fingerprint,
}

impl<'d> Undecided<'d> {
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Somebody compared the fingerprint of a vault that was seen for the first time.
    pub fn accept(self) -> Result<Vault<'d>, ReopenError> {
        let loaded = self.place.load()?;
        let mut vault = self.vault(&loaded)?;
        vault.remember_found(&loaded.pins);
        Ok(vault)
    }

    /// Somebody looked at what is remembered and at this file, and decided for the file. It is saved at once as a later
    /// generation than both, so that every machine takes it from here, and the other side is a fork from now on.
    pub fn trust(self, distrust: &Distrust, stamp: &Stamp) -> Result<Vault<'d>, TrustError> {
        if distrust.reason == Reason::ReplacedSigningKey {
            return Err(TrustError::ReplacedSigningKey);
        }
        let locked = self.place.lock().map_err(NotCommitted::from)?;
        let standing = locked.load().map_err(NotCommitted::from)?;
        let mut vault = self.vault(&standing)?;
        // A fingerprint tells vaults apart and not their states.
        if let (Reason::AnotherVault, Verdict::Distrusted(itself)) = (
            distrust.reason,
            judge_anywhere(&standing.pins, &vault.document, &standing.hash).map_err(ReopenError::from)?,
        ) {
            return Err(TrustError::KnownElsewhere(itself));
        }
        let mut next = vault.document.clone();
        vault.succeed(&mut next, stamp);
        next.meta.generation = next.meta.generation.max(distrust.pin.generation + 1);
        let provers = vec![vault.opener.clone()];
        let kept = Some((&standing, vault.version.generation));
        vault.save(&locked, kept, &next, provers, stamp)?;
        Ok(vault)
    }

    /// The very file that was decided on.
    fn vault(&self, loaded: &Loaded) -> Result<Vault<'d>, ReopenError> {
        if loaded.hash != self.hash {
            return Err(ReopenError::Diverged);
        }
        let document = unseal_by(&loaded.bytes, &self.opener, self.place.plugins())?;
        Ok(Vault::of(&self.place, &self.opener, document, loaded))
    }
}

/// Why a file was not accepted.
#[derive(Debug, Error)]
pub enum TrustError {
    #[error("signed with a key that was replaced")]
    ReplacedSigningKey,
    /// It is of a vault that this machine knows in another place, and not what it remembers of that one.
    #[error("known in another place, and in another state")]
    KnownElsewhere(Box<Distrust>),
    #[error(transparent)]
    Reopen(#[from] ReopenError),
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
    #[error("not yet durable: {0}")]
    NotDurable(io::Error),
}

impl From<SaveFailure> for TrustError {
    fn from(failure: SaveFailure) -> Self {
        match failure {
            SaveFailure::NotCommitted(error) => Self::NotCommitted(error),
            SaveFailure::NotDurable(error) => Self::NotDurable(error),
        }
    }
}
