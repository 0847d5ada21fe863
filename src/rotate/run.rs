//! Carries out a rotation, one turn at a time: reads IAM's list, has the next step decided, does it and saves what came of
//! it. A turn never waits; it says when the next one is to be.
//!
//! Dying between any two of its operations loses nothing: the next run reads the journal and decides from there.

mod changing;
mod creating;
mod looking;
mod news;
mod proving;
mod rest;
mod saving;
mod signing;
mod start;
mod turn;
mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::journal::Position;
use super::ledger::{Entry, Ledger};
use super::lock::UserLock;
use super::plan::{self, End, Mfa, Run, State, Step, View, Wish};
use super::preview::{Deed, Preview};
use super::proof::Proof;
use super::stop::Stop;
use crate::aws::{Aws, AwsError, KeyStatus, KeyUse, ListedKey, Refusal};
use crate::disk::Disk;
use crate::names::{AccessKeyId, ProfileName};
use crate::store::document::StoredAccessKey;

pub use news::News;
pub use rest::Rest;
pub use signing::Session;
pub use start::Start;
pub use turn::{Hook, Turn};
pub use user::User;

/// Pauses after a refusal that passes by itself: AWS's throttling, a fresh key that one more server does not know yet.
const BACK_OFF: [u64; 6] = [1, 2, 4, 8, 16, 30];

/// What a turn works with; each worker has its own.
pub struct Tools<'t, 'l, 'd> {
    pub aws: &'t Aws,
    pub ledger: &'t Ledger<'l, 'd>,
    pub disk: &'d dyn Disk,
    /// The state folder.
    pub state: &'t std::path::Path,
}

