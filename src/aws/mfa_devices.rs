//! IAM: a user's MFA devices. Every call names the user, as AWS asks of who signs with a session.
//! https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html

use jiff::Timestamp;

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::iam::{MOST_PAGES, signed_by};
use super::refusal::Refusal;
use super::time::timestamp;
use crate::names::{MfaCode, MfaSerial};
use crate::secret::MfaSeed;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    pub serial: String,
    pub kind: MfaDeviceKind,
    /// Since when it is this user's.
    pub enabled: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MfaDeviceKind {
    /// Makes codes, which STS takes.
    Code(MfaSerial),
    /// A security key or passkey, which STS takes no answer from.
    Fido,
}

/// A virtual device that was just made: nobody's yet. Its seed is never told again.
pub struct NewMfaDevice {
    pub serial: MfaSerial,
    pub seed: MfaSeed,
}

impl Aws {
    /// All MFA devices of a user, in AWS's order.
    pub fn mfa_devices(&self, signer: &Signer, user_name: &str) -> Result<Vec<MfaDevice>, AwsError> {
        let mut devices = Vec::new();
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let page = self.call("ListMFADevices", Repeat::Freely, async || {
                self.iam()
                    .list_mfa_devices()
                    .user_name(user_name)
                    .set_marker(marker.clone())
                    .customize()
                    .config_override(signed_by(signer, Repeat::Freely))
                    .send()
                    .await
            })?;
            devices.extend(page.mfa_devices.into_iter().map(|device| {
                let enabled = timestamp(device.enable_date).ok();
                MfaDevice { enabled, ..MfaDevice::named(device.serial_number) }
            }));
            match page.marker {
                Some(next) if page.is_truncated => marker = Some(next),
                _ => return Ok(devices),
            }
        }
        Err(AwsError::unreadable("ListMFADevices", "the list has no end"))
    }

    /// Not repeated where the reply may be lost: the second call would only say that the device exists.
    pub fn create_virtual_mfa_device(&self, signer: &Signer, name: &str) -> Result<NewMfaDevice, AwsError> {
        let action = "CreateVirtualMFADevice";
        let made = self.call(action, Repeat::OnlyUnsent, async || {
            self.iam()
                .create_virtual_mfa_device()
                .virtual_mfa_device_name(name)
                .customize()
                .config_override(signed_by(signer, Repeat::OnlyUnsent))
                .send()
                .await
        })?;
        let device = made.virtual_mfa_device.ok_or_else(|| AwsError::unreadable(action, "it has no device"))?;
        let serial = device.serial_number.parse().map_err(|error| AwsError::unreadable(action, error))?;
        let seed = device.base32_string_seed.map(aws_smithy_types::Blob::into_inner).and_then(base32);
        // Without a word of what came: it may be most of a seed.
        let seed = seed.ok_or_else(|| AwsError::unreadable(action, "it has no seed"))?;
        Ok(NewMfaDevice { serial, seed })
    }

    /// Of a device that is nobody's: AWS keeps one that is in use. One that is gone already is as good.
    pub fn delete_virtual_mfa_device(&self, signer: &Signer, serial: &MfaSerial) -> Result<(), AwsError> {
        let deleted = self.call("DeleteVirtualMFADevice", Repeat::Freely, async || {
            self.iam()
                .delete_virtual_mfa_device()
                .serial_number(serial.as_str())
                .customize()
                .config_override(signed_by(signer, Repeat::Freely))
                .send()
                .await
        });
        match deleted {
            Err(AwsError::Refused { refusal: Refusal::NoSuchEntity, .. }) => Ok(()),
            deleted => deleted.map(|_| ()),
        }
    }

    /// Spends both codes.
    pub fn enable_mfa_device(
        &self,
        signer: &Signer,
        user_name: &str,
        serial: &MfaSerial,
        codes: &[MfaCode; 2],
    ) -> Result<(), AwsError> {
        let enabled = self.call("EnableMFADevice", Repeat::OnlyUnsent, async || {
            self.iam()
                .enable_mfa_device()
                .user_name(user_name)
                .serial_number(serial.as_str())
                .authentication_code1(codes[0].as_str())
                .authentication_code2(codes[1].as_str())
                .customize()
                .config_override(signed_by(signer, Repeat::OnlyUnsent))
                .send()
                .await
        });
        enabled.map(|_| ())
    }

    /// Of a device of any kind, which is nobody's after that. One that is so already is as good.
    pub fn deactivate_mfa_device(&self, signer: &Signer, user_name: &str, serial: &str) -> Result<(), AwsError> {
        let deactivated = self.call("DeactivateMFADevice", Repeat::Freely, async || {
            self.iam()
                .deactivate_mfa_device()
                .user_name(user_name)
                .serial_number(serial)
                .customize()
                .config_override(signed_by(signer, Repeat::Freely))
                .send()
                .await
        });
        match deactivated {
            Err(AwsError::Refused { refusal: Refusal::NoSuchEntity, .. }) => Ok(()),
            deactivated => deactivated.map(|_| ()),
        }
    }

    /// Tells AWS how far a device's clock is off; spends both codes.
    pub fn resync_mfa_device(
        &self,
        signer: &Signer,
        user_name: &str,
        serial: &MfaSerial,
        codes: &[MfaCode; 2],
    ) -> Result<(), AwsError> {
        let resynced = self.call("ResyncMFADevice", Repeat::OnlyUnsent, async || {
            self.iam()
                .resync_mfa_device()
                .user_name(user_name)
                .serial_number(serial.as_str())
                .authentication_code1(codes[0].as_str())
                .authentication_code2(codes[1].as_str())
                .customize()
                .config_override(signed_by(signer, Repeat::OnlyUnsent))
                .send()
                .await
        });
        resynced.map(|_| ())
    }
}

