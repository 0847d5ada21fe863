//! `vault exec`.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::export::environment::Variables;
use crate::names::ProfileName;
use crate::paths::Environment;
use crate::process::{self, Beside};

use super::default_first;
use super::failure::Failure;
use super::serving::{self, Service};
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::world::World;

/// What runs where neither a command is given nor $SHELL set.
const FALLBACK_SHELL: &str = "/bin/sh";

const EXAMPLES: &str = "\
Examples:
  vault exec prod -- aws s3 ls
  vault exec prod                           a shell with the session
  vault exec --server prod -- terraform apply   for hours: its session is renewed";

/// Run a command with a session in its environment
///
/// The command takes this program's place, with its standard streams, signals and exit code. Without a command it is your
/// shell ($SHELL). With `--server` it runs beside this program, which ends as it ends. Exit codes of our own: 127 where there
/// is no such command, 126 where it can't run.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The profile
    name: ProfileName,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
    /// Give the command an endpoint that renews the session, rather than one that ends while it runs
    #[arg(long)]
    server: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    if args.server {
        default_first::find(world)?.map_or(Ok(()), Err)?;
    }
    let signed_in = sign_in::sign_in(Some(args.name), &args.sign_in, Purpose::Inside, world);
    let signed_in = signed_in.map_err(|failure| match failure {
        // `vault exec -- aws s3 ls` and `vault exec aws s3 ls` take the program for the profile.
        Failure::UnknownProfile { name, suggestion: None, .. } => Failure::NotAProfileToRunIn(name),
        other => other,
    })?;
    let shell = world.environment.get("SHELL").unwrap_or(OsStr::new(FALLBACK_SHELL)).to_owned();
    let (program, arguments) = match args.command.split_first() {
        Some((program, arguments)) => (program.clone(), arguments),
        None => (shell, &[][..]),
    };
    match args.server {
        true => run_served(signed_in, args.sign_in, &program, arguments, world),
        false => Err(take_over(&signed_in, &program, arguments, world)),
    }
}

/// The command in this program's place. Comes back only where that can't be.
fn take_over(signed_in: &SignedIn, program: &OsStr, arguments: &[OsString], world: &World) -> Failure {
    let SignedIn { about, issued } = signed_in;
    let variables = Variables::of_session(issued.credentials(), about.region.as_ref(), &about.name);
    let environment = environment(&world.environment, &variables);
    not_run(program, process::hand_over(world.hardened, program, arguments, &environment))
}

/// The command beside an endpoint, which ends with it; and this program ends as the command did.
fn run_served(
    signed_in: SignedIn,
    sign_in: SignInArgs,
    program: &OsStr,
    arguments: &[OsString],
    world: &World,
) -> Result<(), Failure> {
    let (name, region) = (signed_in.about.name.clone(), signed_in.about.region.clone());
    let service = Service { signed_in, sign_in, for_containers: false, beside: true };
    let ended = serving::serve(service, world, |endpoint| {
        let variables = Variables::of_endpoint(&endpoint.url(), endpoint.token().expose(), region.as_ref(), &name);
        let environment = environment(&world.environment, &variables);
        let started = Beside::start(world.hardened, program, arguments, &environment);
        started.map(Some).map_err(|error| not_run(program, error))
    })?;
    match ended {
        Some(status) if !status.success() => process::end_like(status),
        _ => Ok(()),
    }
}

fn not_run(program: &OsStr, error: io::Error) -> Failure {
    Failure::Exec { program: program.to_string_lossy().into_owned(), error }
}

/// The caller's variables, with the session's over them and without those that would win over it or lead into the vault.
fn environment(callers: &Environment, session: &Variables) -> Environment {
    let dropped: Vec<&str> = session.unset().collect();
    let kept = callers.all().filter(|(name, _)| !dropped.iter().any(|dropped| *name == *dropped));
    let set = session.set().map(|(name, value)| (name.into(), value.into()));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(set).collect::<Environment>()
}
