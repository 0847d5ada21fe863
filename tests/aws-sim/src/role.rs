//! Roles, and who may assume them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::policy::Document;
use crate::random;

const HOUR: Duration = Duration::from_secs(3600);

/// A role to be made. `Role::new(account, name, Trust::of(account))`, then what differs.
#[derive(Debug, Clone)]
pub struct Role {
    pub account: String,
    pub name: String,
    pub trust: Trust,
    /// MaxSessionDuration: 1 to 12 hours.
    pub max_session: Duration,
    pub description: Option<String>,
}

impl Role {
    pub fn new(account: &str, name: &str, trust: Trust) -> Role {
        Role { account: account.to_owned(), name: name.to_owned(), trust, max_session: HOUR, description: None }
    }

    pub fn max_session(self, max_session: Duration) -> Role {
        Role { max_session, ..self }
    }

    pub fn description(self, description: &str) -> Role {
        Role { description: Some(description.to_owned()), ..self }
    }
}

/// Whom a role trusts, and under which conditions.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Account numbers or ARNs of users and roles.
    pub principals: Vec<String>,
    pub require_mfa: bool,
    pub max_mfa_age: Option<Duration>,
    pub external_id: Option<String>,
}

impl Trust {
    /// An account's number, or the ARN of a user or role.
    pub fn of(principal: &str) -> Trust {
        Trust { principals: vec![principal.to_owned()], ..Trust::default() }
    }

    pub fn with_mfa(self) -> Trust {
        Trust { require_mfa: true, ..self }
    }

    pub fn with_mfa_younger_than(self, age: Duration) -> Trust {
        Trust { require_mfa: true, max_mfa_age: Some(age), ..self }
    }

    pub fn with_external_id(self, external_id: &str) -> Trust {
        Trust { external_id: Some(external_id.to_owned()), ..self }
    }

    fn policy(&self) -> Value {
        let mut conditions = serde_json::Map::new();
        if self.require_mfa {
            conditions.insert("Bool".to_owned(), json!({"aws:MultiFactorAuthPresent": "true"}));
        }
        if let Some(age) = self.max_mfa_age {
            let limit = json!({"aws:MultiFactorAuthAge": age.as_secs().to_string()});
            conditions.insert("NumericLessThan".to_owned(), limit);
        }
        if let Some(external_id) = &self.external_id {
            conditions.insert("StringEquals".to_owned(), json!({"sts:ExternalId": external_id}));
        }
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": self.principals.iter().map(|name| principal_arn(name)).collect::<Vec<_>>()},
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
            "Condition": conditions,
        }]})
    }
}

fn principal_arn(name: &str) -> String {
    let is_account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { format!("arn:aws:iam::{name}:root") } else { name.to_owned() }
}

/// A role as AWS remembers it.
#[derive(Clone)]
pub(crate) struct RoleRecord {
    pub account: String,
    pub name: String,
    pub arn: String,
    pub id: String,
    pub trust: Document,
    pub trust_json: String,
    pub max_session_seconds: i64,
    pub description: Option<String>,
    pub created: Timestamp,
}

impl RoleRecord {
    pub fn new(role: &Role, created: Timestamp) -> RoleRecord {
        let trust_json = role.trust.policy().to_string();
        RoleRecord {
            arn: format!("arn:aws:iam::{}:role/{}", role.account, role.name),
            account: role.account.clone(),
            name: role.name.clone(),
            id: random::id("AROA"),
            trust: Document::parse(&trust_json).expect("written above, in the part of the language that is parsed"),
            trust_json,
            max_session_seconds: i64::try_from(role.max_session.as_secs()).unwrap_or(i64::MAX),
            description: role.description.clone(),
            created,
        }
    }
}
