//! Words about replacing access keys. Whatever went wrong, they say which keys work, and the next command.

mod dry_run;
mod giving_up;
mod news;
mod stopped;

use crate::aws::{KeyUse, LastUse};
use crate::cli::escape::escape;
use crate::cli::rotate::{KeyShown, RotateFailure, Why};
use crate::duration;
use crate::names::AccessKeyId;
use crate::rotate::plan::{End, State};

use super::point_in_time::{minute, second};
use super::{Report, Status};

pub use dry_run::{deed, ended_words, session_at_hand};
pub use giving_up::{before_giving_up, gave_up};
use giving_up::{other_key_not_tried, other_key_off, other_key_works};
pub use news::{orphan, rotation_news, strange_use};
use stopped::{pending, stopped};

pub fn report(failure: &RotateFailure) -> Report {
    match &failure.why {
        Why::End(end) => ended(failure, end),
        Why::Stop(stop) => stopped(failure, stop),
        Why::Interrupted => pending(failure, "interrupted", Status::Pending),
        Why::OtherKeyWorks { key } => other_key_works(&failure.profile, key),
        Why::OtherKeyOff { key } => other_key_off(&failure.profile, key),
        Why::NoneUnderWay => Report::new(Status::State, format!("{}: no rotation is under way", failure.profile)),
        Why::OtherKeyNotTried(error) => other_key_not_tried(&failure.profile, error),
        Why::NoCode(why) => {
            let Report { message, hint, status } = Report::of(why);
            let report = pending(failure, message.trim_end_matches("; nothing was changed"), status);
            match hint {
                Some(hint) => {
                    let and = if hint.ends_with('?') { "" } else { ";" };
                    let (name, flag) = (&failure.profile, failure.goes_on_by);
                    report.hint(format!("{hint}{and} it goes on by `vault rotate {name} {flag}`"))
                }
                None => report,
            }
        }
        Why::NewKeyTaken(why) => {
            let (name, why) = (&failure.profile, Report::of(why));
            let told =
                format!("{name}: AWS does not take its new key any more, and the old one is off: {}", why.message);
            Report::new(why.status, told)
                .hint(format!("`vault rotate {name} --undo` switches the old one on, by a code"))
        }
    }
}

/// Of the schedule.
pub fn other_run(pid: Option<u32>) -> Report {
    Report::new(Status::State, format!("another scheduled run is going on{}", of_process(pid)))
}

/// For whoever wants nothing to be held.
pub fn goes_on(pid: Option<u32>) -> Report {
    let words = format!("a rotation is under way and does not end{}; it holds access keys", of_process(pid));
    Report::new(Status::State, words)
        .hint("try again in a moment, or end that process: `vault rotate --resume` goes on where it was")
}

