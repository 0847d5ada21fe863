//! Where no rotation is under way.

use jiff::Timestamp;

use super::{End, Look, Mfa, Save, Seen, Step, View};

impl View<'_> {
    pub(super) fn idle(&self) -> Step {
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
            return self.two_keys();
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
        if self.run.preflighted { Step::Save(Save::Intend) } else { Step::Look(Look::Preflight) }
    }

    /// Whoever is to say which of them nobody needs is shown what each was last used for. That is not worth a code.
    fn two_keys(&self) -> Step {
        let mut keys = self.keys.iter().map(|key| &key.id).filter(|id| self.seen(id) != Seen::Gone);
        match keys.find(|id| !self.run.uses.contains_key(*id)) {
            Some(id) => Step::Look(Look::AtUse(id.clone())),
            None => Step::End(End::TwoKeys),
        }
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

    fn too_young(&self) -> Option<Timestamp> {
        let created = self.keys.iter().find(|key| key.id == *self.current)?.created;
        let younger = self.wish.older_than.is_some_and(|age| self.now.duration_since(created) < age);
        younger.then_some(created)
    }
}
