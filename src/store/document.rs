//! What the vault holds, as TOML. Keys and tables that this version does not know survive a load and a save.

mod auth;
mod log_mark;
mod pieces;
mod recipient;
mod settings;

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::fingerprint::Fingerprint;
use super::kdf::KdfParameters;
pub use super::on_login::RotateOnLogin;
use super::open_table::open_tables;
pub use super::profile::{Profile, StoredAccessKey, StoredLine};
use crate::names::ProfileName;
use crate::secret::{IdentityText, in_sealed_bytes};
pub use auth::Auth;
pub use log_mark::LogMark;
pub use recipient::{Derivation, Recipient, RecipientKind};
pub use settings::{AgentSettings, Settings};

/// What is written, and the highest that is understood.
pub const FORMAT: u32 = 1;

/// 16 bytes of each hash stand in the list: enough to tell files apart, not to prove anything.
const ANCESTOR_BYTES: usize = 16;
pub(super) const MAX_ANCESTORS: usize = 1024;

/// For who sees the payload without this program, by stock age or in an editor.
const WARNING: &str = "# The content of a vault: long-term AWS keys in plain text. If this was printed or stored anywhere, change the\n\
                       # passphrase and replace every access key.\n\n";

/// Why a payload is not a document. Never with a piece of the text: it is full of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    #[error("the content is of format {found}, newer than {FORMAT}")]
    Newer { found: u64 },
    #[error("there is no format {found}")]
    Unknown { found: u32 },
    #[error("two recipients are a passphrase's")]
    TwoPassphrases,
    #[error("the content can't be read at line {line}")]
    Malformed { line: usize },
    #[error("the signing key is not 32 bytes in base64")]
    SigningKey,
    #[error("the vault's id is not 16 bytes in base64")]
    VaultId,
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
    /// How each machine's log stood when it last saved, by its host name.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub log: toml::Table,
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
            rekeyed_generation: 1,
            written_at: now,
            writer,
            ancestors: String::new(),
            rest: toml::Table::new(),
        };
        Ok(Self {
            meta,
            auth: Auth::fresh(toml::Table::new())?,
            session: Session { identity: session_identity, rest: toml::Table::new() },
            settings: Settings::default(),
            log: toml::Table::new(),
            recipients: Vec::new(),
            profiles: BTreeMap::new(),
            rest: toml::Table::new(),
        })
    }

    pub fn decode(text: &[u8]) -> Result<Self, DocumentError> {
        let text = str::from_utf8(text).map_err(|error| malformed(text, error.valid_up_to()))?;
        let decoded = pieces::read(text).map_or_else(|| toml::from_str::<Self>(text), Ok);
        // A newer format may not fit our types: its number is looked for before the misfit is reported.
        let format = match &decoded {
            Ok(document) => Some(u64::from(document.meta.format)),
            Err(_) => toml::from_str::<FormatOnly>(text).ok().map(|found| found.meta.format),
        };
        match (format, decoded) {
            (Some(found), _) if found > u64::from(FORMAT) => Err(DocumentError::Newer { found }),
            (_, Ok(document)) => document.checked(),
            (_, Err(error)) => Err(malformed(text.as_bytes(), error.span().map_or(0, |span| span.start))),
        }
    }

    pub fn encode(&self) -> Result<Zeroizing<String>, DocumentError> {
        self.encode_after("")
    }

    /// With a line before it that belongs to what it is sealed in: the text of ten thousand profiles is megabytes, not to be
    /// copied once more for a line.
    pub(super) fn encode_after(&self, line: &str) -> Result<Zeroizing<String>, DocumentError> {
        let body = toml::to_string(self).map_err(|_| DocumentError::Unwritable)?;
        Ok(Zeroizing::new([line, WARNING, body.as_str()].concat()))
    }

    /// What no reader may overlook: it decides which vault this is, and how it opens.
    fn checked(self) -> Result<Self, DocumentError> {
        if self.meta.format != FORMAT {
            return Err(DocumentError::Unknown { found: self.meta.format });
        }
        self.vault_id()?;
        if self.passphrases() > 1 {
            return Err(DocumentError::TwoPassphrases);
        }
        Ok(self)
    }

    fn vault_id(&self) -> Result<[u8; 16], DocumentError> {
        let id = BASE64.decode(&self.meta.vault_id).map_err(|_| DocumentError::VaultId)?;
        id.try_into().map_err(|_| DocumentError::VaultId)
    }

    /// How many recipients are a passphrase's; a vault has one at most.
    pub(super) fn passphrases(&self) -> usize {
        self.recipients.iter().filter(|recipient| recipient.kind == RecipientKind::Passphrase).count()
    }

    /// What the passphrase derives; None where only other identities open the vault.
    pub fn passphrase_recipient(&self) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.kind == RecipientKind::Passphrase)
    }

    /// In the place of the one there is, which keeps its name.
    pub fn set_passphrase_recipient(&mut self, new: Recipient) {
        match self.recipients.iter_mut().find(|recipient| recipient.kind == RecipientKind::Passphrase) {
            Some(old) => *old = Recipient { name: old.name.clone(), rest: std::mem::take(&mut old.rest), ..new },
            None => self.recipients.insert(0, new),
        }
    }

    /// Salt and costs of the passphrase.
    pub fn kdf(&self) -> Option<&KdfParameters> {
        Some(&self.passphrase_recipient()?.kdf.as_ref()?.parameters)
    }

    /// New keys for the vault itself: what was sealed or signed with the old ones tells nothing about what comes.
    pub fn replace_keys(&mut self, session_identity: IdentityText) -> Result<(), DocumentError> {
        self.auth = Auth::fresh(std::mem::take(&mut self.auth.rest))?;
        self.session.identity = session_identity;
        Ok(())
    }

    /// What people compare to know that they mean the same vault.
    pub fn fingerprint(&self) -> Result<Fingerprint, DocumentError> {
        Ok(Fingerprint::of(&self.vault_id()?, &self.auth.verifying_key()?))
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
    /// How this document is to be read. Keys may be added within a format; their meaning changes only with it.
    pub format: u32,
    /// 16 random bytes in base64; tells vaults apart.
    pub vault_id: String,
    /// Counts saves.
    pub generation: u64,
    /// When the keys of the vault itself were last replaced.
    pub rekeyed_at: Timestamp,
    /// The generation that did it: older ones open for people who may have been removed since, and are deleted.
    pub rekeyed_generation: u64,
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
pub struct Session {
    /// Opens cached sessions.
    #[serde(with = "in_sealed_bytes")]
    pub identity: IdentityText,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[cfg(test)]
mod tests;
