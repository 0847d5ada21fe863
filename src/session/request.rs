//! What makes one session another than the next: whose it is, what it may do, how it was asked for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::role_options::{RoleOptions, is_session_name_char};
use crate::names::{AccessKeyId, MfaSerial, ProfileName, RoleArn, arn_user_name};

/// What was asked for on the command line and makes another session of the same profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub duration_seconds: Option<u32>,
    pub no_mfa: bool,
    /// A role that no profile has, assumed by the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<RoleArn>,
    /// No more than AWS's own policy ReadOnlyAccess allows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Whether the access key itself is to assume the role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub straight: bool,
    #[serde(flatten)]
    pub role: RoleOptions,
}

/// Where a session's record is found. Known from profile and command line alone, so that a reader needs no vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub profile: ProfileName,
    pub asked: Asked,
    /// The MFA serial where it was taken from a role further along the chain: the profile by itself would have none, and
    /// its own session must not push this one out.
    pub serial: Option<MfaSerial>,
}

/// A role and all that is passed on to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRequest {
    pub role_arn: RoleArn,
    #[serde(flatten)]
    pub options: RoleOptions,
}

/// A session's request with every default filled in. Two equal requests may share a session, different ones never: a
/// cached session must not outlive an edit of its profile.
///
/// Not part of it is how the code was given (to GetSessionToken or to AssumeRole itself), which makes no difference to
/// what the session may do; nor the region, since a token from any regional endpoint is good in all (IAM user guide,
/// "Manage AWS STS in an AWS Region").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub access_key_id: AccessKeyId,
    /// None is AWS itself. A session made elsewhere must never be sent to AWS, nor one of AWS's elsewhere.
    pub endpoint: Option<String>,
    /// The device that a code came from; None: without MFA.
    pub serial: Option<MfaSerial>,
    pub roles: Vec<RoleRequest>,
    pub duration_seconds: u32,
    /// Whether the duration was asked for on the command line.
    pub duration_asked: bool,
}

impl Request {
    /// Whether a session made for this request may serve another. A duration asked for by flag serves later callers that
    /// name none: after `login --duration 36h`, `exec` must not ask for a second code.
    pub fn serves(&self, other: &Self) -> bool {
        let duration_fits =
            self.duration_seconds == other.duration_seconds || (self.duration_asked && !other.duration_asked);
        duration_fits && self.serves_in_any_duration(other)
    }

    /// The same for a session that only has to sign the next call: how long it lives in all does not matter.
    pub fn serves_in_any_duration(&self, other: &Self) -> bool {
        self.access_key_id == other.access_key_id
            && self.endpoint == other.endpoint
            && self.serial == other.serial
            && self.roles == other.roles
    }
}

/// The name that CloudTrail shows a role session under where none was chosen: `vault-<user>-<epoch>`, 2 to 64 of
/// `[\w+=,.@-]` (STS API reference, AssumeRole).
pub fn default_session_name(user_arn: Option<&str>, profile: &ProfileName, now: Timestamp) -> String {
    let user = user_arn.and_then(arn_user_name).unwrap_or(profile.as_str());
    let (head, tail) = ("vault-", format!("-{}", now.as_second()));
    let room = 64 - head.len() - tail.len();
    let user: String = user.chars().map(|c| if is_session_name_char(c) { c } else { '-' }).take(room).collect();
    format!("{head}{user}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_session_name_fits_sts_for_any_user() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let profile: ProfileName = "team/prod:x".parse().unwrap();
        assert_eq!(
            default_session_name(Some("arn:aws:iam::123456789012:user/x/alice"), &profile, now),
            "vault-alice-1795219200"
        );
        assert_eq!(default_session_name(None, &profile, now), "vault-team-prod-x-1795219200");
        let long = format!("arn:aws:iam::123456789012:user/{}", "é@".repeat(64));
        let name = default_session_name(Some(&long), &profile, now);
        assert_eq!(name.len(), 64);
        assert!(name.chars().all(is_session_name_char), "{name}");
    }
}
