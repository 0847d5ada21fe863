//! A virtual device between its making and its enabling: nobody's, and gone again where nothing comes of it.

use crate::aws::{AwsError, NewMfaDevice, Refusal, Signer};
use crate::cli::failure::Failure;
use crate::cli::iam_access::Signature;
use crate::cli::report;
use crate::cli::world::World;
use crate::names::{MfaCode, MfaSerial};

use super::MfaFailure;
use super::subject::{Moved, Subject};

pub fn make(subject: &Subject, signature: &Signature, name: &str) -> Result<NewMfaDevice, Failure> {
    subject.aws.create_virtual_mfa_device(&signature.signer(), name).map_err(|error| {
        let (profile, serial) = (subject.profile.clone(), subject.serial_of(name));
        match error {
            AwsError::Refused { refusal: Refusal::AlreadyExists, .. } => {
                let is_enabled = is_enabled(subject, &signature.signer(), &serial) == Some(true);
                MfaFailure::NameTaken { profile, serial, is_enabled }.into()
            }
            // With a seed that nobody will ever know.
            AwsError::Network { failure, .. } if failure.may_have_been_sent() => {
                MfaFailure::MadeOrNot { profile, serial, error }.into()
            }
            error => subject.refused(error),
        }
    })
}

/// Enables it; where the answer was lost, or says that it is enabled already, AWS's list of devices decides.
pub fn enable(
    subject: &Subject,
    signature: &Signature,
    serial: &MfaSerial,
    codes: &[MfaCode; 2],
) -> Result<(), AwsError> {
    let enabled = subject.aws.enable_mfa_device(&signature.signer(), &subject.user, serial, codes);
    let Err(error) = enabled else { return Ok(()) };
    let unclear = match &error {
        AwsError::Network { failure, .. } => failure.may_have_been_sent(),
        AwsError::Refused { refusal, .. } => *refusal == Refusal::AlreadyExists,
        AwsError::Unreadable { .. } => true,
    };
    match unclear.then(|| is_enabled(subject, &signature.signer(), serial.as_str())) {
        Some(Some(true)) => Ok(()),
        _ => Err(error),
    }
}

/// Whether AWS says that it is the user's; None where it does not say.
fn is_enabled(subject: &Subject, signer: &Signer, serial: &str) -> Option<bool> {
    let listed = subject.aws.mfa_devices(signer, &subject.user).ok()?;
    Some(listed.iter().any(|device| device.serial == serial))
}

/// Removes a device that was not enabled. One that was after all, AWS keeps.
pub fn take_back(subject: &Subject, signature: &Signature, serial: &MfaSerial, world: &World) {
    match subject.aws.delete_virtual_mfa_device(&signature.signer(), serial) {
        Ok(()) => world.say(&format!("removed the new device {serial} again")),
        Err(error) => {
            world.warn(&format!("the new device {serial} is still there: {}", report::aws_words(&error)));
            world.hint(&format!("`vault mfa enable {} --abort {serial}` removes it", subject.profile));
        }
    }
}

/// Stores the enabled device. Where that fails, AWS has it all the same.
pub fn store(subject: Subject, serial: &MfaSerial, world: &World) -> Result<(), Failure> {
    let (profile, user) = (subject.profile.clone(), subject.user.clone());
    // By the key, which may not be allowed to ask: then it is told of as if it were there.
    let listed = |before: &MfaSerial| is_enabled(&subject, &subject.key(), before.as_str()).unwrap_or(true);
    let before_is_there = subject.device().is_some_and(listed);
    let moved = subject.store(serial, world).inspect_err(|_| {
        world.say(&format!("{profile}: AWS has enabled {serial}, and the vault does not know it"));
        world.hint(&format!("`vault set {profile} mfa_serial={serial}` stores it"));
    })?;
    world.say(&format!("{profile}: enabled MFA device {serial} for {}", crate::cli::escape::escape(&user)));
    if let Some(Moved { before, others }) = moved {
        report::device_of_others(world, &others);
        if before_is_there {
            world.say(&format!("codes come from it now; {before} stays enabled at AWS"));
            world.hint(&format!("`vault mfa remove {profile} {before}` switches it off"));
        }
    }
    world.say(&format!("next: vault login {profile}, with the next code"));
    Ok(())
}
