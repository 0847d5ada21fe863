//! The vault, as this run last read or wrote it.

use super::{News, Rotation, Tools, Turn, User};
use crate::credentials::AccessKey;
use crate::names::AccessKeyId;
use crate::rotate::creation_dates::CreationDates;
use crate::rotate::journal::{Asked, Conflict, Position};
use crate::rotate::ledger::{Entry, LedgerError};
use crate::rotate::plan::{End, OwnIntent, Save};
use crate::rotate::stop::Stop;

impl Rotation {
    /// Before a wait: the key that is being proven is the only one that is kept in mind.
    pub(super) fn put_keys_away(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.expected = Some(entry.position);
        }
    }

    /// Takes up the keys again that were put away before a wait.
    pub(super) fn read(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        if self.entry.is_none() {
            let entry = tools.ledger.entry(&user.arn, &self.profile)?;
            if self.expected.as_ref().is_some_and(|expected| *expected != entry.position) {
                return Err(LedgerError::Conflict(Conflict::Changed).into());
            }
            self.entry = Some(entry);
        }
        Ok(())
    }

    pub(super) fn entry(&self) -> Result<&Entry, Stop> {
        self.entry.as_ref().ok_or(Stop::NoSigner)
    }

    pub(super) fn held(&self, id: &AccessKeyId) -> Result<AccessKey, Stop> {
        let entry = self.entry()?;
        let mut keys = [Some(&entry.current), entry.other.as_ref()].into_iter().flatten();
        Ok(keys.find(|key| key.id == *id).ok_or(Stop::NoSigner)?.access_key())
    }

    pub(super) fn save(&mut self, tools: &Tools, save: &Save) -> Result<(), Stop> {
        let (before, found, now) = (self.entry()?.position.clone(), self.found.take(), tools.now());
        let dates = CreationDates::of(&self.keys);
        let asked = Asked { kept: self.wish.keep_old, grace: self.grace_asked_for };
        match tools.ledger.save(&before, save, found.as_ref(), asked, &dates, now) {
            Ok(after) => {
                self.note(save, &before, &after.position.current);
                self.entry = Some(after);
                Ok(())
            }
            // In force, so that it is told as it stands; a power cut may undo it, so that nothing is built on it. The disk may
            // not even let it be read.
            Err(error @ LedgerError::NotDurable(_)) => {
                let (state, current) = before.state.after(&before.current, save, now);
                self.note(save, &before, &current);
                self.entry = None;
                self.expected = Some(Position { state, current, ..before });
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the saved step means for the rest of this run.
    fn note(&mut self, save: &Save, before: &Position, current: &AccessKeyId) {
        self.saved = true;
        if let Some(key) = forgotten(save, before).filter(|key| !self.run.deleted.contains(*key)) {
            self.news.push(News::Gone { key: key.clone() });
        }
        let was_just_made = self.run.intent == OwnIntent::Unsent;
        self.run.saved(save, &before.state, &self.wish);
        match save {
            Save::Adopt(key) if was_just_made => self.news.push(News::Created { new: key.clone() }),
            Save::Adopt(key) => self.news.push(News::Adopted { new: key.clone() }),
            Save::Prove | Save::TurnBack | Save::Return => {
                self.news.push(News::Replaced { old: before.current.clone(), new: current.clone() });
            }
            Save::Intend | Save::Retire { .. } | Save::Undo | Save::Finish => {}
        }
    }

    pub(super) fn end(&mut self, tools: &Tools, end: End) -> Result<Turn, Stop> {
        if self.saved {
            tools.ledger.keep()?;
        } else if matches!(end, End::Young { .. } | End::InUse { .. }) {
            self.save_dates(tools)?;
        }
        Ok(Turn::Ended(end))
    }

    /// Of a run that ends with what it read, so that the key is as old to the vault as it is to AWS. Not of one that found this
    /// vault to be behind the keys: the newer one would not follow the generation that is made by it.
    fn save_dates(&self, tools: &Tools) -> Result<(), Stop> {
        let dates = CreationDates::of(&self.keys);
        if dates.are_news_of(&self.entry()?.current) {
            tools.ledger.save_dates(&dates);
        }
        Ok(())
    }
}

/// The key that the vault has no more after this save.
fn forgotten<'p>(save: &Save, before: &'p Position) -> Option<&'p AccessKeyId> {
    match save {
        Save::Return => Some(&before.current),
        Save::Finish => before.state.other(),
        _ => None,
    }
}
