//! The vault as a rotation reads and writes it. Closed between any two of its calls: what is held over a wait is the one key
//! that is needed, and never the vault.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::calls::Calls;
use super::creation_dates::CreationDates;
use super::journal::{Asked, Conflict, Journal, JournalError, Position, key_of};
use super::plan::{Save, State};
use crate::credentials::AccessKey;
use crate::names::{AccessKeyId, ProfileName};
use crate::store::document::{Document, StoredAccessKey};
use crate::store::group::{Group, GroupError};
use crate::store::kept::Keep;
use crate::store::search::Search;
use crate::store::vault::{NotCommitted, ReopenError, Stamp, Vault};

/// How often a save that a power cut may undo is made durable again before a person is told.
const SETTLING: u32 = 3;

pub struct Ledger<'l, 'd> {
    group: &'l Group<'static, 'd>,
    calls: &'l Calls,
    /// Asked at each save.
    stamp: &'l (dyn Fn() -> Stamp + Sync),
}

/// Where a user's rotation stands, and the keys that the vault has for it.
#[derive(Clone)]
pub struct Entry {
    pub position: Position,
    pub current: StoredAccessKey,
    /// The new key while that is not current, else the old one.
    pub other: Option<StoredAccessKey>,
    /// Keys of other profiles, perhaps of the same user: not this rotation's to delete.
    pub elsewhere: BTreeSet<AccessKeyId>,
}

#[derive(Debug, Clone, Error)]
pub enum LedgerError {
    #[error(transparent)]
    Read(Arc<ReopenError>),
    /// Somebody else changed what the step was decided from. Nothing was saved.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Nothing was saved.
    #[error(transparent)]
    NotSaved(Arc<NotCommitted>),
    /// In force, but a power cut may undo it.
    #[error("not yet durable: {0}")]
    NotDurable(Arc<io::Error>),
    /// Nothing was saved, since another rotation's save may be undone by a power cut, and nothing is built on that.
    #[error("an earlier save is not yet durable: {0}")]
    NotTried(Arc<io::Error>),
    /// The link that is to outlive the next saves could not be made.
    #[error("this generation could not be kept: {0}")]
    NotKept(Arc<NotCommitted>),
}

impl Entry {
    fn find(document: &Document, user_arn: &str, name: &ProfileName) -> Result<Self, JournalError> {
        let position = Position::find(document, user_arn, name)?;
        let profile = document.profiles.get(&position.profile);
        let no_key = || JournalError::NoKey(position.profile.clone());
        let current = profile.and_then(|profile| profile.access_key.clone()).ok_or_else(no_key)?;
        let journal = profile.map(|profile| Journal::of(&position.profile, profile)).transpose()?.flatten();
        let keys = document.profiles.values().filter_map(|profile| profile.access_key.as_ref());
        let elsewhere = keys.map(|key| key.id.clone()).filter(|id| *id != current.id).collect();
        Ok(Self { current, other: journal.and_then(|journal| journal.other_key().cloned()), elsewhere, position })
    }
}

impl<'l, 'd> Ledger<'l, 'd> {
    /// Who uses it has a place among `calls`.
    pub fn new(group: &'l Group<'static, 'd>, calls: &'l Calls, stamp: &'l (dyn Fn() -> Stamp + Sync)) -> Self {
        Self { group, calls, stamp }
    }

    pub fn entry(&self, user_arn: &str, name: &ProfileName) -> Result<Entry, LedgerError> {
        let found = self.read(|vault| Entry::find(vault.document(), user_arn, name))?;
        Ok(found.map_err(Conflict::from)?)
    }

    /// The same, once what stands there is sure to stand there after a power cut: an earlier run may have died before its
    /// last save was durable.
    pub fn durable_entry(&self, user_arn: &str, name: &ProfileName) -> Result<Entry, LedgerError> {
        let find = |vault: &Vault| Entry::find(vault.document(), user_arn, name);
        let found = self.calls.aside(|| self.group.read_durable(find)).map_err(unread)?;
        let durable = found.map_err(|error| LedgerError::NotDurable(Arc::new(error)))?;
        Ok(durable.map_err(Conflict::from)?)
    }

    /// The profile's key, and the one that an unfinished rotation has beside it: either may tell whose they are.
    pub fn own_keys(&self, name: &ProfileName) -> Result<Vec<AccessKey>, LedgerError> {
        let found = self.read(|vault| {
            let current = key_of(vault.document(), name)?.access_key();
            let other = Journal::key_beside(vault.document(), name).map(|key| key.access_key());
            Ok([Some(current), other].into_iter().flatten().collect())
        })?;
        Ok(found.map_err(|error: JournalError| Conflict::from(error))?)
    }

