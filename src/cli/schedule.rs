//! `vault schedule`.

mod backend;
mod cron;
mod error;
mod launchd;
mod own_file;
mod status;
mod systemd;
mod tool;
mod unattended;

use std::io;

use jiff::civil::Time;

use crate::rotate::last_run::LastRun;
use crate::rotate::units::{self, Job, Scheduler, USUAL_TIME, Unattended};

use super::failure::Failure;
use super::own_program;
use super::report::schedule as words;
use super::world::World;

use backend::{Backend, Started};
pub use error::ScheduleError;
pub use status::Standing;
pub use tool::Tool;

const EXAMPLES: &str = "\
Examples:
  vault schedule install
  vault schedule install --at 09:30
  vault schedule status
  vault schedule remove";

/// Replace access keys that are due by themselves: once a day, and after days that were missed
///
/// There is one schedule for a user, of the vault that is found now. It runs `vault rotate --due --scheduled`, which asks
/// nobody: it works while the agent is unlocked, and with cached MFA sessions that are good enough; what it can't do waits,
/// and is told at the next command at a terminal.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"];
const OPENERS: [&str; 2] = ["VAULT_PASSPHRASE_FILE", "VAULT_IDENTITY"];

#[derive(clap::Subcommand)]
enum Action {
    /// Have it run from now on, in the place of an earlier schedule
    Install(InstallArgs),
    /// Show what is scheduled, how the last run went, and who opens the vault for it
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what `install` would write, and change nothing
    Print(PrintArgs),
    /// Take everything back, what --unattended made included
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct By {
    /// By a timer of your own systemd
    #[arg(long)]
    systemd: bool,
    /// By launchd
    #[arg(long)]
    launchd: bool,
    /// By two lines of your crontab
    #[arg(long)]
    cron: bool,
}

#[derive(clap::Args)]
struct InstallArgs {
    /// The time of day [default: 11:00]; systemd takes up to an hour longer, at random
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    at: Option<Time>,
    /// Let it open the vault with nobody there: who has this machine's disk then has the keys
    #[arg(long)]
    unattended: bool,
    /// Do not ask
    #[arg(long, requires = "unattended")]
    yes: bool,
    #[command(flatten)]
    by: By,
}

#[derive(clap::Args)]
struct PrintArgs {
    /// The time of day [default: 11:00]
    #[arg(long, value_name = "HH:MM", value_parser = parse_time)]
    at: Option<Time>,
    #[command(flatten)]
    by: By,
}

#[derive(clap::Args)]
struct RemoveArgs {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action {
        Action::Install(args) => install(args, world),
        Action::Status { json } => status::run(json, world),
        Action::Print(args) => print(args, world),
        Action::Remove(args) => remove(args, world),
    }
}

/// Whether some schedule is there. None where that can't be told.
pub fn is_installed(world: &World) -> Option<bool> {
    let installed: Result<Vec<_>, _> = backend::all(world).iter().map(|backend| backend.installed()).collect();
    Some(installed.ok()?.iter().any(Option::is_some))
}

fn parse_time(text: &str) -> Result<Time, String> {
    // Looser spellings, such as ` 9:30` and `9:5`, are taken by what reads times.
    let strict = |(hour, minute): (&str, &str)| {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (1..=2).contains(&hour.len()) && minute.len() == 2 && is_digits(hour) && is_digits(minute)
    };
    let time = text.split_once(':').filter(|parts| strict(*parts)).map(|_| Time::strptime("%H:%M", text).ok());
    time.flatten().ok_or_else(|| format!("`{text}` is not a time of day such as 09:30"))
}

impl By {
    /// What was said, else what fits this machine.
    fn scheduler(&self, world: &World) -> Result<Scheduler, ScheduleError> {
        match self {
            Self { systemd: true, .. } => Ok(Scheduler::Systemd),
            Self { launchd: true, .. } => Ok(Scheduler::Launchd),
            Self { cron: true, .. } => Ok(Scheduler::Cron),
            _ => backend::usual(world),
        }
    }
}

/// What is to run, before anybody is asked for anything.
fn job(scheduler: Scheduler, at: Option<Time>, unattended: Option<Unattended>, world: &World) -> Result<Job, Failure> {
    let user = rustix::process::geteuid().as_raw();
    Ok(Job {
        program: own_program::path(world)?,
        variables: units::variables(&world.paths, &world.environment, scheduler, user),
        at: at.unwrap_or(USUAL_TIME),
        unattended,
    })
}

fn print(args: PrintArgs, world: &World) -> Result<(), Failure> {
    let scheduler = args.by.scheduler(world)?;
    let job = job(scheduler, args.at, unattended::known(world)?, world)?;
    world.print(&backend::of(scheduler, world).texts(&job)?)?;
    say_what_stays_here(&job, world);
    Ok(())
}

/// A run has none of this shell's variables but those that say where files are.
fn say_what_stays_here(job: &Job, world: &World) {
    let set = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| world.environment.text(name).is_some_and(|text| !text.is_empty())).collect()
    };
    words::endpoints_stay_here(world, &set(&ENDPOINTS));
    if job.unattended.is_none() {
        words::openers_stay_here(world, &set(&OPENERS));
    }
}

