//! What the vault holds, as TOML. Keys and tables that this version does not know survive a load and a save.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::kdf::KdfParameters;
use super::open_table::open_tables;
pub use super::profile::{Profile, StoredAccessKey};
use crate::names::ProfileName;
use crate::secret::{IdentityText, SigningSeed, in_sealed_bytes};

/// What new vaults say; 1 once the format is frozen.
const FORMAT: u32 = 0;
/// The highest that is understood.
const MAX_FORMAT: u32 = 1;

/// 16 bytes of each hash stand in the list: enough to tell files apart, not to prove anything.
const ANCESTOR_BYTES: usize = 16;
const MAX_ANCESTORS: usize = 1024;

/// For who sees the payload without this program, by stock age or in an editor.
const WARNING: &str = "# The content of a vault: long-term AWS keys in plain text. If this was printed or stored anywhere, change the\n\
                       # passphrase and replace every access key.\n\n";

/// Why a payload is not a document. Never with a piece of the text: it is full of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    #[error("the content is of format {found}, newer than {MAX_FORMAT}")]
    Newer { found: u64 },
    #[error("the content can't be read at line {line}")]
    Malformed { line: usize },
    #[error("the signing key is not 32 bytes in base64")]
    SigningKey,
    #[error("the content can't be written")]
    Unwritable,
    #[error("no randomness from the system")]
    Randomness,
}

/// The whole payload.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Document {
    pub meta: Meta,
    pub auth: Auth,
    pub session: Session,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default, rename = "recipient", skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    #[serde(default, rename = "profile", skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<ProfileName, Profile>,
    #[serde(flatten, skip_deserializing)]
    pub rest: toml::Table,
}

open_tables!(Document);

impl Document {
    /// An empty vault with keys of its own.
    pub fn new(now: Timestamp, writer: String, session_identity: IdentityText) -> Result<Self, DocumentError> {
        let meta = Meta {
            format: FORMAT,
            vault_id: BASE64.encode(*random::<16>()?),
            generation: 0,
            rekeyed_at: now,
            written_at: now,
            writer,
            ancestors: String::new(),
            rest: toml::Table::new(),
        };
        let seed = BASE64.encode(*random::<32>()?);
        Ok(Self {
            meta,
            auth: Auth { ed25519_seed: SigningSeed::new(seed), rest: toml::Table::new() },
            session: Session { identity: session_identity, rest: toml::Table::new() },
            settings: Settings::default(),
            recipients: Vec::new(),
            profiles: BTreeMap::new(),
            rest: toml::Table::new(),
        })
    }

    pub fn decode(text: &[u8]) -> Result<Self, DocumentError> {
        let text = str::from_utf8(text).map_err(|error| malformed(text, error.valid_up_to()))?;
        let decoded = toml::from_str::<Self>(text);
        // A newer format may not fit our types: its number is looked for before the misfit is reported.
        let format = match &decoded {
            Ok(document) => Some(u64::from(document.meta.format)),
            Err(_) => toml::from_str::<FormatOnly>(text).ok().map(|found| found.meta.format),
        };
        match (format, decoded) {
            (Some(found), _) if found > u64::from(MAX_FORMAT) => Err(DocumentError::Newer { found }),
            (_, Ok(document)) => Ok(document),
            (_, Err(error)) => Err(malformed(text.as_bytes(), error.span().map_or(0, |span| span.start))),
        }
    }

    pub fn encode(&self) -> Result<Zeroizing<String>, DocumentError> {
        let body = Zeroizing::new(toml::to_string(self).map_err(|_| DocumentError::Unwritable)?);
        Ok(Zeroizing::new([WARNING, body.as_str()].concat()))
    }

    /// Salt and costs of the passphrase; None where only other identities open the vault.
    pub fn kdf(&self) -> Option<&KdfParameters> {
        let passphrase = self.recipients.iter().find(|recipient| recipient.kind == RecipientKind::Passphrase)?;
        passphrase.kdf.as_ref()
    }

