//! What the vault holds, as TOML. Keys and tables that this version does not know survive a load and a save.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::credentials::AccessKey;
use crate::names::{AccessKeyId, MfaSerial, ProfileName, Region, RoleArn};
use crate::secret::{IdentityText, SecretAccessKey, SigningSeed, in_sealed_bytes};

/// The whole payload.
#[derive(Clone, Serialize, Deserialize)]
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
    #[serde(flatten)]
    pub rest: toml::Table,
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
    #[serde(flatten)]
    pub kind: RecipientKind,
    /// `age1...`
    pub recipient: String,
    pub added: Timestamp,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RecipientKind {
    /// Derived from the passphrase with this salt and these costs.
    Passphrase {
        /// 22 characters of unpadded base64.
        salt: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    /// An age identity kept elsewhere.
    Recovery,
}

/// A named entry: a user profile where it has an access key, a role profile where it has a role.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_serial: Option<MfaSerial>,
    /// A command that prints the MFA code: words, run without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_process: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<RoleArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_profile: Option<ProfileName>,
    /// Seconds, for GetSessionToken of a user profile or AssumeRole of a role profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_session_name: Option<String>,
    /// Where `login` writes, if not to the profile's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_profile: Option<ProfileName>,
    /// Another place that speaks AWS's protocol; for tests and private clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<StoredAccessKey>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

/// A long-term access key and what was seen of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredAccessKey {
    pub id: AccessKeyId,
    #[serde(with = "in_sealed_bytes")]
    pub secret: SecretAccessKey,
    /// Whose key it is, by GetCallerIdentity; absent where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_arn: Option<String>,
    /// When the key came into the vault.
    pub added: Timestamp,
    /// When AWS last confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// The endpoint that confirmed it where it was not AWS's own: the key is for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl StoredAccessKey {
    pub fn access_key(&self) -> AccessKey {
        AccessKey { id: self.id.clone(), secret: self.secret.clone() }
    }
}
