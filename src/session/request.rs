//! What makes one session another than the next: whose it is, what it may do, how it was asked for.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::names::{AccessKeyId, MfaSerial, ProfileName, RoleArn, arn_user_name};

/// What goes into AssumeRole beside role and duration: of a profile, of the command line, or of both merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleOptions {
    /// None: `vault-<user>-<epoch>`.
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub tags: Vec<(String, String)>,
    pub transitive_tags: Vec<String>,
    pub source_identity: Option<String>,
    /// An inline session policy, JSON.
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
}

impl RoleOptions {
    /// These, and where they say nothing the others, key by key.
    pub fn over(self, others: &Self) -> Self {
        let list = |own: Vec<String>, others: &[String]| if own.is_empty() { others.to_vec() } else { own };
        Self {
            session_name: self.session_name.or_else(|| others.session_name.clone()),
            external_id: self.external_id.or_else(|| others.external_id.clone()),
            tags: if self.tags.is_empty() { others.tags.clone() } else { self.tags },
            transitive_tags: list(self.transitive_tags, &others.transitive_tags),
            source_identity: self.source_identity.or_else(|| others.source_identity.clone()),
            policy: self.policy.or_else(|| others.policy.clone()),
            policy_arns: list(self.policy_arns, &others.policy_arns),
        }
    }
}

/// A value that STS would refuse (STS API reference, AssumeRole), found before a code is spent on it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{value}` is no {option}: {rule}")]
pub struct BadOption {
    pub option: &'static str,
    pub value: String,
    pub rule: &'static str,
}

impl RoleOptions {
    /// The first of these that says anything, in the program's words.
    pub fn first_said(&self) -> Option<&'static str> {
        let said = [
            ("policy", self.policy.is_some() || !self.policy_arns.is_empty()),
            ("external id", self.external_id.is_some()),
            ("session name", self.session_name.is_some()),
            ("session tag", !self.tags.is_empty() || !self.transitive_tags.is_empty()),
            ("source identity", self.source_identity.is_some()),
        ];
        said.into_iter().find_map(|(name, said)| said.then_some(name))
    }

    pub fn check(&self) -> Result<(), BadOption> {
        let name_rule = "2 to 64 of letters, digits and _+=,.@-";
        check("session name", self.session_name.as_deref(), name_rule, is_session_name)?;
        check("source identity", self.source_identity.as_deref(), name_rule, is_session_name)?;
        let id_rule = "2 to 1224 of letters, digits and _+=,.@:/-";
        check("external id", self.external_id.as_deref(), id_rule, is_external_id)?;
        let policy_rule = "a JSON object of at most 2048 characters";
        check("policy", self.policy.as_deref(), policy_rule, is_policy)?;
        check_each("policy ARN", &self.policy_arns, 10, "at most 10 of arn:...", |arn| arn.starts_with("arn:"))?;
        self.check_tags()
    }

    fn check_tags(&self) -> Result<(), BadOption> {
        let keys: Vec<String> = self.tags.iter().map(|(key, _)| key.clone()).collect();
        let values: Vec<String> = self.tags.iter().map(|(_, value)| value.clone()).collect();
        let key_rule = "at most 50 keys of 1 to 128 characters, none starting with aws:";
        check_each("session tag", &keys, 50, key_rule, is_tag_key)?;
        check_each("session tag", &values, 50, "at most 256 characters", |value| value.chars().count() <= 256)?;
        check_each("transitive tag", &self.transitive_tags, 50, key_rule, is_tag_key)?;
        let mut met = HashSet::new();
        // `Department` and `department` are one key to STS.
        match keys.iter().find(|key| !met.insert(key.to_lowercase())) {
            Some(key) => Err(bad("session tag", key, "the key is given twice")),
            None => Ok(()),
        }
    }
}

fn bad(option: &'static str, value: &str, rule: &'static str) -> BadOption {
    BadOption { option, value: value.to_owned(), rule }
}

fn check(
    option: &'static str,
    value: Option<&str>,
    rule: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), BadOption> {
    match value.filter(|value| !fits(value)) {
        Some(value) => Err(bad(option, value, rule)),
        None => Ok(()),
    }
}

fn check_each(
    option: &'static str,
    values: &[String],
    most: usize,
    rule: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), BadOption> {
    let wrong = values.iter().enumerate().find(|(index, value)| *index >= most || !fits(value));
    wrong.map_or(Ok(()), |(_, value)| Err(bad(option, value, rule)))
}

fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.chars().all(is_session_name_char)
}

fn is_external_id(text: &str) -> bool {
    (2..=1224).contains(&text.len()) && text.chars().all(|c| is_session_name_char(c) || ":/".contains(c))
}

fn is_policy(text: &str) -> bool {
    let object = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object());
    object && text.chars().count() <= 2048
}

fn is_tag_key(key: &str) -> bool {
    (1..=128).contains(&key.chars().count()) && !key.to_lowercase().starts_with("aws:")
}

/// What was asked for on the command line and makes another session of the same profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub duration_seconds: Option<u32>,
    pub no_mfa: bool,
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

/// `\w` is ASCII to STS.
pub fn is_session_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
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

    #[test]
    fn flags_win_over_the_profile_key_by_key() {
        let flags = RoleOptions { external_id: Some("flag".into()), ..Default::default() };
        let profile = RoleOptions {
            external_id: Some("profile".into()),
            session_name: Some("name".into()),
            tags: vec![("k".into(), "v".into())],
            ..Default::default()
        };
        let merged = flags.over(&profile);
        assert_eq!(merged.external_id.as_deref(), Some("flag"));
        assert_eq!(merged.session_name.as_deref(), Some("name"));
        assert_eq!(merged.tags, profile.tags);
    }
}
