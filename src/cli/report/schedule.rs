//! Words of `schedule`, and of how the last scheduled run went.

use jiff::Timestamp;

use crate::cli::escape::{escape, shown_path};
use crate::cli::schedule::{ScheduleError, Standing};
use crate::cli::world::World;
use crate::process::{ProgramError, RunError};
use crate::rotate::last_run::{self, LastRun, Reason};
use crate::rotate::remembered::Unreadable;
use crate::rotate::unattended::{self, Keeper, UnattendedIdentity};
use crate::rotate::units::{Job, Scheduler, UnitError};

use super::point_in_time::minute;
use super::{Report, Status};

pub const WHO_HAS_THE_DISK: &str = "whoever has this machine's disk, or a backup of it, has the access keys";
const BY_USER: &str = "so has whoever runs programs as your user, also while the vault is locked";

const NONE_SINCE: &str =
    "none since then, though there is one a day: what starts it does not run, or this machine was off";

/// Of a run that went well, and is not followed by others.
pub fn none_since(run: &LastRun) -> String {
    format!("the last scheduled run was that of {}; {NONE_SINCE}", minute(run.time))
}

pub fn name(scheduler: Scheduler) -> &'static str {
    match scheduler {
        Scheduler::Systemd => "systemd",
        Scheduler::Launchd => "launchd",
        Scheduler::Cron => "cron",
    }
}

pub fn report(error: &ScheduleError) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match error {
        ScheduleError::NoScheduler => state("neither systemd nor cron is here to start a rotation".into())
            .hint("have something of yours start `vault rotate --due --scheduled` once a day"),
        ScheduleError::Unit(error) => unit(error),
        ScheduleError::Program { name, error: ProgramError::NotFound } => {
            state(format!("no program `{name}` on PATH")).hint("`vault schedule install` alone takes what is there")
        }
        ScheduleError::Program { name, error: ProgramError::Untrusted { path } } => {
            state(format!("`{name}` is not started: {} can be changed by others", shown_path(path)))
                .hint(format!("chmod go-w {}", shown_path(path)))
        }
        ScheduleError::Run(error) => run(error),
        ScheduleError::Refused { program, said } => state(format!("`{program}` refused: {}", escape(said)))
            .hint("`vault schedule status` shows what is there; the same command goes on"),
        ScheduleError::File { path, error } => state(format!("{}: {error}", shown_path(path))),
        ScheduleError::Unreadable { path, why } => state(format!(
            "whether scheduled runs are unattended is not known: {} {}",
            shown_path(path),
            unreadable(why)
        ))
        .hint("`vault schedule install --unattended` makes it anew, `vault schedule remove` takes all of it back"),
        ScheduleError::OthersCanWrite(path) => Report::new(
            Status::NotTrusted,
            format!("{} can be changed by others, who could have their own command run there", shown_path(path)),
        )
        .hint(format!("chmod go-w {}", shown_path(path))),
        ScheduleError::NotOurs(path) => {
            state(format!("{} is there already, and `vault schedule` did not make it", shown_path(path)))
                .hint("move it away; nothing was changed")
        }
        ScheduleError::BesideTheVault(path) => {
            state(format!("the identity would lie beside the vault, in {}", shown_path(path)))
                .hint("set VAULT_FILE or XDG_STATE_HOME so that they are in two folders; nothing was changed")
        }
        ScheduleError::RecipientWithoutIdentity(name) => state(format!(
            "recipient `{}` opens the vault already, and its identity is not on this machine",
            escape(name)
        ))
        .hint(format!("`vault recipient remove {}`, then the same command again", escape(name))),
        ScheduleError::NotKept => {
            state("the Keychain does not give back what was put into it; the vault was not changed".into())
        }
    }
}

fn unit(error: &UnitError) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match error {
        UnitError::Relative(path) => state(format!("`{}` is not an absolute path", shown_path(path))),
        UnitError::Character { path, scheduler } => {
            state(format!("`{}` has a character that {} can't be given", shown_path(path), name(*scheduler)))
                .hint("another path: for the program a link, for the vault VAULT_FILE")
        }
        UnitError::LineTooLong { length } => {
            state(format!("cron cuts lines of more than 998 characters, and this one would have {length}"))
                .hint("shorter paths: for the program a link, for the vault VAULT_FILE")
        }
        UnitError::OtherIdentity { made_for } => {
            state(format!("the unattended identity was made for {}, which alone hands it over", name(*made_for)))
                .hint("`vault schedule remove` first; nothing was changed")
        }
    }
}

fn run(error: &RunError) -> Report {
    Report::new(Status::State, escape(&error.to_string()))
}