fn install(args: InstallArgs, world: &World) -> Result<(), Failure> {
    let scheduler = args.by.scheduler(world)?;
    let backend = backend::of(scheduler, world);
    let known = match unattended::known(world) {
        Err(error) if args.unattended && error.is_made_anew() => None,
        known => known?,
    };
    let mut job = job(scheduler, args.at, known, world)?;
    backend.texts(&job)?;
    backend.check()?;
    if args.unattended {
        job.unattended = Some(unattended::set_up(scheduler, args.yes, world)?);
        // Its path is another one.
        backend.texts(&job)?;
    }
    let started = backend.install(&job)?;
    forget_long_ago(world);
    // Two would start two runs.
    for other in backend::all(world).iter().filter(|other| other.scheduler() != scheduler) {
        take_away(&**other, world)?;
    }
    words::installed(world, scheduler, &job);
    say_what_stays_here(&job, world);
    if let Started::By(commands) = started {
        words::to_start(world, &commands);
    }
    Ok(())
}

/// That none came since is no news of what starts them now.
fn forget_long_ago(world: &World) {
    let last = LastRun::last(world.disk, &world.paths.state);
    if last.is_ok_and(|last| last.is_some_and(|run| run.is_long_ago(world.clock.now()))) {
        // What can't be forgotten is told until the next run.
        let _ = LastRun::forget(world.disk, &world.paths.state);
    }
}

/// Gives whether it was there.
fn take_away(backend: &dyn Backend, world: &World) -> Result<bool, ScheduleError> {
    let there = backend.installed()?.is_some();
    if there {
        backend.remove()?;
        words::taken_away(world, backend.scheduler());
    }
    Ok(there)
}

/// What opens the vault first: a schedule that is left runs in vain, and the command can be given again.
fn remove(args: RemoveArgs, world: &World) -> Result<(), Failure> {
    let mut removed = unattended::take_back(args.yes, world)?;
    for backend in backend::all(world) {
        removed |= take_away(&*backend, world)?;
    }
    LastRun::forget(world.disk, &world.paths.state).map_err(|error| in_state(error, world))?;
    if !removed {
        world.say("nothing is scheduled");
    }
    Ok(())
}

fn in_state(error: io::Error, world: &World) -> ScheduleError {
    ScheduleError::File { path: world.paths.state.clone(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_hours_and_two_digits_of_minutes() {
        for spelt in ["09:05", "9:05"] {
            assert_eq!(parse_time(spelt).unwrap(), jiff::civil::time(9, 5, 0, 0));
        }
        for wrong in ["", "9:5", ":05", "24:00", "12:60", "12.30", "noon", "12:30:00", "+1:00", " 1:00"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
