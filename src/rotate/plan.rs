//! What a rotation does next. Decided anew before each step, from the journal, a list of the user's keys that was just
//! fetched, and what this run has done and seen so far; nothing is remembered between runs but the journal.
//!
//! The order of the steps is the promise: a new key's secret is durable before the old key is touched, an old key is
//! switched off only after the new one was proven to work, and deleted only after a time in which nobody missed it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::aws::{KeyStatus, ListedKey};
use crate::names::AccessKeyId;

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

/// Where the journal of a rotation stands. The current key is the one that the profile has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// No rotation is under way.
    Idle,
    /// A new key is about to be made. `since` and every other time here is by AWS's clock.
    Intended { since: Timestamp },
    /// The new key was made and its secret is in the journal; the current one is the old one still.
    Created { new: AccessKeyId, since: Timestamp },
    /// The new key works and is the current one.
    Proven { old: AccessKeyId },
    /// The old key is inactive, and waits to be deleted.
    Retired { old: AccessKeyId, until: Timestamp },
    /// The old key is about to be made the current one again.
    Undoing { old: AccessKeyId },
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Start a rotation where none is under way.
    pub start: bool,
    /// Only for a key that is older.
    pub older_than: Option<SignedDuration>,
    pub undo: bool,
    /// Switch the old key off though it may be in use; with `force`, delete it before the grace is over.
    pub now: bool,
    /// Go on though somebody else uses the old key.
    pub force: bool,
    pub keep_old: bool,
    /// How long the old key stays inactive before it is deleted.
    pub grace: SignedDuration,
    /// A key that may be deleted to make room.
    pub delete_key: Option<AccessKeyId>,
}

/// What this run has done and seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Run {
    /// The intent in the journal is this run's, and whether CreateAccessKey was sent under it.
    pub intent: OwnIntent,
    /// IAM let us change the current key's status.
    pub preflighted: bool,
    pub uses: BTreeMap<AccessKeyId, Use>,
    pub secrets: BTreeMap<AccessKeyId, Secret>,
    /// The key that worked when it was last tried, and when that was.
    pub proof: Option<(AccessKeyId, Timestamp, Depth)>,
    pub deleted: BTreeSet<AccessKeyId>,
    /// A new key was made, or the old one taken back: there is nothing more to start.
    pub turned: bool,
    pub undone: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OwnIntent {
    /// Of an earlier run, which may have sent the call.
    #[default]
    None,
    /// Nothing was sent yet.
    Unsent,
    /// It was sent, and the reply was lost.
    Sent,
}

/// Who else uses a key, by its last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// The user may not ask.
    Unknown,
    Never,
    /// Only by calls such as ours.
    Ours,
    Others,
}

/// Whether the secret of a key that is not in the journal stands in an earlier generation of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secret {
    Found,
    /// Also where a generation could not be looked into.
    NotFound,
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

/// All that the next step is decided from.
pub struct View<'a> {
    pub state: &'a State,
    pub current: &'a AccessKeyId,
    /// IAM's list, fetched after the journal was read.
    pub keys: &'a [ListedKey],
    /// By AWS's clock.
    pub now: Timestamp,
    pub mfa: Mfa,
    pub run: &'a Run,
    pub wish: &'a Wish,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Get a session with MFA, by a code.
    NeedCode,
    LookAtUse(AccessKeyId),
    /// In earlier generations of the vault.
    LookForSecret(AccessKeyId),
    /// Set the current key to Active, which it is: a refusal comes now, and not when a key has been made already.
    Preflight,
    Prove(AccessKeyId, Depth),
    Save(Save),
    /// CreateAccessKey, once, and its answer saved as `created`.
    Create,
    Switch(AccessKeyId, KeyStatus),
    Delete(AccessKeyId),
    /// Look again at this time.
    ListAgain(Timestamp),
    End(End),
}

/// How surely a key must be seen to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Depth {
    /// Once at STS and once at IAM.
    Quick,
    /// Three times at each, some time apart: a fresh key is live at one server and not yet at the next.
    Full,
}

/// The change of the journal to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    Intend,
    /// The key of this id, found in an earlier generation, becomes the new key.
    Adopt(AccessKeyId),
    /// The new key becomes the current one, the current one the old one.
    Prove,
    Retire {
        until: Timestamp,
    },
    Undo,
    /// The old key becomes the current one, the current one the old one.
    TurnBack,
    /// The old key becomes the current one, and what was current is forgotten.
    Return,
    /// The journal goes, the current key stays.
    Finish,
}

