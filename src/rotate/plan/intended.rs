//! While CreateAccessKey may have been sent: what becomes of keys that appear, or of none.

use jiff::Timestamp;

use super::{BEFORE_INTENT, End, LIST_LAG, Look, Mfa, OwnIntent, SENT_WITHIN, Save, Secret, Seen, Step, Use, View};
use crate::aws::{KeyStatus, ListedKey};

impl View<'_> {
    pub(super) fn intended(&self, since: Timestamp) -> Step {
        let newcomers: Vec<&ListedKey> = self.others().collect();
        match newcomers[..] {
            [] => self.without_newcomer(since),
            // Nothing was sent yet under this intent.
            _ if self.run.intent == OwnIntent::Unsent => Step::Save(Save::Finish),
            [first, ..] => self.kept(&newcomers).unwrap_or_else(|| self.newcomer(first, since)),
        }
    }

    /// Of the keys that came, one whose secret a file beside the vault has: it becomes the new key.
    fn kept(&self, newcomers: &[&ListedKey]) -> Option<Step> {
        let secret = |key: &ListedKey| self.run.secrets.get(&key.id).copied();
        if let Some(key) = newcomers.iter().find(|key| secret(key).is_none()) {
            return Some(Step::Look(Look::ForSecret(key.id.clone())));
        }
        let found = || newcomers.iter().filter(|key| secret(key) == Some(Secret::Found));
        let key = found().find(|key| key.status == KeyStatus::Active).or_else(|| found().next())?;
        Some(Step::Save(Save::Adopt(key.id.clone())))
    }

    fn without_newcomer(&self, since: Timestamp) -> Step {
        let (sent, shown_by) = (self.run.intent != OwnIntent::Unsent, since + SENT_WITHIN + LIST_LAG);
        // Also beside a current key that is lost: the one that comes may be the only one that works.
        if sent && self.now < shown_by {
            return Step::ListAgain(shown_by);
        }
        match self.seen(self.current) {
            Seen::Gone => return Step::End(End::CurrentGone),
            Seen::Off => return Step::End(End::CurrentOff),
            Seen::Active => {}
        }
        if !sent {
            return if self.now.duration_since(since) < SENT_WITHIN { Step::Create } else { Step::Save(Save::Intend) };
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
        // Another machine with this file may be about to save it; what the vault says then is read anew.
        let saved_by = key.created + SENT_WITHIN;
        if self.run.intent == OwnIntent::Earlier && self.now < saved_by {
            return Step::ListAgain(saved_by);
        }
        let Some(used) = self.run.uses.get(&key.id) else { return Step::Look(Look::AtUse(key.id.clone())) };
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
}
