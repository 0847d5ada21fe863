//! `vault mfa remove`.

use crate::aws::{MfaDevice, MfaDeviceKind};
use crate::cli::confirming;
use crate::cli::escape::escape;
use crate::cli::failure::{Failure, Need};
use crate::cli::report;
use crate::cli::sign_in::{ChangeArgs, SignInArgs};
use crate::cli::world::World;
use crate::names::{MfaSerial, ProfileName};

use super::MfaFailure;
use super::devices::{self, Kind, kind};
use super::subject::Subject;

/// Switch off an MFA device of a profile's user, as of a phone that is gone, and delete it
///
/// Its codes count for nothing from then on. Sessions that were made with one stay good until they end. A hardware device or
/// a security key is switched off, and there is nothing to delete.
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    name: ProfileName,
    /// The device: its serial, or the name at the end of that [default: the only one]
    device: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    signing: ChangeArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signing = SignInArgs::from(args.signing);
    let subject = Subject::open(Some(args.name), &signing, world)?;
    let devices = devices::listed(&subject, &signing, world)?;
    let device = chosen(&devices, args.device.as_deref(), &subject)?;
    if !args.yes {
        let is_last = devices.len() == 1;
        report::device_risks(world, &device.serial, &subject.user, is_last, &subject.used_by(&device.serial));
        let question = format!("Remove {}?", escape(&device.serial));
        confirming::confirm(&question, Need::Confirmation { flag: "--yes" })?;
    }
    let signature = subject.signature(&signing, world)?;
    let off = subject.aws.deactivate_mfa_device(&signature.signer(), &subject.user, &device.serial);
    off.map_err(|error| subject.refused(error))?;
    if let Some(serial) = made_at_iam(device) {
        let deleted = subject.aws.delete_virtual_mfa_device(&signature.signer(), serial);
        deleted.map_err(|error| MfaFailure::OffAndThere {
            profile: subject.profile.clone(),
            serial: serial.clone(),
            error,
        })?;
    }
    report::device_removed(world, &subject.profile, &device.serial, &subject.user, &subject.used_by(&device.serial));
    Ok(())
}

fn chosen<'d>(devices: &'d [MfaDevice], given: Option<&str>, subject: &Subject) -> Result<&'d MfaDevice, Failure> {
    let is_meant = |device: &&MfaDevice| {
        given.is_none_or(|given| device.serial == given || device.serial.ends_with(&format!("/{given}")))
    };
    let mut meant = devices.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(device), None) => Ok(device),
        (found, _) => Err(MfaFailure::NotChosen {
            given: given.filter(|_| found.is_none()).map(str::to_owned),
            user: subject.user.clone(),
            serials: devices.iter().map(|device| device.serial.clone()).collect(),
        }
        .into()),
    }
}

/// A virtual device is IAM's own; any other is a thing in somebody's hand.
fn made_at_iam(device: &MfaDevice) -> Option<&MfaSerial> {
    match &device.kind {
        MfaDeviceKind::Code(serial) if kind(device) == Kind::Virtual => Some(serial),
        MfaDeviceKind::Code(_) | MfaDeviceKind::Fido => None,
    }
}
