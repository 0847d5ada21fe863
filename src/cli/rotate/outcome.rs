//! What came of a key's rotation, and how to put that as the command's own end.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::aws::{AwsError, KeyStatus, KeyUse, ListedKey};
use crate::cli::failure::Failure;
use crate::cli::report;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::journal::Position;
use crate::rotate::plan::{End, State};
use crate::rotate::pool::Ended;
use crate::rotate::run::{News, Rest, Rotation, User};
use crate::rotate::stop::Stop;
use crate::store::document::Document;

use super::ending::Ending;

/// One key's.
pub struct Outcome {
    pub profile: ProfileName,
    pub replaced: Option<(AccessKeyId, AccessKeyId)>,
    /// Made and saved, and in nobody's use yet.
    pub made: Option<AccessKeyId>,
    /// The key that was replaced has its place again.
    pub is_taken_back: bool,
    /// Switched off at once, as where somebody else has it.
    pub is_at_once: bool,
    pub is_undo: bool,
    pub deleted: Vec<AccessKeyId>,
    /// Until then a key that is off is kept, and which.
    pub grace_until: Option<Timestamp>,
    pub off: Option<AccessKeyId>,
    /// It was only looked at, before that time.
    pub is_at_rest: bool,
    /// And its key is older than it may grow.
    pub is_overdue: bool,
    /// It stood as was asked for, and waits.
    pub stood_already: bool,
    pub failure: Option<Failure>,
    pub ending: Ending,
    /// Whether somebody at a terminal has read by now what went wrong.
    pub is_told: bool,
}

/// Why a rotation did not come to its end, with what its words need.
pub struct RotateFailure {
    pub profile: ProfileName,
    pub user: Option<User>,
    /// How far it came.
    pub state: Option<State>,
    pub current: Option<AccessKeyId>,
    /// The key that was replaced has its place again.
    pub is_taken_back: bool,
    /// The flag by which it goes on.
    pub goes_on_by: &'static str,
    /// The user's keys, as IAM listed them last.
    pub keys: Vec<KeyShown>,
    pub why: Why,
}

pub struct KeyShown {
    pub listed: ListedKey,
    pub age: Duration,
    /// None where AWS was not asked.
    pub used: Option<KeyUse>,
}

pub enum Why {
    End(End),
    Stop(Stop),
    Interrupted,
    /// The key that is to be forgotten.
    OtherKeyWorks {
        key: AccessKeyId,
    },
    OtherKeyNotTried(AwsError),
    /// The same, but this very rotation has switched it off, and it is there still.
    OtherKeyOff {
        key: AccessKeyId,
    },
    NoneUnderWay,
    /// There is none that AWS takes, and why.
    NoCode(Box<Failure>),
    /// The same, where the new key was in use and does not work any more.
    NewKeyTaken(Box<Failure>),
}

impl Outcome {
    /// What the vault or the config file says of it is wrong.
    pub fn not_tried(profile: ProfileName, failure: Failure) -> Self {
        Self { failure: Some(failure), ending: Ending::NotTried, ..Self::done(profile) }
    }

    fn done(profile: ProfileName) -> Self {
        Self {
            profile,
            replaced: None,
            made: None,
            is_taken_back: false,
            is_at_once: false,
            is_undo: false,
            deleted: Vec::new(),
            grace_until: None,
            off: None,
            is_at_rest: false,
            is_overdue: false,
            stood_already: false,
            failure: None,
            ending: Ending::Done,
            is_told: false,
        }
    }

    pub fn of(rotation: &Rotation, how: Ended, happened: &[News], code: Option<Failure>) -> Self {
        let made = match rotation.state() {
            Some(State::Created { new, .. }) => Some(new.clone()),
            _ => None,
        };
        let is_taken_back = rotation.is_taken_back();
        let (is_at_once, is_undo) = (rotation.is_at_once(), rotation.is_undo());
        let mut outcome = Self { made, is_taken_back, is_at_once, is_undo, ..Self::done(rotation.profile.clone()) };
        for news in happened {
            match news {
                News::Replaced { old, new } => outcome.replaced = Some((old.clone(), new.clone())),
                News::Deleted { key } => outcome.deleted.push(key.clone()),
                _ => {}
            }
        }
        outcome.put_end(rotation, how, code);
        outcome
    }

    fn put_end(&mut self, rotation: &Rotation, how: Ended, code: Option<Failure>) {
        let failed = |why| Failure::Rotate(Box::new(RotateFailure::of(rotation, why)));
        let how = match (how, rotation.rest()) {
            (how, Some(rest)) if is_all_well(&how) => return self.put_rest(rest),
            (how, _) => how,
        };
        match how {
            Ended::At(End::Done) => {}
            Ended::At(End::Young { .. }) => self.ending = Ending::Young,
            Ended::At(End::OldKept { old }) => (self.ending, self.off) = (Ending::OldKeyKept, Some(old)),
            Ended::At(End::Grace { old, until }) if rotation.has_saved() || !rotation.starts() => {
                self.put_grace(old, until);
            }
            Ended::At(End::GraceNotOver { old, until } | End::AlreadyUndone { old, until }) if rotation.has_saved() => {
                self.put_grace(old, until);
            }
            Ended::At(End::Grace { old, until } | End::AlreadyUndone { old, until }) => {
                self.stood_already = true;
                self.put_grace(old, until);
            }
            Ended::At(end) => (self.ending, self.failure) = (Ending::from(&end), Some(failed(Why::End(end)))),
            Ended::Stopped(stop) => (self.ending, self.failure) = (Ending::Stopped, Some(failed(Why::Stop(stop)))),
            Ended::CodeMissing => {
                if rotation.rest().is_some() && !rotation.current_works() {
                    let why = |code| failed(Why::NewKeyTaken(Box::new(code)));
                    (self.ending, self.failure) = (Ending::NeedsACode, code.map(why));
                    return;
                }
                let begun = rotation.state().is_some_and(|state| *state != State::Idle);
                let why = |code| if begun { failed(Why::NoCode(Box::new(code))) } else { code };
                (self.ending, self.failure) = (Ending::NeedsACode, code.map(why));
            }
            Ended::Interrupted => (self.ending, self.failure) = (Ending::Interrupted, Some(failed(Why::Interrupted))),
        }
    }

