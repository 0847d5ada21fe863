//! IAM: a user's MFA devices.

use super::client::{Aws, Signer};
use super::error::AwsError;
use crate::names::MfaSerial;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    pub serial: String,
    pub kind: MfaDeviceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MfaDeviceKind {
    /// Makes codes, which STS takes.
    Code(MfaSerial),
    /// A security key or passkey, which STS takes no answer from.
    Fido,
}

impl Aws {
    /// All MFA devices of a user, in AWS's order.
    pub fn mfa_devices(&self, _signer: &Signer, _user_name: &str) -> Result<Vec<MfaDevice>, AwsError> {
        unimplemented!("arrives with the next commit")
    }
}