fn of_process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn ended(failure: &RotateFailure, end: &End) -> Report {
    let (name, user) = (&failure.profile, user(failure));
    let resume = format!("`vault rotate {name}` goes on from there");
    let state = |words: String| Report::new(Status::State, format!("{name}: {words}"));
    let person = |words: String| Report::new(Status::PersonNeeded, format!("{name}: {words}"));
    match end {
        End::Done | End::Young { .. } | End::OldKept { .. } => state("nothing to do".into()),
        End::Grace { .. } | End::AlreadyUndone { .. } => state("nothing to do yet".into()),
        End::GraceNotOver { old, until } => {
            state(format!("{} is to be kept until {}, since it may be missed yet", old.short(), minute(*until)))
                .hint(format!("`vault rotate {name} --now --force` deletes it now"))
        }
        End::NothingToUndo => state("no rotation is under way that could be undone".into()),
        End::OldKeyGone { old } => state(format!("{} was deleted, and can't be taken back", old.short())),
        End::TwoKeys => state(format!("{user} has two access keys, and AWS allows no third: {}", keys(failure)))
            .hint(format!(
                "`vault rotate {name} --delete-key {}` deletes that one first, if nobody needs it: it may be another machine's",
                other(failure)
            )),
        End::InUse { key } if matches!(failure.state, Some(State::Retired { .. })) => {
            person(format!("somebody else uses {}, which is off now: {}", key.short(), keys(failure)))
                .hint(format!("`vault rotate {name} --force` deletes it{}", or_undo(failure)))
        }
        End::InUse { key } => person(format!("somebody else uses {}: {}", key.short(), keys(failure)))
            .hint("`--keep-old` makes a new key and leaves that one active, `--force` goes on all the same"),
        End::CurrentGone => state(format!("{user} has no key {} any more; it was deleted at AWS", current(failure)))
            .hint(format!("`vault add {name} --replace` stores another key")),
        End::CurrentOff => state(format!("{} of {user} is switched off at AWS", current(failure)))
            .hint(format!(
                "`vault keys enable {name} {}` switches it on again while a session made with MFA is left; else an administrator \
                 does, in the console under Security credentials",
                current(failure)
            )),
        End::RotatedElsewhere => state(format!(
            "{} is off and {user} has a key that this vault does not: {}",
            current(failure),
            keys(failure)
        ))
        .hint("was it rotated on another machine? bring that vault here, it is the newer one"),
        End::Orphan { key, likely_ours } => {
            let whose = if *likely_ours {
                "very likely the one that AWS made when its answer was lost, and without its secret of no use"
            } else {
                "which this vault does not have; whether it is somebody else's can't be known"
            };
            person(format!("{user} has a key {}, {whose}: {}", key.short(), keys(failure))).hint(format!(
                "`vault rotate {name} --delete-key {}` deletes it, and goes on; until then {} works on",
                key.as_str(),
                current(failure)
            ))
        }
        End::NewKeyOff { new } => {
            person(format!("somebody switched the new key {} off; {} works on", new.short(), current(failure)))
                .hint(format!("once it is on again {resume}; `vault rotate {name} --undo` deletes it"))
        }
        End::OldKeyOn { old } => person(format!("somebody switched the {} key {} on again", replaced(failure), old.short()))
            .hint(format!("`vault rotate {name} --now` switches it off{}", or_undo(failure))),
        End::NoWorkingKey => state(format!("none of the keys that the vault has for {user} works any more")).hint(format!(
            "an administrator can switch one on again; or `vault rotate {name} --give-up`, then `vault add {name} --replace`"
        )),
        End::NotToDelete { key } => {
            state(format!("{} is not a key to delete: it is in use here, or not there, or a rotation is not over", key.short()))
        }
    }
}

/// Which of the two keys the profile does not have.
fn replaced(failure: &RotateFailure) -> &'static str {
    if failure.is_taken_back { "newer" } else { "old" }
}

/// The other way, where there is one.
fn or_undo(failure: &RotateFailure) -> String {
    match failure.is_taken_back {
        true => String::new(),
        false => format!(", `vault rotate {} --undo` takes it back", failure.profile),
    }
}

fn user(failure: &RotateFailure) -> String {
    failure.user.as_ref().map_or_else(|| "the user".to_owned(), |user| escape(&user.name))
}

fn current(failure: &RotateFailure) -> String {
    failure.current.as_ref().map_or_else(|| "the key".to_owned(), AccessKeyId::short)
}

/// Of two keys the one that the vault does not have.
fn other(failure: &RotateFailure) -> String {
    let other = failure.keys.iter().find(|key| failure.current.as_ref() != Some(&key.listed.id));
    other.map_or_else(|| "ID".to_owned(), |key| key.listed.id.short())
}

fn keys(failure: &RotateFailure) -> String {
    let shown: Vec<String> = failure.keys.iter().map(|key| shown(key, failure.current.as_ref())).collect();
    shown.join("; ")
}

fn shown(key: &KeyShown, current: Option<&AccessKeyId>) -> String {
    let KeyShown { listed, age, used } = key;
    let ours = if current == Some(&listed.id) { ", in the vault" } else { "" };
    let used = match used {
        None => String::new(),
        Some(KeyUse::Unknown) => ", use unknown".to_owned(),
        Some(KeyUse::Never) => ", never used".to_owned(),
        Some(KeyUse::Last(LastUse { at, service, region })) => {
            format!(", last used {} by {} in {}", second(*at), escape(service), escape(region))
        }
    };
    let made = format!("made {}, {} ago", minute(listed.created), duration::words(*age));
    format!("{} ({}, {made}{used}{ours})", listed.id.as_str(), key.status())
}
