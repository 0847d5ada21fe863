//! `vault env`.

use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::ProfileName;

use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs};
use super::world::World;

/// Print a session as variables: eval "$(vault env prod)"
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// For which shell: sh or json
    #[arg(long, default_value = "sh")]
    shell: Shell,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let (resolved, _) = sign_in::resolve(args.name, &args.sign_in, world)?;
    let issued = sign_in::issue(&resolved, &args.sign_in, Purpose::Use, world)?;
    let variables = Variables::of_session(issued.credentials(), resolved.region.as_ref(), &resolved.name);
    world.print(&shell::render(args.shell, &variables))
}