pub fn installed(world: &World, scheduler: Scheduler, job: &Job) {
    let time = job.at.strftime("%H:%M");
    world.say(&format!("keys that are due are replaced by {}, every day at {time}", name(scheduler)));
    world.say(
        "the setting rotate_every says which are due: `vault set --vault rotate_every=90d`, if nothing says it yet",
    );
    if scheduler == Scheduler::Cron {
        world.say("two lines of your crontab say so, that time and @reboot; `vault schedule remove` takes them out");
    }
    if scheduler != Scheduler::Launchd && job.unattended.is_some() {
        world.hint(match scheduler {
            Scheduler::Systemd => {
                "your systemd runs while you are logged in; `loginctl enable-linger` has it run always"
            }
            _ => "`vault schedule status` shows how it goes",
        });
    }
    if job.unattended.is_none() {
        world.say("it works while the agent is unlocked; what needs you waits for you");
    }
}

pub fn endpoints_stay_here(world: &World, variables: &[&str]) {
    if !variables.is_empty() {
        world.warn(&format!("a scheduled run goes without this shell's {}", variables.join(", ")));
        world.hint("`vault set NAME endpoint_url=URL` says it for a profile, also there");
    }
}

pub fn openers_stay_here(world: &World, variables: &[&str]) {
    if !variables.is_empty() {
        world.warn(&format!("a scheduled run goes without this shell's {}", variables.join(", ")));
        world.hint(
            "it works while the agent is unlocked; `vault schedule install --unattended` gives it a way in of its own",
        );
    }
}

pub fn to_start(world: &World, commands: &[String]) {
    world.warn("it was written and not started: what starts it can't be reached from here");
    for command in commands {
        world.hint(&format!("run `{}`", escape(command)));
    }
}

pub fn taken_away(world: &World, scheduler: Scheduler) {
    world.say(&format!("removed the schedule of {}", name(scheduler)));
}

/// Before somebody says yes.
pub fn what_unattended_means(world: &World) {
    world.warn("scheduled runs would open the vault with nobody there, by an identity that stays on this machine");
    world.say(&format!("{WHO_HAS_THE_DISK};"));
    world.say(BY_USER);
}

pub fn unattended_made(world: &World, kept: &UnattendedIdentity) {
    world.say(&format!("added recipient `{}`; its identity is kept {}", escape(&kept.name), keeper(kept.keeper)));
}

pub fn unattended_already(world: &World, name: &str) {
    world.say(&format!("recipient `{}` is there already", escape(name)));
}

pub fn another_of_this_name(world: &World, name: &str) {
    let name = escape(name);
    world.say(&format!("recipient `{name}` is another machine's of this name, or of a schedule that was here before"));
    world.hint(&format!("`vault recipient remove {name}` if it is no longer needed"));
}

/// Its identity is gone with what was remembered of it.
pub fn which_recipient_is_not_known(world: &World) {
    world.warn(
        "which recipient was made for unattended runs is not known any more; without its identity it opens nothing",
    );
    world.hint("`vault recipient list` shows them, `vault recipient remove NAME` removes one");
}

pub fn unattended_taken_back(world: &World) {
    world.say("removed the identity of unattended runs");
}

fn keeper(keeper: Keeper) -> &'static str {
    match keeper {
        Keeper::File => "in a file that only your user can read",
        Keeper::Systemd => "in a file that systemd encrypted for this machine",
        Keeper::Keychain => "in the Keychain",
    }
}

/// For `schedule status`.
pub fn standing(standing: &Standing, now: Timestamp) -> String {
    let mut lines = Vec::new();
    for (scheduler, found) in &standing.installed {
        lines.push(format!("scheduled by {}: {}", name(*scheduler), escape(&found.place)));
        if found.active == Some(false) {
            lines.push("not started: `vault schedule install` starts it".to_owned());
        }
        lines.extend(found.next.map(|next| format!("next run: {}", minute(next))));
        if found.active.is_none() {
            lines.push(format!("  {} does not say whether it runs; the last run shows it", name(*scheduler)));
        }
    }
    if standing.installed.is_empty() {
        lines.push("nothing is scheduled; `vault schedule install` does that".to_owned());
    }
    lines.push(match &standing.last_run {
        Ok(None) => "last run: none yet".to_owned(),
        Ok(Some(run)) => format!("last run: {}, {}", minute(run.time), went(run)),
        Err(why) => last_run_unreadable(why),
    });
    if let Ok(Some(run)) = &standing.last_run
        && run.is_long_ago(now)
        && !standing.installed.is_empty()
    {
        lines.push(format!("  {NONE_SINCE}"));
    }
    for failed in standing.last_run.iter().flatten().flat_map(|run| &run.failed) {
        lines.push(format!("  {}: {}", failed.profile, reason(failed.reason)));
    }
    if let Err(why) = &standing.unattended {
        lines.push(format!(
            "unattended: not known: {} {}; `vault schedule install --unattended` makes it anew",
            unattended::FILE,
            unreadable(why)
        ));
    }
    if let Ok(Some((kept, place))) = &standing.unattended {
        lines.push(format!(
            "unattended: recipient `{}` opens the vault; its identity is in {place}",
            escape(&kept.name)
        ));
        lines.push(format!("  {WHO_HAS_THE_DISK};"));
        lines.push(format!("  {BY_USER}"));
    }
    lines.join("\n") + "\n"
}