    pub fn signing_key(&self) -> Result<SigningKey, DocumentError> {
        let seed = Zeroizing::new(BASE64.decode(self.auth.ed25519_seed.expose()).unwrap_or_default());
        let seed = seed.as_slice().try_into().map_err(|_| DocumentError::SigningKey)?;
        Ok(SigningKey::from_bytes(seed))
    }
}

impl Meta {
    /// Makes the file with this hash the newest ancestor and forgets the oldest beyond the limit.
    pub fn descend_from(&mut self, hash: &[u8; 32]) {
        // A list that isn't ours to read is begun anew: it tells about the past, nothing in the vault rests on it.
        let mut ancestors = BASE64.decode(&self.ancestors).unwrap_or_default();
        ancestors.extend_from_slice(&hash[..ANCESTOR_BYTES]);
        let excess = ancestors.len().saturating_sub(MAX_ANCESTORS * ANCESTOR_BYTES);
        self.ancestors = BASE64.encode(&ancestors[excess..]);
    }

    pub fn has_ancestor(&self, hash: &[u8; 32]) -> bool {
        let ancestors = BASE64.decode(&self.ancestors).unwrap_or_default();
        ancestors.chunks(ANCESTOR_BYTES).any(|ancestor| ancestor == &hash[..ANCESTOR_BYTES])
    }
}

/// As much of a newer document as tells that it is one.
#[derive(Deserialize)]
struct FormatOnly {
    meta: FormatMeta,
}

#[derive(Deserialize)]
struct FormatMeta {
    format: u64,
}

fn malformed(text: &[u8], offset: usize) -> DocumentError {
    let before = &text[..offset.min(text.len())];
    DocumentError::Malformed { line: 1 + before.iter().filter(|b| **b == b'\n').count() }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, DocumentError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|_| DocumentError::Randomness)?;
    Ok(bytes)
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Meta {
    /// 0 until format 1 is frozen.
    pub format: u32,
    /// 16 random bytes in base64; tells vaults apart.
    pub vault_id: String,
    /// Counts saves.
    pub generation: u64,
    pub rekeyed_at: Timestamp,
    pub written_at: Timestamp,
    /// Host name of who wrote this generation.
    pub writer: String,
    /// First 16 bytes of the SHA-256 of each of the last 1,024 ciphertexts, oldest first, as one base64 string.
    #[serde(default)]
    pub ancestors: String,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Auth {
    #[serde(with = "in_sealed_bytes")]
    pub ed25519_seed: SigningSeed,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// Opens cached sessions.
    #[serde(with = "in_sealed_bytes")]
    pub identity: IdentityText,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<ProfileName>,
    /// Seconds; for GetSessionToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_duration: Option<u32>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

/// Who may open the vault.
#[derive(Clone, Serialize, Deserialize)]
pub struct Recipient {
    pub name: String,
    pub kind: RecipientKind,
    /// `age1...`
    pub recipient: String,
    pub added: Timestamp,
    /// How the passphrase derives this recipient's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<KdfParameters>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RecipientKind {
    /// Derived from the passphrase.
    Passphrase,
    /// An age identity kept elsewhere.
    Recovery,
    /// Of a later version; kept, and encrypted to as long as it is an X25519 recipient.
    Other(String),
}

impl From<String> for RecipientKind {
    fn from(text: String) -> Self {
        match text.as_str() {
            "passphrase" => Self::Passphrase,
            "recovery" => Self::Recovery,
            _ => Self::Other(text),
        }
    }
}

impl From<RecipientKind> for String {
    fn from(kind: RecipientKind) -> String {
        match kind {
            RecipientKind::Passphrase => "passphrase".to_owned(),
            RecipientKind::Recovery => "recovery".to_owned(),
            RecipientKind::Other(text) => text,
        }
    }
}

#[cfg(test)]
mod tests;
