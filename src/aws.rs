//! What we ask of AWS, and what it answers: typed calls to STS and IAM over the SDK, and its refusals told apart.
//!
//! The caller's own `AWS_*` credentials and the SDK's default chain are never in play: region, endpoint and credentials are
//! handed in with each call, no profile file is read and no metadata service is probed.

mod client;
mod endpoint;
mod error;
mod iam;
mod mfa_devices;
mod observer;
mod refusal;
mod sts;
mod transport;

#[cfg(test)]
mod stage;

pub use client::{Aws, Signer};
pub use endpoint::{Endpoint, EndpointError, Endpoints};
pub use error::{AwsError, NetworkFailure};
pub use mfa_devices::{MfaDevice, MfaDeviceKind, NewMfaDevice};
pub use refusal::Refusal;
pub use sts::{AssumeRoleRequest, CallerIdentity, MfaAnswer, SessionTokenRequest};
pub use transport::{CaBundle, CaBundleError};
