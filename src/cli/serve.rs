//! `vault serve`.

use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::ProfileName;

use super::default_first;
use super::failure::Failure;
use super::report::Report;
use super::serving::{self, Service};
use super::sign_in::{self, Purpose, SignInArgs};
use super::world::World;

const EXAMPLES: &str = "\
Examples:
  vault serve prod                          the variables at the terminal
  vault serve prod --shell dotenv --for-containers";

/// Hand out a session at an endpoint that AWS tools ask by themselves, and renew it
///
/// Prints the variables that lead them there, one of them a token without which nobody is answered, and serves until Ctrl-C: run
/// it as `vault serve NAME > FILE &`, then `. FILE`, in a folder that is yours alone. What takes a person is asked for before;
/// later clients are told what is needed. `vault exec --server` does the same for one command alone.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// In whose words the variables are: sh, fish, powershell, cmd, nushell, dotenv or json
    #[arg(long, default_value = "sh", hide_possible_values = true)]
    shell: Shell,
    /// Also answer who asks for 169.254.170.2, where containers look; something else has to bring their requests here
    #[arg(long)]
    for_containers: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let Args { name, shell, for_containers, sign_in } = args;
    // A container has files of its own.
    if !for_containers && let Some(first) = default_first::find(world)? {
        world.warn(&Report::of(&first).message);
    }
    let signed_in = sign_in::sign_in(name, &sign_in, Purpose::Use, world)?;
    let (profile, region) = (signed_in.about.name.clone(), signed_in.about.region.clone());
    let service = Service { signed_in, sign_in, for_containers, beside: false };
    serving::serve(service, world, |endpoint| {
        let variables = Variables::of_endpoint(&endpoint.url(), endpoint.token().expose(), region.as_ref(), &profile);
        world.print(&shell::render(shell, &variables)?)?;
        world.say(&format!("serving `{profile}` until Ctrl-C"));
        Ok(None)
    })?;
    Ok(())
}
