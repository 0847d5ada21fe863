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

pub(super) fn signed_by(signer: &Signer) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::Config::builder()
        .credentials_provider(signer.credentials())
        .retry_config(Repeat::Freely.retry_config())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stage::Stage;

    #[test]
    fn devices_that_make_codes_are_told_from_those_that_do_not() {
        let stage = Stage::new();
        let yubikey = stage.sim.add_fido_device(&stage.user, "yubikey");
        let mut devices = stage.aws.mfa_devices(&Signer::AccessKey(&stage.key), "alice").unwrap();
        devices.sort_by(|one, other| one.serial.cmp(&other.serial));
        let phone = stage.phone.serial().to_owned();
        let code = MfaDeviceKind::Code(phone.parse().unwrap());
        let expected =
            [MfaDevice { serial: phone, kind: code }, MfaDevice { serial: yubikey, kind: MfaDeviceKind::Fido }];
        assert_eq!(devices, expected);
    }

    #[test]
    fn a_user_without_a_device_has_none() {
        let stage = Stage::new();
        let bob = stage.sim.add_user("123456789012", "bob");
        assert_eq!(stage.aws.mfa_devices(&Signer::AccessKey(&stage.key), bob.name()), Ok(vec![]));
    }
}
