//! The command line: one file a command, each with its help (the doc comment of its arguments) and its `run`.

mod access_key_source;
mod agent_access;
mod asking;
mod clock_told;
mod code_asker;
mod configured_command;
mod confirming;
mod default_first;
mod environment_told;
mod escape;
mod expired;
mod exported;
mod failure;
mod held_key;
mod iam_access;
mod key_check;
mod last_run;
mod mfa_device;
mod names_given;
mod need;
mod new_passphrase;
mod opening;
mod own_program;
mod passphrase_source;
mod picker;
mod plugin_talk;
mod random_words;
mod recovery_key;
mod refused_key;
mod rekeyed;
mod report;
mod resolved;
mod role_maximum;
mod secret_file;
mod serving;
mod session_records;
mod setting_change;
mod settings;
mod sign_in;
mod sign_in_args;
mod since;
mod stamper;
mod table;
mod terminal;
mod trusting;
mod turn;
mod use_line;
mod version;
mod warm;
mod way_back;
mod world;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

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
            /// Every command's name, and what describes its arguments.
            const ALL: &[(&str, fn(clap::Command) -> clap::Command)] =
                &[$((stringify!($module), <$module::Args as clap::Args>::augment_args),)*];

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
    Serve = serve,
    Get = get,
    CredentialProcess = credential_process,
    Configure = configure,
    Status = status,
    Whoami = whoami,
    Console = console,
    Rotate = rotate,
    Keys = keys,
    Role = role,
    Unlock = unlock,
    Lock = lock,
    Agent = agent,
    Mfa = mfa,
    Policy = policy,
    Schedule = schedule,
    Log = log,
    Doctor = doctor,
    Completions = completions,
}

/// Keeps long-term AWS keys in an age-encrypted file and hands out short-lived sessions.
#[derive(Parser)]
#[command(name = "vault", bin_name = "vault", version = version::SHORT, long_version = version::long(), max_term_width = 100)]
struct Flags {
    #[command(flatten)]
    unlock: UnlockArgs,
}

struct CommandLine {
    unlock: UnlockArgs,
    command: Option<Command>,
}

impl CommandLine {
    fn parse(arguments: &[OsString]) -> Result<Self, clap::Error> {
        match credential_process::Args::of_aws_files(arguments) {
            Some(args) => Ok(Self { unlock: UnlockArgs::default(), command: Some(Command::CredentialProcess(args)) }),
            None => Self::parse_by_clap(arguments),
        }
    }

    /// Where the first argument names a command, only that one is described to clap: describing all of them takes longer than
    /// most take to run. Never inlined: it takes ten pages of stack.
    #[inline(never)]
    fn parse_by_clap(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let named = arguments.get(1).and_then(|name| described_alone(name.to_str()?));
        let mut described = named.unwrap_or_else(described);
        let matches = described.try_get_matches_from_mut(arguments)?;
        let parsed = Flags::from_arg_matches(&matches).and_then(|flags| {
            let command = matches.subcommand_name().map(|_| Command::from_arg_matches(&matches)).transpose()?;
            Ok(Self { unlock: flags.unlock, command })
        });
        parsed.map_err(|error| error.format(&mut described))
    }
}

impl Command {
    /// Whether somebody sits there who may as well hear of something else. AWS tools give theirs to what they start; and some
    /// commands tell it by themselves.
    fn is_for_a_person(&self) -> bool {
        let tells_itself =
            matches!(self, Self::CredentialProcess(_) | Self::Agent(_) | Self::Status(_) | Self::Schedule(_));
        !tells_itself && std::io::stderr().is_terminal()
    }
}

/// The whole command line: for its help, for shells that complete it, and for its man pages.
pub fn described() -> clap::Command {
    Command::augment_subcommands(Flags::command())
}

fn described_alone(name: &str) -> Option<clap::Command> {
    let (module, describe) = Command::ALL.iter().find(|(module, _)| module.replace('_', "-") == name)?;
    Some(Flags::command().subcommand(describe(clap::Command::new(module.replace('_', "-")))))
}

