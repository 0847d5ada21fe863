//! What is passed on to AssumeRole beside role and duration, and STS's limits on it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// These, and where they say nothing the others, key by key. The two ways to say policies are one: a session may do what
    /// any of its policies allows, so that those of a profile beside others would widen them.
    pub fn over(self, others: &Self) -> Self {
        let no_policy = Self::default();
        let policies = if self.has_policies() { &no_policy } else { others };
        let list = |own: Vec<String>, others: &[String]| if own.is_empty() { others.to_vec() } else { own };
        Self {
            session_name: self.session_name.or_else(|| others.session_name.clone()),
            external_id: self.external_id.or_else(|| others.external_id.clone()),
            tags: if self.tags.is_empty() { others.tags.clone() } else { self.tags },
            transitive_tags: list(self.transitive_tags, &others.transitive_tags),
            source_identity: self.source_identity.or_else(|| others.source_identity.clone()),
            policy: self.policy.or_else(|| policies.policy.clone()),
            policy_arns: list(self.policy_arns, &policies.policy_arns),
        }
    }

    pub fn has_policies(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
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
            ("policy", self.has_policies()),
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

/// `\w` is ASCII to STS.
pub fn is_session_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// A session may do what any of its policies allows.
    #[test]
    fn policies_take_the_place_of_others_whichever_way_they_are_said() {
        let inline = || RoleOptions { policy: Some("{}".into()), ..Default::default() };
        let managed = || RoleOptions { policy_arns: vec!["arn:aws:iam::aws:policy/X".into()], ..Default::default() };
        assert_eq!(inline().over(&managed()), inline());
        assert_eq!(managed().over(&inline()), managed());
        assert_eq!(RoleOptions::default().over(&managed()), managed());
    }

    #[test]
    fn what_sts_would_refuse_is_refused_before_a_code_is_spent() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let text = |text: &str| Some(text.to_owned());
        let rest = RoleOptions::default;
        let many = (0..51).map(|number| pair(&format!("k{number}"), "")).collect();
        for (bad, option) in [
            (RoleOptions { session_name: text("x"), ..rest() }, "session name"),
            (RoleOptions { session_name: text(&"x".repeat(65)), ..rest() }, "session name"),
            (RoleOptions { session_name: text("a b"), ..rest() }, "session name"),
            (RoleOptions { session_name: text("ännchen"), ..rest() }, "session name"),
            (RoleOptions { source_identity: text("a/b"), ..rest() }, "source identity"),
            (RoleOptions { external_id: text("x"), ..rest() }, "external id"),
            (RoleOptions { external_id: text("a b"), ..rest() }, "external id"),
            (RoleOptions { policy: text("not json"), ..rest() }, "policy"),
            (RoleOptions { policy: text("[]"), ..rest() }, "policy"),
            (RoleOptions { policy: text(&format!("{{\"a\":\"{}\"}}", "x".repeat(2048))), ..rest() }, "policy"),
            (RoleOptions { policy_arns: vec!["ReadOnlyAccess".into()], ..rest() }, "policy ARN"),
            (RoleOptions { policy_arns: vec!["arn:aws:iam::aws:policy/X".into(); 11], ..rest() }, "policy ARN"),
            (RoleOptions { tags: vec![pair("", "x")], ..rest() }, "session tag"),
            (RoleOptions { tags: vec![pair("AWS:x", "x")], ..rest() }, "session tag"),
            (RoleOptions { tags: vec![pair("k", &"x".repeat(257))], ..rest() }, "session tag"),
            (RoleOptions { tags: vec![pair("team", "a"), pair("Team", "b")], ..rest() }, "session tag"),
            (RoleOptions { tags: many, ..rest() }, "session tag"),
            (RoleOptions { transitive_tags: vec![String::new()], ..rest() }, "transitive tag"),
        ] {
            assert_eq!(bad.check().unwrap_err().option, option, "{bad:?}");
        }
        let good = RoleOptions {
            session_name: text("alice@example.com"),
            external_id: text("a:b/c"),
            tags: vec![pair("team", ""), pair("größe", "XL")],
            transitive_tags: vec!["team".into()],
            source_identity: text("alice"),
            policy: text("{\"Version\":\"2012-10-17\"}"),
            policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into(); 10],
        };
        assert_eq!(good.check(), Ok(()));
    }
}