/// Why a run goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing is under way any more.
    Done,
    /// The key is younger than was asked for.
    Young {
        created: Timestamp,
    },
    /// The new key works; the old one was to be kept.
    OldKept {
        old: AccessKeyId,
    },
    /// The old key is inactive, and is deleted when the grace is over.
    Grace {
        old: AccessKeyId,
        until: Timestamp,
    },
    /// To delete the old key before that, somebody must say so twice.
    GraceNotOver {
        old: AccessKeyId,
        until: Timestamp,
    },
    NothingToUndo,
    /// There is no old key any more that could be taken back.
    OldKeyGone {
        old: AccessKeyId,
    },
    /// There is no room for a new key.
    TwoKeys,
    /// Somebody else uses the key that was to be replaced.
    InUse {
        key: AccessKeyId,
    },
    /// Of the current key: it was deleted at AWS, or switched off.
    CurrentGone,
    CurrentOff,
    /// The current key is off while another is there that this vault does not have.
    RotatedElsewhere,
    /// A key appeared whose secret nobody here has; whether it is ours can't be known.
    Orphan {
        key: AccessKeyId,
        likely_ours: bool,
    },
    /// Somebody switched the new key off before it was used.
    NewKeyOff {
        new: AccessKeyId,
    },
    /// Somebody switched the old key on again.
    OldKeyOn {
        old: AccessKeyId,
    },
    /// Neither of the keys that the vault has works any more.
    NoWorkingKey,
    /// The key that was named to be deleted is the one in use here, or is not there.
    NotToDelete {
        key: AccessKeyId,
    },
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
    match view.state {
        State::Idle => view.idle(),
        State::Intended { since } => view.intended(*since),
        State::Created { new, since } => view.created(new, *since),
        State::Proven { old } => view.proven(old),
        State::Retired { old, until } => view.retired(old, *until),
        State::Undoing { old } => view.undoing(old),
    }
}

