//! `vault mfa enable --abort`.

use crate::cli::failure::Failure;
use crate::cli::sign_in::SignInArgs;
use crate::cli::world::World;
use crate::names::{MfaSerial, ProfileName};

use super::subject::Subject;

/// Removes a device that was never enabled; AWS keeps one that was.
pub fn run(name: Option<ProfileName>, serial: &MfaSerial, signing: &SignInArgs, world: &World) -> Result<(), Failure> {
    let subject = Subject::open(name, signing, world)?;
    let signature = subject.signature(signing, world)?;
    let deleted = subject.aws.delete_virtual_mfa_device(&signature.signer(), serial);
    deleted.map_err(|error| subject.refused(error))?;
    world.say(&format!("removed {serial}"));
    Ok(())
}
