//! IAM: a user's MFA devices.

use super::client::{Aws, Repeat, Signer};
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
    pub fn mfa_devices(&self, signer: &Signer, user_name: &str) -> Result<Vec<MfaDevice>, AwsError> {
        let mut devices = Vec::new();
        let mut marker = None;
        loop {
            let page = self.call("ListMFADevices", Repeat::Freely, async || {
                self.iam()
                    .list_mfa_devices()
                    .user_name(user_name)
                    .set_marker(marker.clone())
                    .customize()
                    .config_override(signed_by(signer))
                    .send()
                    .await
            })?;
            devices.extend(page.mfa_devices.into_iter().map(|device| MfaDevice::named(device.serial_number)));
            // A marker that comes back unchanged would be followed for ever.
            match page.marker {
                Some(next) if page.is_truncated && marker.as_ref() != Some(&next) => marker = Some(next),
                _ => return Ok(devices),
            }
        }
    }
}

impl MfaDevice {
    fn named(serial: String) -> Self {
        // Whatever is not named like a device that makes codes can't be used for one.
        let kind = serial.parse().map_or(MfaDeviceKind::Fido, MfaDeviceKind::Code);
        Self { serial, kind }
    }
}

fn signed_by(signer: &Signer) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::Config::builder()
        .credentials_provider(signer.credentials())
        .retry_config(Repeat::Freely.retry_config())
}
