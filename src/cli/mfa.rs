//! `vault mfa`.

mod abort;
mod codes;
mod detect;
mod devices;
mod enable;
mod failure;
mod list;
mod new_device;
mod otpauth;
mod qr;
mod remove;
mod resync;
mod subject;

use super::failure::Failure;
use super::world::World;

pub use failure::MfaFailure;

/// A user's MFA devices at IAM: find, list, enable, resynchronise and remove them
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Detect(detect::Args),
    List(list::Args),
    Enable(enable::Args),
    Resync(resync::Args),
    Remove(remove::Args),
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action {
        Action::Detect(args) => detect::run(args, world),
        Action::List(args) => list::run(args, world),
        Action::Enable(args) => enable::run(args, world),
        Action::Resync(args) => resync::run(args, world),
        Action::Remove(args) => remove::run(args, world),
    }
}
