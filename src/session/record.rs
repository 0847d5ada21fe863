//! What is kept of an issued session: the credentials, and all that tells later readers whether they are theirs.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::Chain;
use super::plan::Lifetime;
use super::request::{Request, Slot};
use crate::aws_files::config::ConfigFile;
use crate::credentials::SessionCredentials;
use crate::disk::Status;
use crate::names::{Region, arn_account};

/// Written only into an encrypted file. No Debug: it holds credentials.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    pub slot: Slot,
    pub request: Request,
    pub credentials: SessionCredentials,
    /// The user whose key signed first, where the vault knows it.
    pub user_arn: Option<String>,
    /// The region that STS was asked in.
    pub region: Region,
    /// By this machine's clock; the expiration is by AWS's.
    pub made_at: Timestamp,
    /// AWS's clock minus this machine's when it was made, in seconds.
    pub clock_offset: i64,
    pub stamps: Stamps,
}

impl Record {
    /// Whose account the session works in: the last role's, else the user's.
    pub fn account(&self) -> Option<&str> {
        match self.request.roles.last() {
            Some(role) => Some(role.role_arn.account()),
            None => self.user_arn.as_deref().and_then(arn_account),
        }
    }

    /// By this machine's clock, which may be as wrong now as it was when the session was made.
    pub fn lifetime(&self) -> Lifetime {
        let offset = SignedDuration::from_secs(self.clock_offset);
        let expiration = self.credentials.expiration;
        Lifetime { made_at: self.made_at, expires: expiration.saturating_sub(offset).unwrap_or(expiration) }
    }
}

/// The state of the files that a session's request was read from. While they are the same, a reader needs no vault to
/// know that the request is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    pub vault: VaultStamp,
    /// SHA-256 over what `~/.aws/config` says of the chain's profiles, in hex.
    pub config: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultStamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds since 1970, as text: JSON numbers are not that long everywhere.
    #[serde(with = "as_text")]
    pub modified: i128,
    #[serde(with = "as_text")]
    pub changed: i128,
}

impl Stamps {
    pub fn of(vault: &Status, chain: &Chain, config: &ConfigFile) -> Self {
        let vault = VaultStamp {
            device: vault.device,
            inode: vault.inode,
            size: vault.size,
            modified: vault.modified,
            changed: vault.changed,
        };
        let mut hash = Sha256::new();
        for name in [&chain.user.profile].into_iter().chain(chain.roles.iter().map(|role| &role.profile)) {
            hash.update(config.digest(name));
        }
        Self { vault, config: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{now, record};
    use super::super::request::RoleRequest;
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_all_the_time_counts_the_right_time_left() {
        let mut slow = record("prod");
        slow.clock_offset = 1200;
        let expires = now() + SignedDuration::from_mins(12 * 60 - 20);
        assert_eq!(slow.lifetime(), Lifetime { made_at: now(), expires });
        slow.clock_offset = -7200;
        assert_eq!(slow.lifetime().expires, now() + SignedDuration::from_hours(14));
    }

    #[test]
    fn the_account_is_the_last_roles_else_the_users() {
        let mut record = record("prod");
        assert_eq!(record.account(), Some("111111111111"));
        let role_arn = "arn:aws:iam::222222222222:role/ops".parse().unwrap();
        record.request.roles.push(RoleRequest { role_arn, options: Default::default() });
        assert_eq!(record.account(), Some("222222222222"));
    }
}
