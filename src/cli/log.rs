//! `vault log`.

mod verify;

use serde_json::{Value, json};

use crate::log::{Entry, Files, Mark, Position, Text, Unreadable};
use crate::names::ProfileName;

use super::failure::Failure;
use super::report::{log as words, point_in_time};
use super::since::Since;
use super::table;
use super::world::World;

/// Show what this machine's `vault` issued, handed out again, revealed, and did to access keys, the newest last
///
/// The last four characters of an access key are all that is written down of it. Acts are: issued (AWS made a session),
/// reused (a cached session was handed out), console, key-created, key-disabled, key-enabled, key-deleted, revealed and
/// identity-revealed. BY is the program that started vault, by the name that it gives itself. The log is `log.jsonl` among
/// the cached sessions; at 10 MiB it becomes `log.jsonl.1`, in the place of the one before.
#[derive(clap::Args)]
pub struct Args {
    /// Only what is not older: 2h or 7d, a date such as 2026-11-20, or a time such as 09:30
    #[arg(long, value_name = "WHEN", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only what was done for this profile
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// Only the newest N lines
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// Compare the log with what the vault knows of it: each save takes along how it stood. Shows lines that were removed or
    /// changed before the last save, and not what was done to newer ones
    #[arg(long, conflicts_with_all = ["since", "profile", "limit"])]
    verify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub enum LogFailure {
    Unreadable(Unreadable),
    /// The vault knows only, as of then, of lines that are no longer kept.
    NothingToCompare(Mark),
    Changed {
        held: Option<Mark>,
        broken: Mark,
        from: Position,
    },
    /// A line that no mark is of yet.
    Damaged(Position),
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    if args.verify {
        return verify::run(args.json, world);
    }
    let files = files(world)?;
    let texts = files.each().map(|(file, bytes)| (file, Text::of(bytes)));
    let damaged = damaged(&texts);
    let [(_, old), (_, current)] = texts;
    let mut entries: Vec<Entry> = old.entries.into_iter().chain(current.entries).collect();
    let is_empty = entries.is_empty();
    args.choose(&mut entries, world);
    if args.json {
        let entries: Vec<Value> = entries.iter().map(entry_json).collect();
        return world.print_json(json!({ "entries": entries, "damaged": positions_json(&damaged) }));
    }
    words::damaged(world, &damaged);
    if entries.is_empty() {
        world.say(if is_empty { "nothing is in the log yet" } else { "nothing in the log is of that kind" });
        return Ok(());
    }
    world.print(&table::render(
        &["TIME", "ACT", "PROFILE", "ACCESS KEY", "BY", "ROLE"],
        entries.into_iter().map(words::log_row),
    ))
}

fn files(world: &World) -> Result<Files, LogFailure> {
    Files::read(world.disk, &world.paths.state).map_err(LogFailure::Unreadable)
}

impl Args {
    fn choose(&self, entries: &mut Vec<Entry>, world: &World) {
        if let Some(since) = &self.since {
            let since = since.before(world.clock.now(), &point_in_time::zone());
            entries.retain(|entry| entry.time >= since);
        }
        if let Some(profile) = &self.profile {
            entries.retain(|entry| entry.profile.as_deref() == Some(profile.as_str()));
        }
        if let Some(limit) = self.limit {
            entries.drain(..entries.len().saturating_sub(limit));
        }
    }
}

fn damaged(texts: &[(&'static str, Text)]) -> Vec<Position> {
    let of_file = |(file, text): &(&'static str, Text)| {
        let file = *file;
        text.damaged.iter().map(move |line| Position { file, line: *line }).collect::<Vec<_>>()
    };
    texts.iter().flat_map(of_file).collect()
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "time": entry.time, "act": entry.act, "profile": entry.profile, "access_key": entry.access_key, "role": entry.role,
        "caller": entry.caller, "caller_pid": entry.caller_pid,
    })
}

fn positions_json(positions: &[Position]) -> Value {
    positions.iter().map(|position| json!({ "file": position.file, "line": position.line })).collect()
}
