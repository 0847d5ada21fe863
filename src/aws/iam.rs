//! IAM: what its calls have in common.

use super::client::{Repeat, Signer};

/// A user has two access keys and eight MFA devices at most (IAM quotas), so that pages without an end are not AWS's.
pub(super) const MOST_PAGES: usize = 100;

pub(super) fn signed_by(signer: &Signer, repeat: Repeat) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::Config::builder().credentials_provider(signer.credentials()).retry_config(repeat.retry_config())
}
