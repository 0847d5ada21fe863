//! What a rotation does next. Decided anew before each step, from the journal, a list of the user's keys that was just
//! fetched, and what this run has done and seen so far; nothing is remembered between runs but the journal.
//!
//! The order of the steps is the promise: a new key's secret is durable before the old key is touched, an old key is
//! switched off only after the new one was proven to work, and deleted only after a time in which nobody missed it.

mod end;
mod idle;
mod intended;
mod replacing;
mod run;
mod state;
mod step;
mod wish;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::aws::{KeyStatus, ListedKey};
use crate::names::AccessKeyId;

pub use end::End;
pub use replacing::is_taken_back;
pub use run::{OwnIntent, Run, Secret, Use};
pub use state::State;
pub use step::{Depth, Look, Save, Step};
pub use wish::Wish;

/// CreateAccessKey is sent within this time of its intent, so that who comes later knows when it was sent.
const SENT_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// A list may lag behind a call for so long. IAM is eventually consistent; its lists catch up within seconds.
const LIST_LAG: SignedDuration = SignedDuration::from_secs(60);
/// How far AWS's stamp on a key may lie before the moment that AWS's Date gave for our intent.
const BEFORE_INTENT: SignedDuration = SignedDuration::from_secs(-5);
/// AWS may tell of a key's last use so late.
const USE_LAG: SignedDuration = SignedDuration::from_hours(4);
/// A proof counts for so long: what is done by it is done right after.
const PROOF_HOLDS: SignedDuration = SignedDuration::from_secs(60);

/// All that the next step is decided from.
pub struct View<'a> {
    pub state: &'a State,
    pub current: &'a AccessKeyId,
    /// When AWS made the keys of the vault, as far as that is known.
    pub made: &'a BTreeMap<AccessKeyId, Timestamp>,
    /// IAM's list, fetched after the journal was read.
    pub keys: &'a [ListedKey],
    /// By AWS's clock.
    pub now: Timestamp,
    pub mfa: Mfa,
    pub run: &'a Run,
    pub wish: &'a Wish,
}

/// Whether calls that change keys can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mfa {
    /// The user has no MFA device: the keys sign.
    None,
    /// A session with MFA is at hand.
    Session,
    /// It takes a code.
    Missing,
}

/// What a key is in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Active,
    Off,
    Gone,
}

/// The next step.
pub fn next(view: &View) -> Step {
    if let Some(key) = view.not_to_delete() {
        return Step::End(End::NotToDelete { key });
    }
    if let Some(step) = view.missing() {
        return step;
    }
    match view.state {
        State::Idle => view.idle(),
        State::Intended { since } => view.intended(*since),
        State::Created { new, .. } => view.created(new),
        State::Proven { old } => view.proven(old),
        State::Retired { old, until } => view.retired(old, *until),
        State::Undoing { old } => view.undoing(old),
    }
}

impl View<'_> {
    /// A key that was named to make room, where the vault has two keys of the user itself.
    fn not_to_delete(&self) -> Option<AccessKeyId> {
        let key = self.wish.delete_key.as_ref().filter(|key| !self.run.deleted.contains(*key));
        key.filter(|_| self.state.other().is_some()).cloned()
    }

    /// Some step where the list does not have a key of the vault, and might lag: nothing is said or forgotten of a key that
    /// was made a moment ago, or that works after all.
    fn missing(&self) -> Option<Step> {
        let held = [Some(self.current), self.state.other()].into_iter().flatten();
        let mut gone = held.filter(|key| self.seen(key) == Seen::Gone && !self.run.deleted.contains(*key));
        gone.find_map(|key| match self.made.get(key).map(|made| *made + LIST_LAG) {
            Some(listed_by) if self.now < listed_by => Some(Step::ListAgain(listed_by)),
            _ if self.run.refused.contains(key) => None,
            _ => Some(Step::Look(Look::AtKey(key.clone()))),
        })
    }

    /// Some step where it is not known yet who uses the key, or others do and nobody said to go on all the same.
    fn others_use(&self, key: &AccessKeyId, all_the_same: bool) -> Option<Step> {
        match self.run.uses.get(key) {
            _ if all_the_same => None,
            None => Some(Step::Look(Look::AtUse(key.clone()))),
            Some(Use::Others) => Some(Step::End(End::InUse { key: key.clone() })),
            Some(Use::Unknown | Use::Never | Use::Ours) => None,
        }
    }

    /// Some step where the key was not seen to work just now.
    fn proved(&self, key: &AccessKeyId, depth: Depth) -> Option<Step> {
        let holds = self.run.proof.as_ref().is_some_and(|(proved, at, how)| {
            proved == key && *how >= depth && self.now.duration_since(*at) <= PROOF_HOLDS
        });
        (!holds).then(|| Step::Prove(key.clone(), depth))
    }

    /// The user's keys beside the current one.
    fn others(&self) -> impl Iterator<Item = &ListedKey> {
        self.keys.iter().filter(|key| key.id != *self.current && !self.run.deleted.contains(&key.id))
    }

    /// What this run deleted is gone, though a list that lags may show it still.
    fn seen(&self, id: &AccessKeyId) -> Seen {
        if self.run.deleted.contains(id) {
            return Seen::Gone;
        }
        match self.keys.iter().find(|key| key.id == *id).map(|key| key.status) {
            Some(KeyStatus::Active) => Seen::Active,
            Some(KeyStatus::Inactive) => Seen::Off,
            None => Seen::Gone,
        }
    }
}

#[cfg(test)]
mod tests;
