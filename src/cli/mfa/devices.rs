//! The MFA devices that IAM lists for the user.

use crate::aws::{AwsError, MfaDevice, MfaDeviceKind, Refusal, Signer};
use crate::cli::failure::Failure;
use crate::cli::sign_in::{Purpose, SignInArgs};
use crate::cli::world::World;

use super::subject::Subject;

/// By the key, which takes no code, where the user's policies let it.
pub fn listed(subject: &Subject, signing: &SignInArgs, world: &World) -> Result<Vec<MfaDevice>, Failure> {
    let listed = match subject.aws.mfa_devices(&subject.key(), &subject.user) {
        Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) if subject.device().is_some() => {
            let session = subject.session(signing, Purpose::Inside, world)?;
            subject.aws.mfa_devices(&Signer::Session(session.credentials()), &subject.user)
        }
        listed => listed,
    };
    listed.map_err(|error| subject.refused(error))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Virtual,
    Hardware,
    Fido,
}

impl Kind {
    /// As `mfa list` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Hardware => "hardware",
            Self::Fido => "fido",
        }
    }
}

pub fn kind(device: &MfaDevice) -> Kind {
    match &device.kind {
        MfaDeviceKind::Fido => Kind::Fido,
        // A hardware device is named by the number on its back.
        MfaDeviceKind::Code(serial) if serial.account().is_none() => Kind::Hardware,
        MfaDeviceKind::Code(_) => Kind::Virtual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_by_its_serial() {
        for (serial, expected) in
            [("arn:aws:iam::123456789012:mfa/alice", Kind::Virtual), ("GAHT12345678", Kind::Hardware)]
        {
            let code = MfaDeviceKind::Code(serial.parse().unwrap());
            assert_eq!(kind(&MfaDevice { serial: serial.to_owned(), kind: code, enabled: None }), expected);
        }
        let serial = "arn:aws:iam::123456789012:u2f/user/alice/key".to_owned();
        assert_eq!(kind(&MfaDevice { serial, kind: MfaDeviceKind::Fido, enabled: None }), Kind::Fido);
    }
}