    /// Also where it is not the profile's key yet.
    pub fn new_key(&self) -> Option<&AccessKeyId> {
        self.replaced.as_ref().map(|(_, new)| new).or(self.made.as_ref())
    }

    fn put_grace(&mut self, off: AccessKeyId, until: Timestamp) {
        self.ending = if self.is_taken_back { Ending::Undone } else { Ending::InGrace };
        (self.off, self.grace_until) = (Some(off), Some(until));
    }

    fn put_rest(&mut self, rest: &Rest) {
        (self.is_at_rest, self.is_taken_back, self.is_overdue) = (true, rest.is_undone, rest.is_overdue);
        self.put_grace(rest.off.clone(), rest.until);
    }

    /// Ends the command as the first that failed would have.
    pub fn end(outcomes: Vec<Self>) -> Result<(), Failure> {
        let (all, is_told) = (outcomes.len(), outcomes.iter().any(|outcome| outcome.is_told));
        let failed = outcomes.into_iter().filter_map(|outcome| Some((outcome.profile, outcome.failure?)));
        let mut failed: Vec<(ProfileName, Failure)> = failed.collect();
        match (failed.pop(), failed.is_empty()) {
            (None, _) => Ok(()),
            (Some(last), _) if is_told => {
                failed.push(last);
                Err(Failure::NotAllRotated { failed, all })
            }
            (Some((_, only)), true) => Err(only),
            (Some(last), false) => {
                failed.push(last);
                Err(Failure::Several(failed))
            }
        }
    }

    /// What somebody must see who is to decide how it goes on.
    fn keys_shown(&self) -> &[KeyShown] {
        match &self.failure {
            Some(Failure::Rotate(failure)) => &failure.keys,
            _ => &[],
        }
    }

    pub fn json(&self) -> serde_json::Value {
        json!({
            "name": self.profile,
            "outcome": self.ending.name(),
            "old_key": self.replaced.as_ref().map(|(old, _)| old),
            "new_key": self.new_key(),
            "deleted": self.deleted,
            "old_key_deleted_after": self.grace_until,
            "keys": self.keys_shown().iter().map(KeyShown::json).collect::<Vec<_>>(),
        })
    }
}

/// Of a key that was only looked at: AWS has nothing against it, or could not be asked.
fn is_all_well(how: &Ended) -> bool {
    match how {
        Ended::At(End::Grace { .. }) | Ended::Interrupted => true,
        Ended::Stopped(stop) => stop.is_no_answer(),
        Ended::At(_) | Ended::CodeMissing => false,
    }
}

impl KeyShown {
    pub fn all(rotation: &Rotation) -> Vec<Self> {
        let shown = |listed: &ListedKey| Self {
            listed: listed.clone(),
            age: rotation.listed_at.map(|now| report::left(now, listed.created)).unwrap_or_default(),
            used: rotation.last_uses.get(&listed.id).cloned(),
        };
        rotation.keys.iter().map(shown).collect()
    }

    pub fn status(&self) -> &'static str {
        match self.listed.status {
            KeyStatus::Active => "active",
            KeyStatus::Inactive => "inactive",
        }
    }

    pub fn json(&self) -> serde_json::Value {
        let last = match &self.used {
            Some(KeyUse::Last(last)) => json!({ "at": last.at, "service": last.service, "region": last.region }),
            Some(KeyUse::Never | KeyUse::Unknown) | None => serde_json::Value::Null,
        };
        json!({
            "access_key_id": self.listed.id,
            "status": self.status(),
            "created": self.listed.created,
            "age_seconds": self.age.as_secs(),
            "use_known": matches!(self.used, Some(KeyUse::Never | KeyUse::Last(_))),
            "last_used": last,
        })
    }
}

impl RotateFailure {
    /// Nothing was asked of AWS.
    pub fn before(profile: ProfileName, why: Why) -> Self {
        let (user, state, current, keys) = (None, None, None, Vec::new());
        Self { profile, user, state, current, is_taken_back: false, goes_on_by: "--resume", keys, why }
    }

    /// To the profile that has the journal, where the one that was named is gone.
    pub fn follow_rename(&mut self, document: &Document) {
        let Some(user) = self.user.as_ref().filter(|_| !document.profiles.contains_key(&self.profile)) else { return };
        if let Ok(position) = Position::find(document, &user.arn, &self.profile) {
            self.profile = position.profile;
        }
    }

    pub fn of(rotation: &Rotation, why: Why) -> Self {
        let position = rotation.position();
        Self {
            profile: rotation.profile.clone(),
            user: rotation.user.clone(),
            state: position.map(|position| position.state.clone()),
            current: position.map(|position| position.current.clone()),
            is_taken_back: rotation.is_taken_back(),
            goes_on_by: if rotation.is_to_be_undone() { "--undo" } else { "--resume" },
            keys: KeyShown::all(rotation),
            why,
        }
    }
}
