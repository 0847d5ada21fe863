//! `vault mfa resync`.

use crate::aws::{AwsError, Refusal};
use crate::cli::failure::{Failure, Need};
use crate::cli::sign_in::SignInArgs;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::names::{MfaCode, MfaSerial, ProfileName};

use super::subject::Subject;
use super::{MfaFailure, codes};

/// Tell AWS how far the clock of an MFA device is off, by two codes
///
/// For a device whose codes AWS no longer takes. Signed by the access key, since a session would take a code.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Two codes that the device showed one after the other
    #[arg(long, value_name = "CODE,CODE", value_parser = codes::parse)]
    codes: Option<[MfaCode; 2]>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let subject = Subject::open(args.name, &SignInArgs::default(), world)?;
    let profile = subject.profile.clone();
    let serial = subject.device().cloned().ok_or(MfaFailure::NoSerial { profile })?;
    match &args.codes {
        Some(codes) => resync(&subject, &serial, codes).map_err(|error| subject.refused(error))?,
        None => at_terminal(&subject, &serial)?,
    }
    world.say(&format!("{}: resynchronised {serial}", subject.profile));
    world.say(&format!("next: vault login {}, with the next code", subject.profile));
    Ok(())
}

fn resync(subject: &Subject, serial: &MfaSerial, codes: &[MfaCode; 2]) -> Result<(), AwsError> {
    subject.aws.resync_mfa_device(&subject.key(), &subject.user, serial, codes)
}

fn at_terminal(subject: &Subject, serial: &MfaSerial) -> Result<(), Failure> {
    let need = || Need::TwoCodes(subject.profile.clone());
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
    terminal.show(&format!("Two codes of {serial}, one after the other:\n"));
    loop {
        let codes = codes::ask(&mut terminal, subject, need)?;
        match resync(subject, serial, &codes) {
            Err(AwsError::Refused { refusal: Refusal::WrongPairOfCodes, .. }) => {
                terminal.show(codes::WRONG_PAIR);
            }
            resynced => return resynced.map_err(|error| subject.refused(error)),
        }
    }
}
