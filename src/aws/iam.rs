//! IAM: what its calls have in common.

use super::client::{Repeat, Signer};

pub(super) fn signed_by(signer: &Signer, repeat: Repeat) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::Config::builder().credentials_provider(signer.credentials()).retry_config(repeat.retry_config())
}