impl Tools<'_, '_, '_> {
    /// By AWS's clock, in whole seconds: it is written down and shown.
    fn now(&self) -> Timestamp {
        let now = self.aws.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// The rotation of one user's key.
pub struct Rotation {
    /// The profile that was named.
    pub profile: ProfileName,
    pub user: Option<User>,
    pub news: Vec<News>,
    /// What IAM said last, for who is told about it.
    pub keys: Vec<ListedKey>,
    /// By AWS's clock, when that was.
    pub listed_at: Option<Timestamp>,
    /// Of those that AWS was asked about.
    pub last_uses: BTreeMap<AccessKeyId, KeyUse>,
    /// Of which it was told that their use is unknown.
    unknown: BTreeSet<AccessKeyId>,
    entry: Option<Entry>,
    expected: Option<Position>,
    session: Option<Session>,
    has_mfa: bool,
    /// How old a session's code may be for a change of keys.
    mfa_max_age: Duration,
    run: Run,
    wish: Wish,
    /// The key that comes in by the next save.
    found: Option<StoredAccessKey>,
    proof: Option<Proof>,
    saved: bool,
    /// Replies to CreateAccessKey.
    lost: u32,
    /// AWS took another key for the last list, and not the current one.
    current_is_refused: bool,
    /// What was switched last.
    switched: Option<(AccessKeyId, KeyStatus)>,
    refused: usize,
    lock: Option<UserLock>,
    /// A key that may be deleted, as somebody named it; IAM's list tells which that is.
    delete_key: Option<String>,
    grace_asked_for: Option<u64>,
    /// Those that were not run yet.
    hooks: Vec<(ProfileName, String)>,
    rest: Option<Rest>,
    /// Until when AWS's list is waited for, as far as that was told.
    awaited: Option<Timestamp>,
}

impl Rotation {
    pub fn new(start: Start) -> Self {
        let Start { profile, has_mfa, mfa_max_age, delete_key, hooks, rest, grace_asked_for, wish } = start;
        Self {
            profile,
            user: None,
            news: Vec::new(),
            keys: Vec::new(),
            listed_at: None,
            last_uses: BTreeMap::new(),
            unknown: BTreeSet::new(),
            entry: None,
            expected: None,
            session: None,
            has_mfa,
            mfa_max_age,
            run: Run::default(),
            wish,
            found: None,
            proof: None,
            saved: false,
            lost: 0,
            current_is_refused: false,
            switched: None,
            refused: 0,
            lock: None,
            delete_key,
            grace_asked_for,
            hooks,
            rest,
            awaited: None,
        }
    }

    /// Whether it is to make a new key, rather than to finish what is under way.
    pub fn starts(&self) -> bool {
        self.wish.start
    }

    /// Whether somebody wants back what was before.
    pub fn is_undo(&self) -> bool {
        self.wish.undo
    }

    /// Whether the old key is to be off though others may use it.
    pub fn is_at_once(&self) -> bool {
        self.wish.now
    }

    /// The hook ended well.
    pub fn hook_is_done(&mut self) {
        self.hooks.pop();
    }

    /// Whether this run has moved the rotation on.
    pub fn has_saved(&self) -> bool {
        self.saved
    }

    /// Somebody said that this key may be deleted.
    pub fn may_delete(&mut self, key: AccessKeyId) {
        self.wish.delete_key = Some(key);
    }

    /// Where the journal stands, as far as it was read.
    pub fn state(&self) -> Option<&State> {
        self.position().map(|position| &position.state)
    }

    /// Whether it was to be taken back, and nothing says so yet but who asked for it.
    pub fn is_to_be_undone(&self) -> bool {
        let can_be = matches!(self.state(), Some(State::Created { .. } | State::Proven { .. } | State::Retired { .. }));
        self.wish.undo && can_be && !self.run.undone && !self.is_taken_back()
    }

    /// Whether the key that was replaced has its place again.
    pub fn is_taken_back(&self) -> bool {
        let beside = match self.state() {
            Some(State::Proven { old } | State::Retired { old, .. }) => old,
            _ => return false,
        };
        self.position().is_some_and(|position| plan::is_taken_back(&position.current, beside, &self.keys))
    }

    pub fn position(&self) -> Option<&Position> {
        self.entry.as_ref().map(|entry| &entry.position).or(self.expected.as_ref())
    }

    /// Of the keys that the vault has, the uses that are known.
    pub fn own_uses(&self) -> impl Iterator<Item = (&AccessKeyId, &KeyUse)> {
        let position = self.position();
        let held = move |key: &AccessKeyId| {
            position.is_some_and(|position| position.current == *key || position.state.other() == Some(key))
        };
        self.last_uses.iter().filter(move |(key, _)| held(key))
    }

    /// What it would do now, if all went well; changes nothing. A list that takes a session with MFA is refused.
    pub fn survey(&mut self, tools: &Tools) -> Result<(Vec<Deed>, Option<End>), Stop> {
        let surveyed = self.look_ahead(tools);
        // However that ended: a person may be asked for a code now.
        self.put_keys_away();
        self.lock = None;
        surveyed
    }

    fn look_ahead(&mut self, tools: &Tools) -> Result<(Vec<Deed>, Option<End>), Stop> {
        let user = self.known_user(tools)?;
        self.read(tools, &user)?;
        self.keys = self.list(tools, &user)?;
        self.listed_at = Some(tools.now());
        self.resolve_key_to_delete()?;
        for key in self.keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>() {
            self.look_at_use(tools, &key)?;
        }
        let position = self.entry()?.position.clone();
        let preview = Preview {
            state: position.state,
            current: position.current,
            keys: self.keys.clone(),
            now: tools.now(),
            // Also where one is at hand: it is told which.
            mfa: if self.has_mfa { Mfa::Missing } else { Mfa::None },
            run: self.run.clone(),
            wish: &self.wish,
        };
        Ok(preview.play())
    }

    pub fn turn(&mut self, tools: &Tools) -> Turn {
        let turn = self.try_turn(tools).unwrap_or_else(Turn::Failed);
        let turn = match turn {
            Turn::Failed(stop) if stop.passes() && self.refused < BACK_OFF.len() => {
                self.refused += 1;
                // Once may be one of AWS's servers that has not heard of a new key yet.
                if self.refused == 2 && stop.is(&Refusal::UnknownKey) {
                    self.news.push(News::Refused);
                }
                Turn::After(Duration::from_secs(BACK_OFF[self.refused - 1]))
            }
            other => other,
        };
        match &turn {
            Turn::Again => {}
            Turn::After(_) | Turn::NeedCode | Turn::NeedHook(_) => self.put_keys_away(),
            Turn::Ended(_) | Turn::Failed(_) => {
                self.put_keys_away();
                self.proof = None;
                self.session = None;
                self.lock = None;
            }
        }
        turn
    }

    fn try_turn(&mut self, tools: &Tools) -> Result<Turn, Stop> {
        if self.proof.is_some() {
            return self.prove(tools);
        }
        let user = match self.known_user(tools) {
            // A session that is left from before outlives them, and can switch one on again.
            Err(stop) if self.knows_no_key(&stop, tools)? => {
                return Ok(if self.wants_session() { Turn::NeedCode } else { Turn::Ended(End::NoWorkingKey) });
            }
            known => known?,
        };
        self.read(tools, &user)?;
        match self.list(tools, &user) {
            Err(Stop::Aws(AwsError::Refused { refusal: Refusal::AccessDenied, .. }))
                if self.mfa(tools) == Mfa::Missing =>
            {
                return Ok(self.end_in_grace(tools.now())?.map_or(Turn::NeedCode, Turn::Ended));
            }
            other => self.keys = other?,
        }
        self.listed_at = Some(tools.now());
        self.resolve_key_to_delete()?;
        loop {
            let step = self.decide(tools)?;
            if let Some(turn) = self.perform(tools, &user, step)? {
                return Ok(turn);
            }
        }
    }

    /// Where nothing is to be done before a grace is over and the current key works, whatever IAM's list says: for that alone
    /// nobody is asked for a code.
    fn end_in_grace(&self, now: Timestamp) -> Result<Option<End>, Stop> {
        Ok(match &self.entry()?.position.state {
            _ if self.wish.undo || self.wish.now || self.current_is_refused => None,
            State::Retired { old, until } if now < *until => Some(End::Grace { old: old.clone(), until: *until }),
            _ => None,
        })
    }

    fn decide(&self, tools: &Tools) -> Result<Step, Stop> {
        let Entry { position, current, other, .. } = self.entry()?;
        let made = [Some(current), other.as_ref()].into_iter().flatten();
        Ok(plan::next(&View {
            state: &position.state,
            current: &position.current,
            made: &made.filter_map(|key| Some((key.id.clone(), key.created?))).collect(),
            keys: &self.keys,
            now: tools.now(),
            mfa: self.mfa(tools),
            run: &self.run,
            wish: &self.wish,
        }))
    }

    /// None where it only looked: the next step needs no newer list.
    fn perform(&mut self, tools: &Tools, user: &User, step: Step) -> Result<Option<Turn>, Stop> {
        match step {
            Step::Look(look) => {
                self.look(tools, user, look)?;
                return Ok(None);
            }
            Step::NeedCode => return Ok(Some(Turn::NeedCode)),
            Step::ListAgain(at) => return Ok(Some(self.wait_for_list(tools.now(), at))),
            Step::End(end) => return self.end(tools, end).map(Some),
            Step::Save(save) => self.save(tools, &save)?,
            Step::Create => self.create(tools, user)?,
            Step::Prove(key, depth) => self.begin_proof(tools, &key, depth)?,
            Step::Switch(key, status) => return self.switch(tools, user, key, status).map(Some),
            Step::Delete(key) => self.delete(tools, user, key)?,
        }
        Ok(Some(Turn::Again))
    }
}
