//! Words of `log`.

use crate::cli::escape::shown_path;
use crate::cli::failure::Failure;
use crate::cli::log::LogFailure;
use crate::cli::world::World;
use crate::disk::ReadError;
use crate::log::{Entry, Mark, Position, Unreadable};

use super::point_in_time::second;
use super::{Report, Status};

/// So many places of damage are named.
const MOST_DAMAGED: usize = 3;

pub fn log_row(entry: Entry) -> [String; 6] {
    let key = entry.access_key.map(|last_four| format!("AKIA...{last_four}"));
    let by = match (entry.caller, entry.caller_pid) {
        (Some(name), Some(pid)) => format!("{name} ({pid})"),
        (None, Some(pid)) => pid.to_string(),
        (name, None) => name.unwrap_or_else(|| "-".to_owned()),
    };
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    [second(entry.time), entry.act, or_dash(entry.profile), or_dash(key), by, or_dash(entry.role)]
}

/// Lines that can't be read.
pub fn damaged(world: &World, positions: &[Position]) {
    let Some(first) = positions.first() else { return };
    let named: Vec<String> = positions.iter().take(MOST_DAMAGED).map(place).collect();
    let more = match positions.len().saturating_sub(MOST_DAMAGED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (verb, all) = if positions.len() == 1 { ("is", place(first)) } else { ("are", named.join(", ") + &more) };
    world.warn(&format!("{all} {verb} damaged; a power cut does that to the line it falls into"));
}

fn place(position: &Position) -> String {
    format!("line {} of {}", position.line, position.file)
}

/// What holds of each file, by its first line of which nothing is known.
pub fn intact(newest: &Mark, next: &[Position]) -> String {
    let files: String = next.iter().map(|next| as_it_was(next) + "\n").collect();
    format!("{files}the vault was last saved here on {}; what is newer is not vouched for\n", second(newest.at))
}

fn as_it_was(next: &Position) -> String {
    match next.line - 1 {
        0 => format!("nothing is known of {}", next.file),
        1 => format!("the first line of {} is as it was", next.file),
        lines => format!("the first {lines} lines of {} are as they were", next.file),
    }
}

/// Nothing is wrong: the log is younger than the last save, or this machine had another name then.
pub fn nothing_to_compare(world: &World) -> Result<(), Failure> {
    world.print("nothing to compare: the vault was not saved on this machine since its log began\n")?;
    world.hint("each command that saves the vault takes along how the log stands");
    Ok(())
}

pub fn report(failure: &LogFailure) -> Report {
    match failure {
        LogFailure::Unreadable(Unreadable { path, error }) => {
            let report = Report::new(Status::State, format!("the log can't be read: {}: {error}", shown_path(path)));
            match error {
                // What we write ends long before.
                ReadError::TooLarge { .. } | ReadError::NotAFile => report
                    .hint("it is none of ours: move it away; `vault log --verify` then says what it should have held"),
                ReadError::Io(_) => report,
            }
        }
        LogFailure::NothingToCompare(mark) => Report::new(
            Status::State,
            format!(
                "no line is kept any more of when the vault was last saved here, on {}, so there is nothing to compare",
                second(mark.at)
            ),
        ),
        LogFailure::Changed { held, broken, from } => {
            let since = held.as_ref().map(|mark| format!("after {} and ", second(mark.at))).unwrap_or_default();
            let until = second(broken.at);
            // Which of the lines between two saves it is, the later save can't tell.
            let intact = if from.line > 1 { as_it_was(from) + "; " } else { String::new() };
            Report::new(
                Status::NotTrusted,
                format!(
                    "the log was changed: {intact}lines that were written {since}before {until} were removed or changed"
                ),
            )
            .hint("`vault log` shows what is left")
        }
        LogFailure::Damaged(position) => Report::new(
            Status::NotTrusted,
            format!("{} can't be read, and was written after the vault was last saved here", place(position)),
        )
        .hint("a power cut does that to the line it falls into; nothing of ours does"),
    }
}
