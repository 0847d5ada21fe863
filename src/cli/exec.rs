//! `vault exec`.

use std::ffi::{OsStr, OsString};

use crate::export::environment::Variables;
use crate::names::ProfileName;
use crate::paths::Environment;
use crate::process;

use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::world::World;

/// What runs where neither a command is given nor $SHELL set.
const FALLBACK_SHELL: &str = "/bin/sh";

/// Run a command with a session in its environment
///
/// The command takes this program's place, with its standard streams, signals and exit code. Without a command it is your
/// shell ($SHELL). Exit codes of our own: 127 where there is no such command, 126 where it can't run.
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    name: ProfileName,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signed_in = sign_in::sign_in(Some(args.name), &args.sign_in, Purpose::Inside, world);
    let SignedIn { about, issued } = signed_in.map_err(|failure| match failure {
        // `vault exec -- aws s3 ls` and `vault exec aws s3 ls` take the program for the profile.
        Failure::UnknownProfile { name, suggestion: None } => Failure::NotAProfileToRunIn(name),
        other => other,
    })?;
    let variables = Variables::of_session(issued.credentials(), about.region.as_ref(), &about.name);
    let environment = environment(&world.environment, &variables);
    let shell = world.environment.get("SHELL").unwrap_or(OsStr::new(FALLBACK_SHELL)).to_owned();
    let (program, arguments) = match args.command.split_first() {
        Some((program, arguments)) => (program.clone(), arguments),
        None => (shell, &[][..]),
    };
    let error = process::hand_over(world.hardened, &program, arguments, &environment);
    Err(Failure::Exec { program: program.to_string_lossy().into_owned(), error })
}

/// The caller's variables, with the session's over them and without those that would win over it or lead into the vault.
fn environment(callers: &Environment, session: &Variables) -> Environment {
    let dropped: Vec<&str> = session.unset().collect();
    let kept = callers.all().filter(|(name, _)| !dropped.iter().any(|dropped| *name == *dropped));
    let set = session.set().map(|(name, value)| (name.into(), value.into()));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(set).collect::<Environment>()
}
