//! What this machine remembers of a vault, and whether a file that opened is a later state of it. Being able to open a
//! vault, or to encrypt one, is not being trusted with what it says: who knows a recipient can make a file that opens, and
//! who keeps an old copy can put it back.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::{Document, DocumentError, MAX_ANCESTORS, Recipient, RecipientKind};
use super::kdf::KdfParameters;

/// Enough to tell recipients apart. They are remembered as hashes, since a passphrase's recipient, where it is known, lets
/// passphrases be tried without the file.
const RECIPIENT_BYTES: usize = 16;

/// One vault, as it was when this machine last opened or saved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub vault_id: String,
    /// The Ed25519 public key that signs it.
    pub signing_key: String,
    /// Keys that signed it before, as this machine saw: whoever still has one is not heard again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_keys: Vec<String>,
    /// The key that this machine is about to sign with, remembered before the file that it signs is in place: a power cut
    /// between the two must not make a stranger of this machine's own vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coming_key: Option<String>,
    pub generation: u64,
    /// SHA-256 of the file.
    pub hash: Hash,
    pub written_at: Timestamp,
    /// Host name of who wrote that generation.
    pub writer: String,
    /// What the file's first lines said about the passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<KdfParameters>,
    pub recipients: Vec<String>,
    /// The paths it was opened by, as named and as resolved.
    pub places: Vec<PathBuf>,
}

impl Pin {
    pub fn of(document: &Document, hash: &[u8; 32], places: Vec<PathBuf>) -> Result<Self, DocumentError> {
        Ok(Self {
            vault_id: document.meta.vault_id.clone(),
            signing_key: public_key(document)?,
            replaced_keys: Vec::new(),
            coming_key: None,
            generation: document.meta.generation,
            hash: Hash(*hash),
            written_at: document.meta.written_at,
            writer: document.meta.writer.clone(),
            kdf: document.kdf().copied(),
            recipients: document.recipients.iter().map(|one| hash_of(&one.recipient)).collect(),
            places,
        })
    }

    /// Whether the vault was seen at one of these paths.
    pub fn is_at(&self, places: &[PathBuf]) -> bool {
        self.places.iter().any(|place| places.contains(place))
    }

    /// Names of the recipients that this pin did not see, with when and by whom they were added; and how many are gone.
    pub fn recipient_change(&self, document: &Document) -> RecipientChange {
        let unseen = document.recipients.iter().filter(|one| !self.recipients.contains(&hash_of(&one.recipient)));
        let added: Vec<Added> = unseen.map(Added::of).collect();
        let removed = (self.recipients.len() + added.len()).saturating_sub(document.recipients.len());
        // What the file's first lines say, which opened it.
        RecipientChange { added, removed, passphrase: self.kdf.is_some() && self.kdf.as_ref() != document.kdf() }
    }
}

/// The Ed25519 key that signs this document, as pins have it.
pub fn public_key(document: &Document) -> Result<String, DocumentError> {
    Ok(BASE64.encode(document.auth.verifying_key()?))
}

fn hash_of(recipient: &str) -> String {
    BASE64.encode(&Sha256::digest(recipient)[..RECIPIENT_BYTES])
}

/// A recipient that this machine did not know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    pub name: String,
    pub is_passphrase: bool,
    pub on: Timestamp,
    pub by: Option<String>,
}

impl Added {
    fn of(recipient: &Recipient) -> Self {
        Self {
            name: recipient.name.clone(),
            is_passphrase: recipient.kind == RecipientKind::Passphrase,
            on: recipient.added,
            by: recipient.added_by.clone(),
        }
    }
}

/// Who may open the vault, compared with the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipientChange {
    pub added: Vec<Added>,
    pub removed: usize,
    /// Whether the passphrase derives another identity than the one that was known.
    pub passphrase: bool,
}

impl RecipientChange {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed == 0
    }
}

/// What a file is, by what is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The remembered state itself, or one saved over it.
    Known(RecipientChange),
    /// Of a vault that this machine has never seen, in a place where it has seen none.
    FirstSight,
    Distrusted(Box<Distrust>),
}

/// Why a file is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Another vault stood in this place.
    AnotherVault,
    /// The vault's own keys were replaced elsewhere, or somebody made this file who is not trusted with them.
    NewSigningKey,
    /// Signed with a key that was replaced: by a machine that does not know, or by a person who was removed.
    ReplacedSigningKey,
    /// An earlier state was put back.
    RolledBack,
    /// Saved by another machine over an earlier state: each side has saves that the other lacks.
    Forked,
    /// So much later that the list of earlier states no longer reaches what is remembered.
    TooLongAgo,
}

/// A file that is not believed, and what is remembered instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrust {
    pub reason: Reason,
    pub pin: Pin,
}

/// Judges a document that opened from the file with this hash, at a place of these names.
pub fn judge(pins: &[Pin], places: &[PathBuf], document: &Document, hash: &[u8; 32]) -> Result<Verdict, DocumentError> {
    let id = &document.meta.vault_id;
    let in_place = |pin: &&Pin| pin.is_at(places);
    // Before anything is asked about the vault itself: one that is known elsewhere must not stand in for this one.
    if let Some(other) = pins.iter().filter(in_place).find(|pin| pin.vault_id != *id) {
        return Ok(refused(Reason::AnotherVault, other));
    }
    judge_anywhere(pins, document, hash)
}

/// The same without regard to the place: what this machine remembers of that very vault.
pub fn judge_anywhere(pins: &[Pin], document: &Document, hash: &[u8; 32]) -> Result<Verdict, DocumentError> {
    let Some(pin) = pins.iter().find(|pin| pin.vault_id == document.meta.vault_id) else {
        return Ok(Verdict::FirstSight);
    };
    let key = public_key(document)?;
    let later = *hash == pin.hash.0 || document.meta.has_ancestor(&pin.hash.0);
    let ours = key == pin.signing_key || later && pin.coming_key.as_ref() == Some(&key);
    if !ours {
        let replaced = pin.replaced_keys.contains(&key);
        return Ok(refused(if replaced { Reason::ReplacedSigningKey } else { Reason::NewSigningKey }, pin));
    }
    if later {
        return Ok(Verdict::Known(pin.recipient_change(document)));
    }
    let reason = match document.meta.generation {
        earlier if earlier < pin.generation => Reason::RolledBack,
        later if later - pin.generation > MAX_ANCESTORS as u64 => Reason::TooLongAgo,
        _ => Reason::Forked,
    };
    Ok(refused(reason, pin))
}

fn refused(reason: Reason, pin: &Pin) -> Verdict {
    Verdict::Distrusted(Box::new(Distrust { reason, pin: pin.clone() }))
}

/// Of a file, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        data_encoding::HEXLOWER.encode(&hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| "not hexadecimal")?;
        bytes.try_into().map(Self).map_err(|_| "not 32 bytes")
    }
}

#[cfg(test)]
mod tests;
