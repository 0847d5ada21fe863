//! `vault env`.

use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::ProfileName;

use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
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
    let SignedIn { about, issued } = sign_in::sign_in(args.name, &args.sign_in, Purpose::Use, world)?;
    let variables = Variables::of_session(issued.credentials(), about.region.as_ref(), &about.name);
    world.print(&shell::render(args.shell, &variables))
}
