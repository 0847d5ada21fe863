//! Gets a session: the cached one, or by the calls that are missing. Of many callers at once one makes the calls and the
//! others take what it got, so that a person is asked for one code.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::cache::Cache;
use super::mfa::{CodeAsker, CodeError, Codes, Why};
use super::plan::{Device, Freshness, Ladder, Note, Plan, PlanError, Rung, Start};
use super::record::{Record, Stamps};
use super::request::{RoleRequest, default_session_name};
use crate::aws::{AssumeRoleRequest, Aws, AwsError, MfaAnswer, Refusal, SessionTokenRequest, Signer};
use crate::clock::Clock;
use crate::credentials::{AccessKey, SessionCredentials};
use crate::disk::{Lock, LockError};
use crate::names::{ProfileName, Region, RoleArn};

/// How long a caller waits for another that is getting the same session: a person may be looking for their phone.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A clock that is off by less is not worth a word.
const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(60);

/// Made at the first call; a cached session takes no connection to AWS.
pub type LazyAws<'a> = LazyCell<Aws, Box<dyn FnOnce() -> Aws + 'a>>;

/// What getting sessions takes beside the chain.
pub struct Issuer<'a> {
    pub cache: &'a Cache<'a>,
    pub aws: &'a LazyAws<'a>,
    pub clock: &'a dyn Clock,
    pub asker: &'a mut dyn CodeAsker,
    /// [`PATIENCE`], or less where the caller itself would be given up on.
    pub patience: Duration,
}

/// One session to get.
pub struct Errand<'a> {
    pub ladder: &'a Ladder,
    pub freshness: Freshness,
    /// The one access key that the ladder starts from; while a person looks for their phone we hold no other.
    pub key: &'a AccessKey,
    /// Where the `Aws` that is handed in calls.
    pub region: &'a Region,
    pub stamps: &'a Stamps,
}

/// A session, and how it came about.
pub struct Issued {
    pub record: Record,
    pub reused: bool,
    pub notes: Vec<Note>,
}

impl Issued {
    pub fn credentials(&self) -> &SessionCredentials {
        &self.record.credentials
    }

    /// By AWS's clock.
    pub fn expires(&self) -> Timestamp {
        self.record.credentials.expiration
    }
}

#[derive(Debug, Error)]
pub enum IssueError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Another process was getting this session for longer than we waited.
    #[error("another process is getting the session of `{profile}`")]
    Busy { profile: ProfileName, pid: Option<u32> },
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The call for this profile's session; None where the role is, it was GetSessionToken.
    #[error("{error}")]
    Call { profile: ProfileName, role: Option<RoleArn>, error: AwsError },
}

impl Issuer<'_> {
    pub fn issue(&mut self, errand: &Errand) -> Result<Issued, IssueError> {
        todo!()
    }
}
