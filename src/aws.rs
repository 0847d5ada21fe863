//! What we ask of AWS, and what it answers: typed calls to STS and IAM over the SDK, the sign-in endpoint beside them, and
//! their refusals told apart.
//!
//! The caller's own `AWS_*` credentials and the SDK's default chain are never in play: region, endpoint and credentials are
//! handed in with each call, no profile file is read and no metadata service is probed.

mod access_keys;
mod account;
mod client;
mod console;
mod creation_date;
mod error;
mod federation;
mod iam;
mod mfa_devices;
mod observer;
mod refusal;
mod roles;
mod signin;
mod sts;
mod time;
mod transport;

#[cfg(test)]
mod stage;

pub use access_keys::{KeyStatus, KeyUse, LastUse, ListedKey, NewKey};
pub use client::{Aws, Signer};
pub use console::{Page, Partition};
pub use error::{AwsError, NetworkFailure};
pub use mfa_devices::{MfaDevice, MfaDeviceKind, NewMfaDevice};
pub use refusal::Refusal;
pub use roles::RoleLimits;
pub use sts::{AssumeRoleRequest, CallerIdentity, MfaAnswer, SessionTokenRequest};
pub use transport::{CaBundle, CaBundleError};
