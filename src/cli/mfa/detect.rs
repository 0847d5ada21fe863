//! `vault mfa detect`.

use crate::aws::{AwsError, Refusal};
use crate::cli::escape::escape;
use crate::cli::failure::{Failure, SerialBy};
use crate::cli::mfa_device::{self, Sorted};
use crate::cli::report;
use crate::cli::sign_in::SignInArgs;
use crate::cli::world::World;
use crate::names::{MfaSerial, ProfileName};

use super::MfaFailure;
use super::subject::{Moved, Subject};

/// Ask IAM which device a user's codes come from, and store it
///
/// Of several devices it asks at the terminal, or names them all. Security keys (FIDO) are passed over: AWS takes no codes
/// from them.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let subject = Subject::open(args.name, &SignInArgs::default(), world)?;
    let Some(serial) = find(&subject, world)? else {
        world.say(&format!("{}: nothing was changed", subject.profile));
        return Ok(());
    };
    let profile = subject.profile.clone();
    if subject.device() == Some(&serial) {
        world.say(&format!("{profile}: MFA device {serial}, as before"));
        return Ok(());
    }
    match subject.store(&serial, world)? {
        Some(Moved { before, others }) => {
            world.say(&format!("{profile}: MFA device {serial}, in place of {before}"));
            report::device_of_others(world, &others);
        }
        None => world.say(&format!("{profile}: MFA device {serial}")),
    }
    Ok(())
}

fn find(subject: &Subject, world: &World) -> Result<Option<MfaSerial>, Failure> {
    let (profile, user) = (subject.profile.clone(), subject.user.clone());
    let by = SerialBy::Setting(profile.clone());
    let listed = match subject.aws.mfa_devices(&subject.key(), &user) {
        Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) => {
            return mfa_device::offer_usual_serial(subject.serial_of(&user), by);
        }
        listed => listed.map_err(|error| subject.refused(error))?,
    };
    let Sorted { mut codes, fido } = mfa_device::sort(listed);
    if codes.is_empty() && !fido.is_empty() {
        return Err(MfaFailure::OnlyFido { profile, user, serials: fido }.into());
    }
    for serial in &fido {
        world.say(&format!("passed over {}: AWS takes no codes from a FIDO security key", escape(serial)));
    }
    match codes.len() {
        0 => Err(MfaFailure::NoDevice { profile, user }.into()),
        1 => Ok(codes.pop()),
        _ => mfa_device::choose_device(codes, by).map(Some),
    }
}
