//! `vault log --verify`.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::opening;
use crate::cli::report::log as words;
use crate::cli::world::World;
use crate::log::{Files, Held, Mark, Position, Text, check};
use crate::process;
use crate::store::document::LogMark;
use crate::store::history::HistoryError;
use crate::store::vault::Vault;

use super::{LogFailure, damaged, positions_json};

pub fn run(json: bool, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let marks = marks(&vault, &process::host_name())?;
    // Read last: it grows, and what a mark is of that somebody took meanwhile must be in it.
    let files = super::files(world)?;
    let held = check(&files, &marks).map_err(|broken| LogFailure::Changed {
        held: broken.held.cloned(),
        broken: broken.broken.clone(),
        from: broken.from,
    })?;
    let newest = held.last().map(|(newest, _)| *newest);
    if let Some(mark) = marks.last().filter(|_| newest.is_none()) {
        return Err(LogFailure::NothingToCompare(mark.clone()).into());
    }
    let damaged = damaged(&files.each().map(|(file, bytes)| (file, Text::of(bytes))));
    let (vouched, unvouched): (Vec<Position>, Vec<Position>) =
        damaged.into_iter().partition(|position| is_vouched(&held, position));
    if let Some(first) = unvouched.first() {
        return Err(LogFailure::Damaged(*first).into());
    }
    if json {
        let covered: Vec<_> = last_of_each(&files, &held);
        return world.print_json(json!({
            "intact": newest.map(|_| true), "as_of": newest.map(|newest| newest.at), "damaged": positions_json(&vouched),
            "covered": covered.iter().map(|position| json!({ "file": position.file, "lines": position.line - 1 })).collect::<Vec<_>>(),
        }));
    }
    words::damaged(world, &vouched);
    match newest {
        Some(newest) => world.print(&words::intact(newest, &last_of_each(&files, &held))),
        None => words::nothing_to_compare(world),
    }
}

/// What the vault and the earlier generations beside it know of this machine's log, the oldest first.
fn marks(vault: &Vault, machine: &str) -> Result<Vec<Mark>, HistoryError> {
    let kept = vault.history()?;
    let earlier = kept.iter().rev().filter_map(|kept| kept.content.as_ref().ok());
    let marks = earlier.chain([vault.document()]).filter_map(|document| document.log_mark(machine));
    let mut marks: Vec<Mark> = marks.map(|LogMark { at, length, sha256 }| Mark { at, length, sha256 }).collect();
    marks.dedup();
    Ok(marks)
}

/// Whether it was so when the vault was saved.
fn is_vouched(held: &[Held], position: &Position) -> bool {
    held.iter().any(|(_, next)| next.file == position.file && position.line < next.line)
}

/// How far each file that there is is vouched for: its first line that is not.
fn last_of_each(files: &Files, held: &[Held]) -> Vec<Position> {
    let files = files.each().into_iter().filter(|(_, bytes)| !bytes.is_empty());
    let next = |file| held.iter().rev().map(|(_, next)| *next).find(|next| next.file == file);
    files.map(|(file, _)| next(file).unwrap_or(Position { file, line: 1 })).collect()
}
