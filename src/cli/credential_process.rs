//! `vault credential-process`.

use std::ffi::OsString;

use crate::aws_files::our_process;
use crate::export::process;
use crate::names::ProfileName;
use crate::session::{CodeError, IssueError};

use super::failure::{Failure, Need};
use super::sign_in::{self, Purpose, SignInArgs};
use super::world::World;

/// Print a session as the AWS SDKs and tools read it: credential_process = vault credential-process prod
///
/// Asks for passphrase and code at the terminal that the calling program runs in, and never where it runs in none: then
/// exit code 3 means that the vault is locked and 8 that a code is needed, and `vault login NAME` at a terminal serves both.
#[derive(clap::Args)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Args {
    /// The profile
    name: ProfileName,
    #[command(flatten)]
    sign_in: SignInArgs,
}

impl Args {
    /// Of the line that AWS files have, without clap: every call that an AWS tool makes waits for this, and to describe the
    /// command to clap takes as long as to answer.
    pub fn of_aws_files(arguments: &[OsString]) -> Option<Self> {
        Some(Self { name: our_process::asked_for(arguments)?, sign_in: SignInArgs::default() })
    }
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signed_in = sign_in::sign_in(Some(args.name.clone()), &args.sign_in, Purpose::Process, world);
    let signed_in = signed_in.map_err(|failure| at_a_terminal(failure, args.name))?;
    world.print(&process::render(signed_in.issued.credentials()))
}

/// Who reads the message can't pass a flag along, but can sign in beforehand.
pub(super) fn at_a_terminal(failure: Failure, name: ProfileName) -> Failure {
    match failure {
        Failure::NoTerminal(Need::Passphrase) => Failure::NoTerminal(Need::Unlock(name, None)),
        Failure::Issue { error: IssueError::Code(CodeError::NoTerminal), .. } => {
            Failure::NoTerminal(Need::SignIn(name))
        }
        other => other,
    }
}