impl View<'_> {
    fn idle(&self) -> Step {
        if self.run.turned {
            return Step::End(End::Done);
        }
        if self.wish.undo {
            // The new key that an undo deletes is the only key that one deletes at once.
            return Step::End(if self.run.deleted.is_empty() { End::NothingToUndo } else { End::Done });
        }
        if self.seen(self.current) != Seen::Active {
            return Step::End(self.current_is_lost());
        }
        if let Some(step) = self.make_room() {
            return step;
        }
        if !self.wish.start {
            return Step::End(End::Done);
        }
        if self.others().next().is_some() {
            return Step::End(End::TwoKeys);
        }
        if let Some(created) = self.too_young() {
            return Step::End(End::Young { created });
        }
        if self.mfa == Mfa::Missing {
            return Step::NeedCode;
        }
        // With `keep_old` nothing is taken from whoever uses it.
        if let Some(step) = self.others_use(self.current, self.wish.force || self.wish.keep_old) {
            return step;
        }
        if self.run.preflighted { Step::Save(Save::Intend) } else { Step::Preflight }
    }

    /// Of a current key that does not work, where no rotation is under way: whoever only wanted to go on hears of it too.
    fn current_is_lost(&self) -> End {
        match self.seen(self.current) {
            _ if self.others().next().is_some() => End::RotatedElsewhere,
            Seen::Off => End::CurrentOff,
            Seen::Active | Seen::Gone => End::CurrentGone,
        }
    }

    /// Deletes the key that somebody named, unless it is not theirs to name or somebody else would miss it.
    fn make_room(&self) -> Option<Step> {
        let key = self.wish.delete_key.as_ref().filter(|key| !self.run.deleted.contains(*key))?;
        if key == self.current || self.seen(key) == Seen::Gone {
            return Some(Step::End(End::NotToDelete { key: key.clone() }));
        }
        if self.mfa == Mfa::Missing {
            return Some(Step::NeedCode);
        }
        let may_be_missed = self.seen(key) == Seen::Active;
        let in_use = if may_be_missed { self.others_use(key, self.wish.force) } else { None };
        Some(in_use.unwrap_or_else(|| Step::Delete(key.clone())))
    }

    fn intended(&self, since: Timestamp) -> Step {
        let newcomers: Vec<&ListedKey> = self.others().collect();
        match newcomers[..] {
            [] => self.without_newcomer(since),
            // Nothing was sent yet under this intent.
            _ if self.run.intent == OwnIntent::Unsent => Step::Save(Save::Finish),
            [first, ..] => self.kept(&newcomers).unwrap_or_else(|| self.newcomer(first, since)),
        }
    }

    /// Of the keys that came, one whose secret an earlier generation has: it becomes the new key.
    fn kept(&self, newcomers: &[&ListedKey]) -> Option<Step> {
        let secret = |key: &ListedKey| self.run.secrets.get(&key.id).copied();
        if let Some(key) = newcomers.iter().find(|key| secret(key).is_none()) {
            return Some(Step::LookForSecret(key.id.clone()));
        }
        let found = || newcomers.iter().filter(|key| secret(key) == Some(Secret::Found));
        let key = found().find(|key| key.status == KeyStatus::Active).or_else(|| found().next())?;
        Some(Step::Save(Save::Adopt(key.id.clone())))
    }

    fn without_newcomer(&self, since: Timestamp) -> Step {
        match self.seen(self.current) {
            Seen::Gone => return Step::End(End::CurrentGone),
            Seen::Off => return Step::End(End::CurrentOff),
            Seen::Active => {}
        }
        if self.run.intent == OwnIntent::Unsent {
            return if self.now.duration_since(since) < SENT_WITHIN { Step::Create } else { Step::Save(Save::Intend) };
        }
        let shown_by = since + SENT_WITHIN + LIST_LAG;
        if self.now < shown_by {
            return Step::ListAgain(shown_by);
        }
        // What was sent, if it was, made no key.
        if !self.wish.start {
            return Step::Save(Save::Finish);
        }
        if self.mfa == Mfa::Missing { Step::NeedCode } else { Step::Save(Save::Intend) }
    }

    /// A key that came while the reply to CreateAccessKey may have been lost. Ours and somebody else's look the same in
    /// everything that can be seen, so it is not touched unasked.
    fn newcomer(&self, key: &ListedKey, since: Timestamp) -> Step {
        if self.seen(self.current) != Seen::Active {
            return Step::End(End::RotatedElsewhere);
        }
        let Some(used) = self.run.uses.get(&key.id) else { return Step::LookAtUse(key.id.clone()) };
        let age = key.created.duration_since(since);
        let likely_ours = *used == Use::Never && age >= BEFORE_INTENT && age <= LIST_LAG;
        if self.wish.delete_key.as_ref() != Some(&key.id) {
            return Step::End(End::Orphan { key: key.id.clone(), likely_ours });
        }
        if self.mfa == Mfa::Missing {
            return Step::NeedCode;
        }
        self.others_use(&key.id, self.wish.force).unwrap_or_else(|| Step::Delete(key.id.clone()))
    }

    fn created(&self, new: &AccessKeyId, since: Timestamp) -> Step {
        match self.seen(new) {
            // A list may not know it yet, and its secret is nowhere else.
            Seen::Gone if self.now < since + LIST_LAG && !self.run.deleted.contains(new) => {
                return Step::ListAgain(since + LIST_LAG);
            }
            Seen::Gone => return Step::Save(Save::Finish),
            Seen::Off if !self.wish.undo => return Step::End(End::NewKeyOff { new: new.clone() }),
            Seen::Off | Seen::Active => {}
        }
        match self.seen(self.current) {
            _ if !self.wish.undo => self.proved(new, Depth::Full).unwrap_or(Step::Save(Save::Prove)),
            Seen::Active if self.mfa == Mfa::Missing => Step::NeedCode,
            Seen::Active => Step::Delete(new.clone()),
            Seen::Off => Step::End(End::CurrentOff),
            Seen::Gone => Step::End(End::CurrentGone),
        }
    }

    fn proven(&self, old: &AccessKeyId) -> Step {
        if let Some(step) = self.current_lost(old) {
            return step;
        }
        match self.seen(old) {
            Seen::Gone if self.undoes() => Step::End(End::OldKeyGone { old: old.clone() }),
            Seen::Gone => Step::Save(Save::Finish),
            _ if self.undoes() => Step::Save(Save::Undo),
            Seen::Off => Step::Save(Save::Retire { until: self.now + self.wish.grace }),
            Seen::Active => self.retire(old),
        }
    }

    fn retire(&self, old: &AccessKeyId) -> Step {
        if self.wish.keep_old {
            return Step::End(End::OldKept { old: old.clone() });
        }
        if self.mfa == Mfa::Missing {
            return Step::NeedCode;
        }
        self.others_use(old, self.wish.force || self.wish.now)
            .or_else(|| self.proved(self.current, Depth::Quick))
            .unwrap_or_else(|| Step::Switch(old.clone(), KeyStatus::Inactive))
    }

    fn retired(&self, old: &AccessKeyId, until: Timestamp) -> Step {
        if self.seen(self.current) == Seen::Off && self.seen(old) == Seen::Off {
            // Somebody switched it off long after the old one: who wants no key of this user to work gets none back unasked.
            return if self.undoes() { Step::Save(Save::Undo) } else { Step::End(End::CurrentOff) };
        }
        if let Some(step) = self.current_lost(old) {
            return step;
        }
        let before = self.now < until;
        match self.seen(old) {
            Seen::Gone if self.undoes() => Step::End(End::OldKeyGone { old: old.clone() }),
            Seen::Gone => Step::Save(Save::Finish),
            _ if self.undoes() => Step::Save(Save::Undo),
            // Who switched it on again may have needed it: its grace begins anew.
            Seen::Active if self.wish.now && until < self.now + USE_LAG => {
                Step::Save(Save::Retire { until: self.now + self.wish.grace })
            }
            Seen::Active if self.wish.now => self.retire(old),
            Seen::Active => Step::End(End::OldKeyOn { old: old.clone() }),
            Seen::Off if before && self.wish.now && !self.wish.force => {
                Step::End(End::GraceNotOver { old: old.clone(), until })
            }
            Seen::Off if before && !self.wish.now => Step::End(End::Grace { old: old.clone(), until }),
            Seen::Off if self.mfa == Mfa::Missing => Step::NeedCode,
            Seen::Off => self
                .others_use(old, self.wish.force)
                .or_else(|| self.proved(self.current, Depth::Quick))
                .unwrap_or_else(|| Step::Delete(old.clone())),
        }
    }

    fn undoing(&self, old: &AccessKeyId) -> Step {
        match self.seen(old) {
            Seen::Gone if self.seen(self.current) == Seen::Gone => Step::End(End::NoWorkingKey),
            Seen::Gone => Step::Save(Save::Finish),
            Seen::Active => Step::Save(Save::TurnBack),
            Seen::Off => self.switch_on(old),
        }
    }

    /// What becomes of a rotation whose new key somebody took away: the old one is switched on again and is the current one.
    fn current_lost(&self, old: &AccessKeyId) -> Option<Step> {
        let current = self.seen(self.current);
        Some(match (current, self.seen(old)) {
            (Seen::Active, _) => return None,
            (Seen::Gone, Seen::Gone) => Step::End(End::NoWorkingKey),
            (Seen::Off, Seen::Gone) => Step::End(End::CurrentOff),
            (Seen::Gone, Seen::Active) => Step::Save(Save::Return),
            (Seen::Off, Seen::Active) => Step::Save(Save::TurnBack),
            (Seen::Gone | Seen::Off, Seen::Off) => self.switch_on(old),
        })
    }

    fn switch_on(&self, key: &AccessKeyId) -> Step {
        let none_signs = self.mfa == Mfa::None && self.seen(self.current) != Seen::Active;
        match self.mfa {
            _ if none_signs => Step::End(End::NoWorkingKey),
            Mfa::Missing => Step::NeedCode,
            Mfa::None | Mfa::Session => Step::Switch(key.clone(), KeyStatus::Active),
        }
    }

    /// Some step where it is not known yet who uses the key, or others do and nobody said to go on all the same.
    fn others_use(&self, key: &AccessKeyId, all_the_same: bool) -> Option<Step> {
        match self.run.uses.get(key) {
            _ if all_the_same => None,
            None => Some(Step::LookAtUse(key.clone())),
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

    fn undoes(&self) -> bool {
        self.wish.undo && !self.run.undone
    }

    fn too_young(&self) -> Option<Timestamp> {
        let created = self.keys.iter().find(|key| key.id == *self.current)?.created;
        let younger = self.wish.older_than.is_some_and(|age| self.now.duration_since(created) < age);
        younger.then_some(created)
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
