//! Words about replacing many access keys at once, for who watched that at a terminal: there every failure was told when it
//! happened, and no success was.

use crate::cli::failure::Failure;
use crate::cli::rotate::{Outcome, RotateFailure, Why};
use crate::cli::world::World;
use crate::names::ProfileName;

use super::point_in_time::minute;
use super::profile::{of_one, status_of};
use super::{Report, Status, error_line};

/// So many names fit on a line; the table above has all of them.
const MOST_NAMES: usize = 5;

/// In the middle of what goes on without it.
pub fn failed_meanwhile(world: &World, name: &ProfileName, failure: &Failure) {
    let report = of_one(name, failure);
    world.say(&error_line(&report.message));
    report.hint.iter().for_each(|hint| world.hint(hint));
}

/// What came of those that came through.
pub fn rotated_in_all(world: &World, outcomes: &[Outcome]) {
    let until_of = |are_taken_back: bool| {
        let of_them = outcomes.iter().filter(move |one| one.replaced.is_some() && one.is_taken_back == are_taken_back);
        of_them.filter_map(|outcome| outcome.grace_until).collect::<Vec<_>>()
    };
    let (graces, taken_back) = (until_of(false), until_of(true));
    if let Some(until) = taken_back.iter().max() {
        let keys = if taken_back.len() == 1 { "1 key is" } else { &format!("{} keys are", taken_back.len()) };
        world.say(&format!(
            "{keys} taken back; what had taken their place is off, and deleted after {}",
            minute(*until)
        ));
    }
    let Some(until) = graces.iter().max() else { return };
    let (keys, old) = match graces.len() {
        1 => ("1 key".to_owned(), "the old one is"),
        several => (format!("{several} keys"), "the old ones are"),
    };
    world.say(&format!("{keys} rotated; {old} off, and deleted after {}", minute(*until)));
    world.hint("`vault rotate NAME --undo` takes an old key back until then");
}

/// The end of it, where some did not come through.
pub fn not_all_rotated(failed: &[(ProfileName, Failure)], all: usize) -> Report {
    let reports: Vec<Report> = failed.iter().map(|(_, failure)| Report::of(failure)).collect();
    let (interrupted, others): (Vec<_>, Vec<_>) = failed.iter().partition(|(_, failure)| is_interrupted(failure));
    let names: Vec<&ProfileName> = others.into_iter().map(|(name, _)| name).collect();
    let message = match (interrupted.len(), names.len()) {
        (0, failed) => format!("{failed} of {all} keys did not come through: {}", named(&names)),
        (left, 0) => format!("interrupted; {left} of {all} keys are not through yet, and nothing is lost"),
        (left, failed) => format!(
            "interrupted; {left} of {all} keys are not through yet, and nothing is lost; {failed} failed: {}",
            named(&names)
        ),
    };
    let report = Report::new(status_of(&reports), message);
    match reports.into_iter().find_map(|report| report.hint) {
        _ if report.status == Status::Pending => {
            report.hint("`vault rotate --resume` goes on with those that were begun")
        }
        Some(hint) => report.hint(hint),
        None => report,
    }
}

fn is_interrupted(failure: &Failure) -> bool {
    matches!(failure, Failure::Rotate(failure) if matches!(**failure, RotateFailure { why: Why::Interrupted, .. }))
}

fn named(names: &[&ProfileName]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(|name| name.as_str()).collect();
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
