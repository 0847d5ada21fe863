//! The access key that a profile signs in with, where AWS does not take it.

use crate::aws::{AwsError, Refusal};
use crate::names::{AccessKeyId, ProfileName};
use crate::session::IssueError;

use super::failure::Failure;
use super::resolved::Resolved;

/// It was deleted or switched off at AWS, or has not come to be known there.
pub struct RefusedKey {
    /// Whose key it is in the vault.
    pub profile: ProfileName,
    pub id: AccessKeyId,
    /// A rotation of it is not over.
    pub is_rotating: bool,
    /// Where a session made with MFA is left, that may switch the key on again.
    pub has_mfa: bool,
}

impl RefusedKey {
    pub fn of(resolved: &Resolved) -> Self {
        Self {
            profile: resolved.user().clone(),
            id: resolved.key().id.clone(),
            is_rotating: resolved.key_due.as_ref().is_some_and(|key| key.pending.is_some()),
            has_mfa: resolved.device().is_some(),
        }
    }

    /// The failure by its name; None where another thing failed.
    pub fn named(error: &IssueError, resolved: &Resolved) -> Option<Failure> {
        let IssueError::Call { error: AwsError::Refused { refusal: Refusal::UnknownKey, .. }, role, .. } = error else {
            return None;
        };
        // Else it is the session of the step before that AWS does not take.
        resolved.key_signs_for(role.as_ref()).then(|| Failure::KeyRefused(Self::of(resolved)))
    }
}