/// Runs the command that this process's arguments name and says how it ended.
pub fn main() -> ExitCode {
    report::on_panic();
    let hardened = process::harden();
    process::outlive_file_limit();
    process::keep_freed_memory();
    let environment = Environment::of_this_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = match CommandLine::parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return report::usage(&error),
    };
    let Some(command) = parsed.command else {
        return report::first_steps();
    };
    let Some(environment) = process::unless_started_by_us(environment) else {
        return report::failure(&Failure::StartedByUs);
    };
    if let Some(limit) = process::too_few_open_files() {
        return report::failure(&Failure::TooFewOpenFiles { limit });
    }
    let plugins = PluginTalk::new(&environment);
    let outcome = Paths::from_environment(&environment).map_err(Failure::Paths).and_then(|paths| {
        let started_as = arguments.into_iter().next().unwrap_or_default();
        let world = World {
            plugins: &plugins,
            unlock: parsed.unlock,
            messages: RefCell::new(Box::new(anstream::stderr())),
            ..World::of_this_process(environment, started_as, paths, hardened)
        };
        asking::let_lock_find_us(&world.paths.state);
        if command.is_for_a_person() {
            last_run::remind(&world);
        }
        command.run(&world).map_err(|failure| failure.in_environment(&world.environment))
    });
    match outcome {
        Ok(()) => Status::Done.into(),
        Err(failure) => report::failure(&failure),
    }
}

/// Runs one command line in a world of the caller's making: another disk, another clock. Says nothing by itself; the error
/// is the report that would have been shown.
pub fn run_in(arguments: &[&str], world: &mut World) -> Result<(), Report> {
    let arguments: Vec<OsString> = std::iter::once("vault").chain(arguments.iter().copied()).map(Into::into).collect();
    let parsed = CommandLine::parse(&arguments).map_err(|error| Report::usage(&error))?;
    world.unlock = parsed.unlock;
    let world = &*world;
    let outcome = parsed.command.map_or(Ok(()), |command| command.run(world));
    outcome.map_err(|failure| Report::of(&failure.in_environment(&world.environment)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        described().debug_assert();
    }

    #[test]
    fn the_line_of_aws_files_says_without_clap_what_it_says_to_clap() {
        let arguments = |words: &[&str]| -> Vec<OsString> { words.iter().map(OsString::from).collect() };
        let line = arguments(&["vault", "credential-process", "team/prod@eu"]);
        let parsed = CommandLine::parse(&line).ok().unwrap();
        let Some(Command::CredentialProcess(by_itself)) = parsed.command else { panic!("it is another command") };
        let by_clap = described().get_matches_from(&line);
        assert!(parsed.unlock == Flags::from_arg_matches(&by_clap).unwrap().unlock);
        let Ok(Command::CredentialProcess(by_clap)) = Command::from_arg_matches(&by_clap) else {
            panic!("clap makes another command of it")
        };
        assert!(by_itself == by_clap);
        for other in [
            &["vault", "credential-process"][..],
            &["vault", "credential-process", "--help"],
            &["vault", "credential-process", "no name"],
            &["vault", "credential-process", "prod", "--force"],
            &["vault", "get", "prod"],
        ] {
            assert!(credential_process::Args::of_aws_files(&arguments(other)).is_none(), "{other:?}");
        }
    }

    #[test]
    fn every_example_of_the_help_is_a_line_that_is_understood() {
        let mut all = described();
        all.build();
        let helps = all.get_subcommands().filter_map(|command| command.get_after_help()).map(ToString::to_string);
        let lines: Vec<String> = helps.filter_map(|help| help.strip_prefix("Examples:\n").map(str::to_owned)).collect();
        assert!(lines.len() >= 5, "{lines:?}");
        for line in lines.iter().flat_map(|lines| lines.lines()) {
            // What it is for stands behind three blanks.
            let command = line.trim().split("   ").next().unwrap();
            let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            assert!(CommandLine::parse(&words).is_ok(), "{command}");
        }
    }

    #[test]
    fn a_command_described_alone_is_what_it_is_among_all() {
        let mut all = described();
        all.build();
        let names: Vec<&str> =
            all.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help").collect();
        assert_eq!(names.len(), Command::ALL.len());
        for name in names {
            for rest in
                [&["--help"][..], &["-h"], &["--no-such-flag"], &["--kdf-memory", "--identity"], &["a", "b", "c", "d"]]
            {
                let arguments: Vec<&str> = [&["vault", name][..], rest].concat();
                let told = |described: clap::Command| {
                    described.try_get_matches_from(&arguments).map(|_| ()).map_err(|error| error.render().to_string())
                };
                let alone = told(described_alone(name).unwrap_or_else(|| panic!("`{name}` is not described")));
                assert_eq!(alone, told(described()), "{arguments:?}");
            }
        }
    }
}
