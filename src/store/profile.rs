//! An entry of the vault, under the names that AWS's own files use. Durations are seconds, but for those of rotation, which
//! are kept as they were written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::on_login::RotateOnLogin;
use super::open_table::open_tables;
use crate::credentials::AccessKey;
use crate::duration::DurationText;
use crate::names::{AccessKeyId, MfaSerial, ProfileName, Region, RoleArn, SessionTags, TextList};
use crate::secret::{SecretAccessKey, in_sealed_bytes};

/// A named entry: a user profile where it has an access key, a role profile where it has a role.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, remote = "Self")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_tags: Option<SessionTags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitive_session_tags: Option<TextList>,
    /// What the role's session may do at most, beside the role's own policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_arns: Option<TextList>,
    /// Whether its session is for `exec` alone, and written to no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// Where `login` writes, if not to the profile's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_profile: Option<ProfileName>,
    /// How old its access key may grow before it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<DurationText>,
    /// How long the old key stays inactive before it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<DurationText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_on_login: Option<RotateOnLogin>,
    /// A command that is told of a new key: words, run without a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_hook: Option<String>,
    /// Seconds that a session with MFA may be old to change keys, by the policies of its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_max_age: Option<u32>,
    /// Another place that speaks AWS's protocol; for tests and private clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// The lines of `~/.aws/config` that the role came from, where `configure --take-over` took them out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken_over: Vec<StoredLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<StoredAccessKey>,
    #[serde(flatten, skip_deserializing)]
    pub rest: toml::Table,
}

/// A line of a section as it stood.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StoredLine {
    /// How far below the section's header.
    pub at: u32,
    /// With how it ended, if it did.
    pub text: String,
    #[serde(flatten, skip_deserializing)]
    pub rest: toml::Table,
}

/// A long-term access key and what was seen of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StoredAccessKey {
    pub id: AccessKeyId,
    #[serde(with = "in_sealed_bytes")]
    pub secret: SecretAccessKey,
    /// Whose key it is, by GetCallerIdentity; absent where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_arn: Option<String>,
    /// When the key came into the vault.
    pub added: Timestamp,
    /// When AWS made it, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When AWS last confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// The endpoint that confirmed it where it was not AWS's own: the key is for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(flatten, skip_deserializing)]
    pub rest: toml::Table,
}

open_tables!(Profile, StoredAccessKey, StoredLine);

impl Profile {
    /// The table of the journal of an unfinished rotation. This room only carries it, whatever version wrote it.
    pub const ROTATION: &str = "rotation";

    /// Whether a rotation is unfinished whose journal stands here: its secrets are nowhere else.
    pub fn is_rotating(&self) -> bool {
        self.rest.contains_key(Self::ROTATION)
    }

    /// How far that has come, in the format's words.
    pub fn rotation_state(&self) -> Option<&str> {
        self.rest.get(Self::ROTATION)?.get("state")?.as_str()
    }

    /// Whether AWS may have made a key for it whose secret is not in the vault.
    pub(super) fn may_lack_a_key(&self) -> bool {
        self.rotation_state() == Some("intended")
    }

    /// The same rotation in its entirety, to stand with the access key that it is about.
    pub(super) fn take_rotation_of(&mut self, other: &Self) {
        match other.rest.get(Self::ROTATION) {
            Some(journal) => drop(self.rest.insert(Self::ROTATION.to_owned(), journal.clone())),
            None => drop(self.rest.remove(Self::ROTATION)),
        }
    }

    /// Whose key the rotation replaces.
    pub fn rotating_user(&self) -> Option<&str> {
        self.rest.get(Self::ROTATION)?.get("user_arn")?.as_str()
    }

    pub fn is_protected(&self) -> bool {
        self.protected == Some(true)
    }
}

impl StoredAccessKey {
    /// Since when it may have been copied: a key that came into the vault by hand is older than it looks there.
    pub fn since(&self) -> Timestamp {
        self.created.unwrap_or(self.added)
    }

    pub fn access_key(&self) -> AccessKey {
        AccessKey { id: self.id.clone(), secret: self.secret.clone() }
    }
}
