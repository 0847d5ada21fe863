//! Words about a key that came through its rotation, or waits for the rest of it.

use jiff::Timestamp;

use crate::cli::escape::escape;
use crate::cli::rotate::{Ending, Outcome};
use crate::cli::world::World;
use crate::names::AccessKeyId;
use crate::rotate::run::User;

use super::due;
use super::point_in_time::minute;

/// The last line about a key that came through.
pub fn rotated(world: &World, outcome: &Outcome, user: Option<&User>) {
    let name = &outcome.profile;
    let of = user.map(|user| format!(" of {}", escape(&user.name))).unwrap_or_default();
    match (&outcome.replaced, outcome.grace_until) {
        (Some((old, new)), Some(until)) if outcome.is_taken_back => world.say(&format!(
            "{name}: undone: {} is the key{of} again; {} is off, and deleted after {}",
            new.short(),
            old.short(),
            minute(until)
        )),
        (Some((old, new)), Some(until)) => {
            world.say(&format!(
                "{name}: {} is the key{of} now; {} is off, and deleted after {}",
                new.short(),
                old.short(),
                minute(until)
            ));
            world.hint(&match outcome.is_at_once {
                // As where somebody else has it.
                true => "sessions that were made with the old key live on until they expire; `vault policy show revoke-sessions` \
                         prints what ends them"
                    .to_owned(),
                false => format!("`vault rotate {name} --undo` takes the old key back until then"),
            });
        }
        (None, Some(until)) => {
            world.say(&waits(outcome, &of, until));
            if outcome.is_overdue {
                world.hint(&due::waits(name, until));
            } else if outcome.stood_already {
                world.hint(&ways_on(outcome));
            }
        }
        (Some((old, new)), None) if outcome.ending == Ending::OldKeyKept => {
            world.say(&format!("{name}: {} is the key{of} now; {} is still active", new.short(), old.short()));
            world.hint(&format!("`vault rotate {name}` switches the old key off"));
        }
        (Some((_, new)), None) => world.say(&format!("{name}: {} is the key{of} now", new.short())),
        (None, None) if outcome.ending == Ending::OldKeyKept => {
            let old = outcome.off.as_ref().map(AccessKeyId::short).unwrap_or_default();
            world.say(&format!("{name}: the old key {old} is kept active"));
            world.hint(&format!("`vault rotate {name}` switches it off"));
        }
        (None, None) if outcome.ending == Ending::Young => {
            world.say(&format!("{name}: the key{of} is younger than that"))
        }
        (None, None) if outcome.deleted.is_empty() => world.say(&format!("{name}: nothing is under way")),
        (None, None) if outcome.is_undo => world.say(&format!("{name}: undone; the key{of} is the one from before")),
        (None, None) => world.say(&format!("{name}: the rotation of the key{of} is finished")),
    }
}

/// Where nothing was replaced, and a key is off.
fn waits(outcome: &Outcome, of: &str, until: Timestamp) -> String {
    let (name, until) = (&outcome.profile, minute(until));
    let off = outcome.off.as_ref().map(AccessKeyId::short).unwrap_or_default();
    let which = if outcome.is_taken_back { "its newer key" } else { "the old key" };
    let why = if outcome.stood_already && outcome.is_taken_back {
        ": it is undone already"
    } else if outcome.is_overdue {
        " yet: its key is overdue, and its last rotation waits"
    } else {
        " yet: its last rotation waits"
    };
    match outcome.is_at_rest || outcome.stood_already {
        true => format!("{name}: nothing to do{why}; {which} {off} is off, and deleted after {until}"),
        false => format!("{name}: {which}{of}, {off}, is off, and deleted after {until}"),
    }
}

/// For who wanted something of this very key.
fn ways_on(outcome: &Outcome) -> String {
    let name = &outcome.profile;
    let now = format!("`vault rotate {name} --now --force` deletes it now");
    match outcome.is_taken_back {
        true => format!("{now}; a rotation after that makes another"),
        false => format!("{now}, `vault rotate {name} --undo` takes it back"),
    }
}