    /// The key beside the profile's that an unfinished rotation of it has.
    pub fn other_key(&self, name: &ProfileName) -> Result<Option<StoredAccessKey>, LedgerError> {
        self.read(|vault| Journal::key_beside(vault.document(), name))
    }

    /// Saves the outcome of a step onto the position that it was decided from. `found` is the key that comes in by it, `now`
    /// is by AWS's clock.
    ///
    /// The journal says what was asked for, too. The dates of keys are taken along.
    pub fn save(
        &self,
        from: &Position,
        save: &Save,
        found: Option<&StoredAccessKey>,
        asked: Asked,
        dates: &CreationDates,
        now: Timestamp,
    ) -> Result<Entry, LedgerError> {
        match self.save_once(from, save, found, asked, dates, now) {
            // Not even tried, for somebody else's sake: once that is settled it can be.
            Err(LedgerError::NotTried(error)) => {
                self.settle(error.clone()).map_err(|_| LedgerError::NotTried(error))?;
                self.save_once(from, save, found, asked, dates, now)
            }
            saved => saved,
        }
    }

    fn save_once(
        &self,
        from: &Position,
        save: &Save,
        found: Option<&StoredAccessKey>,
        asked: Asked,
        dates: &CreationDates,
        now: Timestamp,
    ) -> Result<Entry, LedgerError> {
        let (from, save, found, dates) = (from.clone(), save.clone(), found.cloned(), dates.clone());
        let keep = keep(&from.state, &save);
        let (user_arn, profile) = (from.user_arn.clone(), from.profile.clone());
        let edit = move |document: &mut Document| {
            dates.put(document);
            from.save(document, &save, found.as_ref(), asked, now)?;
            Entry::find(document, &from.user_arn, &from.profile).map_err(Conflict::from)
        };
        let saved = self.calls.aside(|| self.group.edit(keep, self.stamp, edit));
        match saved {
            Ok(entry) => Ok(entry),
            Err(GroupError::Refused(conflict)) => Err(conflict.into()),
            Err(GroupError::NotCommitted(why)) => Err(LedgerError::NotSaved(why)),
            Err(GroupError::NotDurable(error)) => {
                self.settle(error)?;
                self.entry(&user_arn, &profile)
            }
            Err(GroupError::Stopped(error)) => Err(LedgerError::NotTried(error)),
        }
    }

    /// Saves nothing but the dates. No step depends on them: where they can't be saved, the next list tells them again.
    pub fn save_dates(&self, dates: &CreationDates) {
        let dates = dates.clone();
        let edit = move |document: &mut Document| {
            dates.put(document);
            Ok::<_, Infallible>(())
        };
        if let Err(GroupError::NotDurable(error)) =
            self.calls.aside(|| self.group.edit(Keep::Nothing, self.stamp, edit))
        {
            // Who saves next would have to, and may have less patience.
            let _ = self.settle(error);
        }
    }

    fn settle(&self, mut error: Arc<io::Error>) -> Result<(), LedgerError> {
        for _ in 0..SETTLING {
            match self.calls.aside(|| self.group.settle()) {
                Ok(()) => return Ok(()),
                Err(next) => error = Arc::new(io::Error::other(next)),
            }
        }
        Err(LedgerError::NotDurable(error))
    }

    /// Keeps the generation that stands, so that an earlier one that is put back by hand has every key that works.
    pub fn keep(&self) -> Result<(), LedgerError> {
        let kept = self.calls.aside(|| self.group.keep_standing());
        kept.map_err(|error| LedgerError::NotKept(Arc::new(error)))
    }

    /// A key's secret, from earlier generations and other copies beside the vault.
    pub fn secret_of(&self, id: &AccessKeyId) -> Result<Search, LedgerError> {
        self.read(|vault| vault.secrets_of(id))
    }

    fn read<R>(&self, read: impl FnOnce(&Vault<'d>) -> R) -> Result<R, LedgerError> {
        self.calls.aside(|| self.group.read(read)).map_err(unread)
    }
}

/// Of a rotation's saves those are worth being kept by which the vault gets another key for a profile, or forgets one of which
/// AWS's list alone says that it is gone. The others are the same keys in another state.
fn keep(state: &State, save: &Save) -> Keep {
    match (save, state) {
        (Save::Prove | Save::Return, _) => Keep::Predecessor,
        (Save::Finish, State::Created { .. } | State::Proven { .. } | State::Undoing { .. }) => Keep::Predecessor,
        _ => Keep::Nothing,
    }
}

fn unread(error: ReopenError) -> LedgerError {
    LedgerError::Read(Arc::new(error))
}
