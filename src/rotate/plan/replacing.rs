//! While the vault has two keys of the user: the one takes the place of the other, or gives it back.

use jiff::Timestamp;

use super::{Depth, End, Mfa, Save, Seen, Step, USE_LAG, View};
use crate::aws::{KeyStatus, ListedKey};
use crate::names::AccessKeyId;

impl View<'_> {
    pub(super) fn created(&self, new: &AccessKeyId) -> Step {
        match self.seen(new) {
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

    pub(super) fn proven(&self, old: &AccessKeyId) -> Step {
        if let Some(step) = self.current_lost(old) {
            return step;
        }
        match self.seen(old) {
            Seen::Gone if self.undoes(old) => Step::End(End::OldKeyGone { old: old.clone() }),
            Seen::Gone => Step::Save(Save::Finish),
            _ if self.undoes(old) => Step::Save(Save::Undo),
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

    pub(super) fn retired(&self, old: &AccessKeyId, until: Timestamp) -> Step {
        if self.seen(self.current) == Seen::Off && self.seen(old) == Seen::Off {
            // Somebody switched it off long after the old one: who wants no key of this user to work gets none back unasked.
            return if self.undoes(old) { Step::Save(Save::Undo) } else { Step::End(End::CurrentOff) };
        }
        if let Some(step) = self.current_lost(old) {
            return step;
        }
        let before = self.now < until;
        match self.seen(old) {
            Seen::Gone if self.undoes(old) => Step::End(End::OldKeyGone { old: old.clone() }),
            Seen::Gone => Step::Save(Save::Finish),
            _ if self.undoes(old) => Step::Save(Save::Undo),
            // Who switched it on again may have needed it: its grace begins anew.
            Seen::Active if self.wish.now && until < self.now + USE_LAG => {
                Step::Save(Save::Retire { until: self.now + self.wish.grace })
            }
            Seen::Active if self.wish.now => self.retire(old),
            Seen::Active => Step::End(End::OldKeyOn { old: old.clone() }),
            Seen::Off if before && self.wish.now && !self.wish.force => {
                Step::End(End::GraceNotOver { old: old.clone(), until })
            }
            Seen::Off if before && !self.wish.now && self.wish.undo && !self.run.undone => {
                Step::End(End::AlreadyUndone { old: old.clone(), until })
            }
            Seen::Off if before && !self.wish.now => Step::End(End::Grace { old: old.clone(), until }),
            Seen::Off if self.mfa == Mfa::Missing => Step::NeedCode,
            Seen::Off => self
                .others_use(old, self.wish.force)
                .or_else(|| self.proved(self.current, Depth::Quick))
                .unwrap_or_else(|| Step::Delete(old.clone())),
        }
    }

    pub(super) fn undoing(&self, old: &AccessKeyId) -> Step {
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

    /// Whether the old key is still to be taken back. An undo is no rotation that another one could undo.
    fn undoes(&self, old: &AccessKeyId) -> bool {
        self.wish.undo && !self.run.undone && !is_taken_back(self.current, old, self.keys)
    }
}

/// Whether the key that was replaced has its place again: a rotation's new key is the younger one.
pub fn is_taken_back(current: &AccessKeyId, beside: &AccessKeyId, keys: &[ListedKey]) -> bool {
    let created = |id: &AccessKeyId| keys.iter().find(|key| key.id == *id).map(|key| key.created);
    created(current).zip(created(beside)).is_some_and(|(current, beside)| current < beside)
}