/// One line for who has not asked; None where there is nothing to worry about.
pub fn last_run_failed(run: &LastRun) -> Option<String> {
    let why = reason(run.reason().filter(|_| !run.is_mended())?);
    let names: Vec<&str> = run.failed.iter().map(|failed| failed.profile.as_str()).take(3).collect();
    let more = run.failed.len().saturating_sub(names.len());
    let names = match (names.join(", "), more) {
        (names, _) if names.is_empty() => String::new(),
        (names, 0) => format!(" for {names}"),
        (names, more) => format!(" for {names} and {more} more"),
    };
    Some(format!("the scheduled rotation of {} failed{names}: {why}", minute(run.time)))
}

/// Of a file in the state folder.
fn unreadable(why: &Unreadable) -> String {
    match why {
        Unreadable::Io(error) => format!("can't be read ({error})"),
        Unreadable::Damaged => "is damaged".to_owned(),
        Unreadable::Later => "is of a later version of this program".to_owned(),
    }
}

pub fn last_run_unreadable(why: &Unreadable) -> String {
    let file = last_run::FILE;
    format!("last run of the schedule: not known: {file} {}; the next run writes it anew", unreadable(why))
}

fn went(run: &LastRun) -> String {
    let count = |number: u32, what: &str| (number > 0).then(|| format!("{number} {what}"));
    let failed = u32::try_from(run.failed.len()).unwrap_or(u32::MAX);
    let counts = [count(run.rotated, "rotated"), count(run.waiting, "waiting"), count(failed, "failed")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let counts = if counts.is_empty() { "nothing was due".to_owned() } else { counts.join(", ") };
    let counts = if run.is_mended() { format!("{counts}, done by hand since") } else { counts };
    match run.reason() {
        None => counts,
        Some(why) if run.failed.is_empty() => format!("failed (exit code {}): {}", run.exit, reason(why)),
        Some(why) => format!("{counts} (exit code {}): {}", run.exit, reason(why)),
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::State => "it could not be done",
        Reason::Locked => "the vault was locked",
        Reason::Refused => "AWS refused",
        Reason::Network => "no network",
        Reason::NotTrusted => "the vault or a file is damaged, or not to be trusted",
        Reason::Unfinished => "it is unfinished; the next run goes on",
        Reason::PersonNeeded => "a person is needed",
        Reason::Internal => "a bug of vault's",
    }
}

/// What a person does about it.
pub fn next_step(run: &LastRun) -> &'static str {
    match run.reason() {
        Some(Reason::Locked) => "`vault unlock`, then `vault rotate --due`",
        _ => "`vault rotate --due` tries again; `vault schedule status` says more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::last_run::Failed;
    use jiff::Timestamp;

    fn failed(names: &[&str]) -> LastRun {
        let failed = |name: &&str| Failed { profile: name.parse().unwrap(), reason: Reason::Network };
        let mut run = LastRun::new(Timestamp::UNIX_EPOCH, 5);
        (run.rotated, run.failed) = (1, names.iter().map(failed).collect());
        run
    }

    #[test]
    fn many_that_failed_are_one_short_line() {
        assert_eq!(last_run_failed(&LastRun::new(Timestamp::UNIX_EPOCH, 0)), None);
        let told = |names: &[&str]| {
            let told = last_run_failed(&failed(names)).unwrap();
            told.split_once(" failed").unwrap().1.to_owned()
        };
        assert_eq!(told(&[]), ": no network");
        assert_eq!(told(&["a", "b", "c"]), " for a, b, c: no network");
        assert_eq!(told(&["a", "b", "c", "d", "e"]), " for a, b, c and 2 more: no network");
    }

    #[test]
    fn a_run_is_told_by_what_it_did() {
        let mut quiet = LastRun::new(Timestamp::UNIX_EPOCH, 0);
        assert_eq!(went(&quiet), "nothing was due");
        (quiet.rotated, quiet.waiting) = (2, 1);
        assert_eq!(went(&quiet), "2 rotated, 1 waiting");
        assert_eq!(went(&failed(&["a"])), "1 rotated, 1 failed (exit code 5): no network");
        assert_eq!(went(&LastRun::new(Timestamp::UNIX_EPOCH, 3)), "failed (exit code 3): the vault was locked");
    }
}
