//! `vault env`.

use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::ProfileName;

use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::world::World;

/// Print a session as variables for a shell to evaluate, or take them back
///
/// What would win over the session is unset with it: AWS_PROFILE and the like, and the variables of this program. `--unset`
/// takes back what `env` set, AWS_REGION included: without asking, the vault stays closed.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// In whose words
    ///
    /// It is sh unless said: $SHELL names the shell that a person logs in with, which is not the one that a script, or
    /// another shell started by hand, evaluates this in.
    #[arg(long, default_value = "sh")]
    shell: Shell,
    /// Print what takes the variables back; no profile is needed
    #[arg(long, conflicts_with_all = ["legacy_token", "SignInArgs"])]
    unset: bool,
    /// Set AWS_SECURITY_TOKEN too, for tools that know the session token by no other name (boto 2)
    #[arg(long)]
    legacy_token: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let variables = match args.unset {
        true => Variables::taken_back(),
        false => session(&args, world)?,
    };
    world.print(&shell::render(args.shell, &variables)?)
}

fn session(args: &Args, world: &World) -> Result<Variables, Failure> {
    let SignedIn { about, issued } = sign_in::sign_in(args.name.clone(), &args.sign_in, Purpose::Use, world)?;
    let credentials = issued.credentials();
    let variables = Variables::of_session(credentials, about.region.as_ref(), &about.name);
    Ok(if args.legacy_token { variables.with_legacy_token(credentials) } else { variables })
}
