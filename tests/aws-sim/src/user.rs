//! IAM users, and the root user of an account.

use jiff::Timestamp;
use serde_json::json;

use crate::caller::Principal;
use crate::policy::Document;
use crate::random;

/// A user as a test holds it: with the key that it was made with.
#[derive(Clone)]
pub struct User {
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl User {
    pub fn account(&self) -> &str {
        &self.account
    }

    /// `root` for a root user.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }
}

/// A user as AWS remembers it.
#[derive(Clone)]
pub(crate) struct UserRecord {
    pub principal: Principal,
    pub name: String,
    pub id: String,
    pub created: Timestamp,
    /// What the user may do: everything, until a test says otherwise.
    grants: Vec<Document>,
    restrictions: Vec<(String, Document)>,
}

impl UserRecord {
    pub fn user(account: &str, name: &str, created: Timestamp) -> UserRecord {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let principal = Principal::User { account: account.to_owned(), name: name.to_owned(), arn };
        UserRecord::new(principal, name, random::id("AIDA"), created)
    }

    pub fn root(account: &str, created: Timestamp) -> UserRecord {
        let principal = Principal::Root { account: account.to_owned() };
        UserRecord::new(principal, "root", account.to_owned(), created)
    }

    fn new(principal: Principal, name: &str, id: String, created: Timestamp) -> UserRecord {
        let everything = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let grants = vec![document(&everything)];
        UserRecord { principal, name: name.to_owned(), id, created, grants, restrictions: Vec::new() }
    }

    pub fn is_root(&self) -> bool {
        matches!(self.principal, Principal::Root { .. })
    }

    pub fn policies(&self) -> impl Iterator<Item = &Document> {
        self.grants.iter().chain(self.restrictions.iter().map(|(_, document)| document))
    }

    pub fn set_grants(&mut self, grants: Vec<Document>) {
        self.grants = grants;
    }

    pub fn deny(&mut self, action: &str) {
        let policy = json!({"Statement": {"Effect": "Deny", "Action": action, "Resource": "*"}});
        self.restrictions.push((action.to_owned(), document(&policy)));
    }

    pub fn lift(&mut self, action: &str) {
        self.restrictions.retain(|(denied, _)| denied != action);
    }

    /// The two statements that MFA policies are usually made of: none without MFA, and none with MFA that is too old.
    pub fn require_mfa(&mut self, actions: &[&str], max_age_seconds: Option<u64>) {
        let mut statements = vec![json!({
            "Effect": "Deny", "Action": actions, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
        })];
        statements.extend(max_age_seconds.map(|age| {
            json!({
                "Effect": "Deny", "Action": actions, "Resource": "*",
                "Condition": {"NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": age.to_string()}}
            })
        }));
        self.restrictions.push((String::new(), document(&json!({ "Statement": statements }))));
    }
}

fn document(policy: &serde_json::Value) -> Document {
    Document::parse(&policy.to_string()).expect("written above, in the part of the language that is parsed")
}
