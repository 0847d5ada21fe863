//! Temporary credentials: what they were made from, and until when they hold.

use jiff::Timestamp;

use crate::caller::Principal;
use crate::policy::Document;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Made by GetSessionToken.
    SessionToken,
    /// Made by AssumeRole.
    Role,
    /// Made by GetFederationToken.
    Federation,
}

#[derive(Clone)]
pub(crate) struct Session {
    pub access_key_id: String,
    pub secret: String,
    pub token: String,
    pub principal: Principal,
    pub kind: Kind,
    /// Made from a role's session, so that AWS caps it at an hour.
    pub chained: bool,
    pub made: Timestamp,
    pub expires: Timestamp,
    pub mfa_at: Option<Timestamp>,
    pub policies: Vec<Document>,
    pub source_identity: Option<String>,
}
