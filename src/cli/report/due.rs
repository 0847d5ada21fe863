//! Words about keys that are due, and about rotations that are not over.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::duration;
use crate::names::ProfileName;
use crate::rotate::due::{KeyDue, Pending, Stage};
use crate::rotate::plan::State;

use super::point_in_time::{day, minute};
use super::{Report, Status};

pub fn report(profiles: &[ProfileName]) -> Report {
    let names: Vec<String> = profiles.iter().map(|name| format!("`{name}`")).collect();
    Report::new(Status::State, format!("due: the access keys of {}", names.join(", "))).hint("`vault rotate --due`")
}

/// How old a key is: at least that, where it counts from when it came into the vault.
pub fn age(key: &KeyDue, now: Timestamp) -> String {
    let age = duration::words(key.age(now));
    if key.may_be_older { format!("at least {age}") } else { age }
}

/// What is next for a key; None: nothing by itself.
pub fn next(key: &KeyDue, now: Timestamp) -> Option<String> {
    let pending = key.pending.as_ref().map(|pending| self::pending(pending, now));
    after_age(key, pending, now)
}

/// The same, and what goes on with a rotation that waits for somebody, or with a key that waits for the end of one.
pub fn next_and_how(key: &KeyDue, now: Timestamp) -> Option<String> {
    let pending = key.pending.as_ref().map(|pending| match key.waits(now) {
        Some(_) => format!("{}; next after that: vault rotate {}", self::pending(pending, now), pending.profile),
        None => pending_and_how(pending, now),
    });
    after_age(key, pending, now)
}

fn after_age(key: &KeyDue, pending: Option<String>, now: Timestamp) -> Option<String> {
    if pending.is_some() && key.overdue(now).is_none() {
        return pending;
    }
    let apart = key.due_at()?.duration_since(now);
    let words = duration::words(apart.unsigned_abs());
    let age = if apart.is_positive() { format!("due in {words}") } else { format!("overdue by {words}") };
    Some(pending.map_or(age.clone(), |pending| format!("{age}; {pending}")))
}

/// How a key that is overdue is replaced. AWS gives a user two keys at most, so that one that is off yet has to go first.
pub fn way_on(key: &KeyDue, name: &ProfileName, now: Timestamp) -> String {
    match (key.waits(now), key.pending.as_ref().map(|pending| &pending.stage)) {
        (Some(until), _) => waits(name, until),
        (None, Some(Stage::OldKept(old, _))) => {
            format!("`vault rotate {name}` switches {} off, and replaces the key once that one is deleted", old.short())
        }
        (None, _) => format!("`vault rotate {name}` replaces it"),
    }
}

/// The same of one that waits.
pub fn waits(name: &ProfileName, until: Timestamp) -> String {
    format!(
        "`vault rotate {name}` replaces it after {}; `vault rotate {name} --now --force`, then `vault rotate {name}`, do now",
        minute(until)
    )
}

pub fn pending_and_how(pending: &Pending, now: Timestamp) -> String {
    let words = self::pending(pending, now);
    let waits = match &pending.stage {
        Stage::Known(State::Idle, _) | Stage::OldKept(..) | Stage::Unreadable => false,
        Stage::Known(State::Retired { until, .. }, _) => *until <= now,
        Stage::Known(..) => true,
    };
    if waits { format!("{words}; next: vault rotate {} --resume", pending.profile) } else { words }
}

/// What was to be done at a login by itself, and was not.
pub fn not_done(world: &World, failure: &Failure) {
    let report = Report::of(failure);
    world.warn(&report.message);
    if let Some(hint) = &report.hint {
        world.hint(hint);
    }
}

/// Before something is done about it at a login; None where nothing is to be asked.
pub fn question(key: &KeyDue, now: Timestamp) -> Option<String> {
    let id = key.key.short();
    if key.pending.is_some() {
        return Some(format!("A rotation of {id} is not finished. Finish it now, with this code?"));
    }
    let (age, limit) = (age(key, now), duration::words(key.overdue(now)?));
    Some(format!("{id} is {age} old (limit {limit}). Rotate it now, with this code?"))
}

fn pending(pending: &Pending, now: Timestamp) -> String {
    let (state, since) = match &pending.stage {
        Stage::Known(state, since) => (state, day(*since)),
        Stage::OldKept(old, since) => {
            return format!("new key in use since {}, old key {} kept active", day(*since), old.short());
        }
        Stage::Unreadable => return "a newer version of vault has begun a rotation, and has to finish it".to_owned(),
    };
    match state {
        State::Idle => String::new(),
        State::Intended { .. } => format!("rotation stopped on {since} while a new key was being made"),
        State::Created { .. } => format!("rotation stopped on {since} after the new key was saved"),
        State::Proven { old } if pending.is_undone => {
            format!("old key taken back on {since}, newer key {} not yet retired", old.short())
        }
        State::Retired { old, until } if pending.is_undone && *until > now => {
            format!("old key taken back; newer key {} is deleted after {}", old.short(), day(*until))
        }
        State::Retired { old, until } if pending.is_undone => {
            format!("old key taken back; newer key {} waits to be deleted since {}", old.short(), day(*until))
        }
        State::Proven { old } => {
            format!("new key in use since {since}, old key {} not yet retired", old.short())
        }
        State::Retired { old, until } if *until > now => {
            format!("old key {} is deleted after {}", old.short(), day(*until))
        }
        State::Retired { old, until } => {
            format!("old key {} waits to be deleted since {}", old.short(), day(*until))
        }
        State::Undoing { old } => format!("going back to old key {} since {since}", old.short()),
    }
}

/// Ids as people are shown them; never a secret. Where it is `undone`, `old_key` is the newer one, which the profile gave back.
pub fn pending_json(pending: &Pending) -> Value {
    let (state, since) = match &pending.stage {
        Stage::Known(state, since) => (state, *since),
        Stage::OldKept(old, since) => {
            return json!({
                "profile": pending.profile, "state": "kept", "since": since, "new_key": null, "old_key": old.short(),
                "until": null, "undone": false,
            });
        }
        Stage::Unreadable => return json!({ "profile": pending.profile, "state": "unknown" }),
    };
    let (word, new, old, until) = match state {
        State::Idle => ("idle", None, None, None),
        State::Intended { .. } => ("intended", None, None, None),
        State::Created { new, .. } => ("created", Some(new.short()), None, None),
        State::Proven { old } => ("proven", None, Some(old.short()), None),
        State::Retired { old, until } => ("retired", None, Some(old.short()), Some(*until)),
        State::Undoing { old } => ("undoing", None, Some(old.short()), None),
    };
    json!({
        "profile": pending.profile, "state": word, "since": since, "new_key": new, "old_key": old, "until": until,
        "undone": pending.is_undone,
    })
}

/// After a login with a key that is older than it should be.
pub fn old_key(world: &World, key: &KeyDue, limit: Duration, name: &ProfileName, now: Timestamp) {
    world.warn(&format!("key {} is {} old (limit {})", key.key.short(), age(key, now), duration::words(limit)));
    world.hint(&way_on(key, name, now));
}
