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

const EXAMPLES: &str = "\
Examples:
  vault mfa enable prod                     a new device, by a QR code
  vault mfa list prod
  vault mfa enable prod --device-name phone2   the phone is gone: the new one,
  vault mfa remove prod phone               and the old one off";

/// A user's MFA devices at IAM: find, list, enable, resynchronise and remove them
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
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
