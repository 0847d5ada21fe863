//! Why a rotation could not go on. Wherever it stopped, the journal says how far it came, and the next run goes on from there.

use thiserror::Error;

use super::ledger::LedgerError;
use super::lock::LockTaken;
use crate::aws::{AwsError, Refusal};
use crate::names::AccessKeyId;
use crate::process::RunError;

#[derive(Debug, Error)]
pub enum Stop {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Lock(#[from] LockTaken),
    /// A key was made, and its secret could not be saved. `left` is the key where it could not be deleted again either.
    #[error("the new key could not be saved: {error}")]
    NewKeyNotSaved { error: LedgerError, left: Option<AccessKeyId> },
    /// The new key does not work minutes after it was made.
    #[error("the new key is not live yet: {error}")]
    NotLive { key: AccessKeyId, error: AwsError },
    /// The key is another user's than the vault says.
    #[error("it is a key of {found}, not of {expected}")]
    WrongUser { expected: String, found: String },
    /// Root users and roles have no keys that IAM would list for them.
    #[error("{arn} is no IAM user")]
    NotAUser { arn: String },
    /// Whoever was to get the new key did not.
    #[error("the hook failed: {0}")]
    Hook(#[from] RunError),
    /// To be deleted, and the key of another profile of the vault.
    #[error("another profile has it")]
    InVault { key: AccessKeyId },
    /// IAM's list of the user's keys does not have this one, which works.
    #[error("the list of keys lacks one that works")]
    ListLags { key: AccessKeyId },
    /// None, or not one alone.
    #[error("no such key")]
    NoSuchKey { given: String },
    /// No key at hand that could sign.
    #[error("no key at hand to sign with")]
    NoSigner,
}

impl Stop {
    /// Whether waiting for some seconds helps: AWS asks for it, or one of its servers has not heard of a fresh key yet.
    pub fn passes(&self) -> bool {
        self.is(&Refusal::Throttled) || self.is(&Refusal::UnknownKey) || matches!(self, Self::ListLags { .. })
    }

    pub fn is(&self, wanted: &Refusal) -> bool {
        matches!(self, Self::Aws(AwsError::Refused { refusal, .. }) if refusal == wanted)
    }
}