impl MfaDevice {
    fn named(serial: String) -> Self {
        // Whatever is not named like a device that makes codes can't be used for one.
        let kind = serial.parse().map_or(MfaDeviceKind::Fido, MfaDeviceKind::Code);
        Self { serial, kind, enabled: None }
    }
}

/// The seed as AWS sends it: text, inside of what is base64 on the wire.
fn base32(bytes: Vec<u8>) -> Option<MfaSeed> {
    let fits = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7' | b'=');
    let text = String::from_utf8(bytes).ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| fits(&byte)));
    text.map(MfaSeed::new)
}

#[cfg(test)]
mod tests {
    use aws_sim::{Failure, Kind};
    use jiff::SignedDuration;

    use super::*;
    use crate::aws::stage::Stage;

    /// Two codes that a device shows one after the other.
    fn two_codes(stage: &Stage, serial: &MfaSerial) -> [MfaCode; 2] {
        let device = stage.sim.mfa_device(serial.as_str()).unwrap();
        let first = device.code();
        stage.sim.advance(std::time::Duration::from_secs(30));
        [first.parse().unwrap(), device.code().parse().unwrap()]
    }

    fn refusal<T>(answer: Result<T, AwsError>) -> Option<Refusal> {
        match answer {
            Err(AwsError::Refused { refusal, .. }) => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn devices_that_make_codes_are_told_from_those_that_do_not() {
        let stage = Stage::new();
        let yubikey = stage.sim.add_fido_device(&stage.user, "yubikey");
        let mut devices = stage.aws.mfa_devices(&Signer::AccessKey(&stage.key), "alice").unwrap();
        devices.sort_by(|one, other| one.serial.cmp(&other.serial));
        let phone = stage.phone.serial().to_owned();
        let kinds: Vec<_> = devices.iter().map(|device| (device.serial.clone(), device.kind.clone())).collect();
        let code = MfaDeviceKind::Code(phone.parse().unwrap());
        assert_eq!(kinds, [(phone, code), (yubikey, MfaDeviceKind::Fido)]);
        let just_now = |device: &MfaDevice| stage.sim.now().duration_since(device.enabled.unwrap());
        assert!(devices.iter().all(|device| just_now(device) < SignedDuration::from_secs(60)), "{devices:?}");
    }

    #[test]
    fn a_user_without_a_device_has_none() {
        let stage = Stage::new();
        let bob = stage.sim.add_user("123456789012", "bob");
        assert_eq!(stage.aws.mfa_devices(&Signer::AccessKey(&stage.key), bob.name()), Ok(vec![]));
    }

    #[test]
    fn a_device_is_made_with_its_seed_enabled_by_two_codes_and_then_the_users() {
        let stage = Stage::new();
        let bob = stage.sim.add_user("123456789012", "bob");
        let key = crate::aws::stage::access_key(bob.access_key_id(), bob.secret_access_key());
        let signer = Signer::AccessKey(&key);
        let made = stage.aws.create_virtual_mfa_device(&signer, "bob").ok().unwrap();
        assert_eq!(made.serial.as_str(), "arn:aws:iam::123456789012:mfa/bob");
        assert_eq!(made.seed.expose(), stage.sim.mfa_device(made.serial.as_str()).unwrap().seed_base32());
        let again = stage.aws.create_virtual_mfa_device(&signer, "bob").map(|_| ());
        assert_eq!(refusal(again), Some(Refusal::AlreadyExists));

        let codes = two_codes(&stage, &made.serial);
        let swapped = [codes[1].clone(), codes[0].clone()];
        let enable = |codes| stage.aws.enable_mfa_device(&signer, "bob", &made.serial, codes);
        assert_eq!(refusal(enable(&swapped)), Some(Refusal::WrongPairOfCodes));
        assert_eq!(enable(&codes), Ok(()));
        assert_eq!(stage.aws.mfa_devices(&signer, "bob").unwrap()[0].serial, made.serial.as_str());
        assert!(stage.aws.delete_virtual_mfa_device(&signer, &made.serial).is_err(), "it is in use");
    }

    #[test]
    fn a_device_that_is_nobodys_is_deleted_and_one_that_is_gone_is_as_good() {
        let stage = Stage::new();
        let signer = Signer::AccessKey(&stage.key);
        let made = stage.aws.create_virtual_mfa_device(&signer, "tablet").ok().unwrap();
        for _ in 0..2 {
            assert_eq!(stage.aws.delete_virtual_mfa_device(&signer, &made.serial), Ok(()));
            assert!(stage.sim.mfa_device(made.serial.as_str()).is_none());
        }
    }

    #[test]
    fn a_device_that_is_deactivated_is_nobodys_and_can_be_deleted() {
        let stage = Stage::new();
        let signer = Signer::AccessKey(&stage.key);
        let serial: MfaSerial = stage.phone.serial().parse().unwrap();
        for _ in 0..2 {
            assert_eq!(stage.aws.deactivate_mfa_device(&signer, "alice", serial.as_str()), Ok(()));
        }
        assert_eq!(stage.aws.mfa_devices(&signer, "alice"), Ok(vec![]));
        assert_eq!(stage.aws.delete_virtual_mfa_device(&signer, &serial), Ok(()));
        assert!(stage.sim.mfa_device(serial.as_str()).is_none());
    }

    #[test]
    fn a_device_whose_clock_is_off_is_understood_after_a_resync() {
        let stage = Stage::new();
        stage.phone.drift(10);
        assert!(stage.aws.session_token(&stage.key, &stage.with_mfa()).is_err());
        let serial: MfaSerial = stage.phone.serial().parse().unwrap();
        let codes = two_codes(&stage, &serial);
        let signer = Signer::AccessKey(&stage.key);
        assert_eq!(stage.aws.resync_mfa_device(&signer, "alice", &serial, &codes), Ok(()));
        stage.sim.advance(std::time::Duration::from_secs(30));
        assert!(stage.aws.session_token(&stage.key, &stage.with_mfa()).is_ok());
    }

    #[test]
    fn what_spends_codes_or_names_is_not_sent_twice() {
        for action in ["CreateVirtualMFADevice", "EnableMFADevice", "ResyncMFADevice"] {
            let stage = Stage::new();
            let serial: MfaSerial = stage.phone.serial().parse().unwrap();
            let codes = ["123456".parse().unwrap(), "234567".parse().unwrap()];
            let signer = Signer::AccessKey(&stage.key);
            stage.sim.fail(Failure::on(action).kind(Kind::AfterApplied));
            let lost = match action {
                "CreateVirtualMFADevice" => stage.aws.create_virtual_mfa_device(&signer, "new").map(|_| ()),
                "EnableMFADevice" => stage.aws.enable_mfa_device(&signer, "alice", &serial, &codes),
                _ => stage.aws.resync_mfa_device(&signer, "alice", &serial, &codes),
            };
            assert!(matches!(lost, Err(AwsError::Network { .. })), "{action}: {lost:?}");
            assert_eq!(stage.sim.count(action), 1, "{action}");
        }
    }
}
