//! The two kinds of AWS credentials: the long-term pair that stays in the vault, and the session that leaves it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::AccessKeyId;
use crate::secret::{SecretAccessKey, SessionToken, in_sealed_bytes};

/// A long-term access key.
#[derive(Clone)]
pub struct AccessKey {
    pub id: AccessKeyId,
    pub secret: SecretAccessKey,
}

impl AccessKey {
    /// Whether it is the same secret, too: a pair with a new secret is another key, whatever its id.
    pub fn is_same_pair(&self, other: &Self) -> bool {
        self.id == other.id && self.secret.expose() == other.secret.expose()
    }
}

/// Temporary credentials from STS; expiration by AWS's clock.
#[derive(Clone, Serialize, Deserialize)]
pub struct SessionCredentials {
    pub access_key_id: AccessKeyId,
    #[serde(with = "in_sealed_bytes")]
    pub secret_access_key: SecretAccessKey,
    #[serde(with = "in_sealed_bytes")]
    pub session_token: SessionToken,
    pub expiration: Timestamp,
}

impl SessionCredentials {
    /// In whole seconds: not every SDK reads a fraction.
    pub fn expiration_text(&self) -> String {
        self.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
