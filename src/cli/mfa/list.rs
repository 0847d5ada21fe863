//! `vault mfa list`.

use serde_json::json;

use crate::aws::{AwsError, MfaDevice, MfaDeviceKind, Refusal, Signer};
use crate::cli::escape::escape;
use crate::cli::failure::Failure;
use crate::cli::sign_in::{ChangeArgs, Purpose, SignInArgs};
use crate::cli::table;
use crate::cli::world::World;
use crate::names::ProfileName;

use super::subject::Subject;

/// List the MFA devices of a profile's user
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    signing: ChangeArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signing = SignInArgs::from(args.signing);
    let subject = Subject::open(args.name, &signing, world)?;
    let devices = devices(&subject, &signing, world)?;
    if args.json {
        let shown = devices.iter().map(|device| {
            let used_by = subject.used_by(&device.serial);
            json!({
                "serial": device.serial,
                "kind": kind(device).name(),
                "enabled": device.enabled,
                "used_by_profile": used_by.contains(&&subject.profile),
                "used_by": used_by,
            })
        });
        let shown: Vec<_> = shown.collect();
        return world.print_json(json!({ "profile": subject.profile, "user": subject.user, "devices": shown }));
    }
    if devices.is_empty() {
        world.say(&format!("`{}` has no MFA device", escape(&subject.user)));
        world.hint(&format!("`vault mfa enable {}` makes one", subject.profile));
        return Ok(());
    }
    let row = |device: &MfaDevice| {
        let since = device.enabled.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let used_by: Vec<&str> = subject.used_by(&device.serial).into_iter().map(ProfileName::as_str).collect();
        let used_by = if used_by.is_empty() { "-".to_owned() } else { used_by.join(", ") };
        [device.serial.clone(), kind(device).name().to_owned(), since, used_by]
    };
    world.print(&table::render(&["DEVICE", "KIND", "SINCE", "USED BY"], devices.iter().map(row)))
}

/// By the key, which takes no code, where the user's policies let it.
pub fn devices(subject: &Subject, signing: &SignInArgs, world: &World) -> Result<Vec<MfaDevice>, Failure> {
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
    fn name(self) -> &'static str {
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
