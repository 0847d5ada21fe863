//! The command line: one file a command, each with its help (the doc comment of its arguments) and its `run`.

mod access_key_source;
mod agent_access;
mod escape;
mod failure;
mod held_key;
mod key_check;
mod mfa_device;
mod names_given;
mod new_passphrase;
mod opening;
mod own_program;
mod passphrase_source;
mod plugin_talk;
mod recovery_key;
mod rekeyed;
mod report;
mod secret_file;
mod session_records;
mod settings;
mod sign_in;
mod table;
mod terminal;
mod trusting;
mod warm;
mod world;

use std::cell::RefCell;
use std::process::ExitCode;

use clap::Parser;

use crate::clock::SystemClock;
use crate::disk::RealDisk;
use crate::paths::{Environment, Paths};
use crate::process;

use failure::Failure;
pub use held_key::HeldKey;
use opening::UnlockArgs;
use plugin_talk::PluginTalk;
pub use report::Report;
use report::Status;
pub use world::World;

/// The module, the subcommand and its dispatch from one line a command.
macro_rules! commands {
    ($($variant:ident = $module:ident,)*) => {
        $(mod $module;)*

        #[derive(clap::Subcommand)]
        enum Command {
            $($variant($module::Args),)*
        }

        impl Command {
            fn run(self, world: &World) -> Result<(), Failure> {
                match self {
                    $(Self::$variant(args) => $module::run(args, world),)*
                }
            }
        }
    };
}

commands! {
    Init = init,
    Add = add,
    Import = import,
    List = list,
    Show = show,
    Set = set,
    Unset = unset,
    Remove = remove,
    Rename = rename,
    Reveal = reveal,
    Passwd = passwd,
    Recipient = recipient,
    History = history,
    Restore = restore,
    Trust = trust,
    Login = login,
    Logout = logout,
    Env = env,
    Exec = exec,
    Get = get,
    CredentialProcess = credential_process,
    Configure = configure,
    Status = status,
    Unlock = unlock,
    Lock = lock,
    Agent = agent,
}

/// Keeps long-term AWS keys in an age-encrypted file and hands out short-lived sessions.
#[derive(Parser)]
#[command(name = "vault", bin_name = "vault", version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    unlock: UnlockArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Runs the command that this process's arguments name and says how it ended.
pub fn main() -> ExitCode {
    report::on_panic();
    let hardened = process::harden();
    process::keep_freed_memory();
    let environment = Environment::of_this_process();
    let parsed = match CommandLine::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => return report::usage(&error),
    };
    let Some(command) = parsed.command else {
        return report::first_steps();
    };
    if process::started_by_us(&environment) {
        return report::failure(&Failure::StartedByUs);
    }
    let plugins = PluginTalk::new(&environment);
    let outcome = Paths::from_environment(&environment).map_err(Failure::Paths).and_then(|paths| {
        let world = World {
            environment,
            started_as: std::env::args_os().next().unwrap_or_default(),
            paths,
            disk: &RealDisk,
            clock: &SystemClock,
            plugins: &plugins,
            hardened,
            unlock: parsed.unlock,
            held_key: &held_key::by_agent,
            output: RefCell::new(Box::new(std::io::stdout())),
            messages: RefCell::new(Box::new(anstream::stderr())),
        };
        command.run(&world)
    });
    match outcome {
        Ok(()) => Status::Done.into(),
        Err(failure) => report::failure(&failure),
    }
}

/// Runs one command line in a world of the caller's making: another disk, another clock. Says nothing by itself; the error
/// is the report that would have been shown.
pub fn run_in(arguments: &[&str], world: &mut World) -> Result<(), Report> {
    let parsed = CommandLine::try_parse_from(std::iter::once("vault").chain(arguments.iter().copied()))
        .map_err(|error| Report::usage(&error))?;
    world.unlock = parsed.unlock;
    let world = &*world;
    parsed.command.map_or(Ok(()), |command| command.run(world)).map_err(|failure| Report::of(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }
}
