//! What a rotation would do if all went well: the very planner, played against a list in memory.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::plan::{End, Look, Mfa, Run, Save, Secret, State, Step, Use, View, Wish, next};
use crate::aws::{KeyStatus, ListedKey};
use crate::names::AccessKeyId;

/// Far more than a rotation takes.
const MOST_STEPS: usize = 100;

/// Stands for the key that AWS would make.
const NEW_KEY: &str = "AKIAXXXXXXXXXXXXXNEW";

/// Something that a person would notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    AskCode,
    Create,
    /// Until it works everywhere. None: the new key.
    Prove(Option<AccessKeyId>),
    /// This key takes the place of the current one. None: the new key.
    Use(Option<AccessKeyId>),
    SwitchOff(Option<AccessKeyId>),
    SwitchOn(AccessKeyId),
    Delete(Option<AccessKeyId>),
    /// The journal says no more than it must: nothing is under way.
    Finish,
}

/// From where the vault and IAM stand now to where it rests.
pub struct Preview<'a> {
    pub state: State,
    pub current: AccessKeyId,
    pub keys: Vec<ListedKey>,
    pub now: Timestamp,
    pub mfa: Mfa,
    pub run: Run,
    pub wish: &'a Wish,
}

impl Preview<'_> {
    /// None for the end where it comes to none, which would be a fault of the planner's.
    pub fn play(mut self) -> (Vec<Deed>, Option<End>) {
        let mut deeds = Vec::new();
        for _ in 0..MOST_STEPS {
            let step = next(&View {
                state: &self.state,
                current: &self.current,
                made: &BTreeMap::new(),
                keys: &self.keys,
                now: self.now,
                mfa: self.mfa,
                run: &self.run,
                wish: self.wish,
            });
            if let Step::End(end) = step {
                return (deeds, Some(end));
            }
            deeds.extend(self.apply(step));
        }
        (deeds, None)
    }

    fn apply(&mut self, step: Step) -> Option<Deed> {
        match step {
            Step::NeedCode => {
                self.mfa = Mfa::Session;
                Some(Deed::AskCode)
            }
            // What could be seen without changing anything was seen before.
            Step::Look(Look::AtUse(key)) => {
                self.run.uses.insert(key, Use::Unknown);
                None
            }
            Step::Look(Look::AtKey(key)) => {
                self.run.refused.insert(key);
                None
            }
            Step::Look(Look::ForSecret(key)) => {
                self.run.secrets.insert(key, Secret::NotFound);
                None
            }
            Step::Look(Look::Preflight) => {
                self.run.preflighted = true;
                None
            }
            Step::Prove(key, depth) => {
                self.run.proof = Some((key.clone(), self.now, depth));
                Some(Deed::Prove(known(key)))
            }
            Step::Create => {
                let id: AccessKeyId = NEW_KEY.parse().expect("it has the shape of an id");
                self.keys.push(ListedKey { id: id.clone(), status: KeyStatus::Active, created: self.now });
                self.state = State::Created { new: id, since: self.now };
                self.run.turned = true;
                Some(Deed::Create)
            }
            Step::Switch(key, status) => {
                self.keys.iter_mut().filter(|listed| listed.id == key).for_each(|listed| listed.status = status);
                Some(match status {
                    KeyStatus::Active => Deed::SwitchOn(key),
                    KeyStatus::Inactive => Deed::SwitchOff(known(key)),
                })
            }
            Step::Delete(key) => {
                self.keys.retain(|listed| listed.id != key);
                self.run.deleted.insert(key.clone());
                Some(Deed::Delete(known(key)))
            }
            Step::ListAgain(at) => {
                self.now = at.max(self.now + SignedDuration::from_secs(1));
                None
            }
            Step::Save(save) => self.save(&save),
            Step::End(_) => None,
        }
    }

    fn save(&mut self, save: &Save) -> Option<Deed> {
        self.run.saved(save, &self.state, self.wish);
        (self.state, self.current) = self.state.after(&self.current, save, self.now);
        match save {
            Save::Prove | Save::TurnBack | Save::Return => Some(Deed::Use(known(self.current.clone()))),
            Save::Finish => Some(Deed::Finish),
            Save::Intend | Save::Adopt(_) | Save::Retire { .. } | Save::Undo => None,
        }
    }
}

fn known(key: AccessKeyId) -> Option<AccessKeyId> {
    Some(key).filter(|key| key.as_str() != NEW_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new key that was made and saved, and deleted by somebody before it was used: the old one alone is listed.
    #[test]
    fn an_undo_of_a_new_key_that_is_gone_ends_as_the_real_one_does() {
        let (current, new): (AccessKeyId, AccessKeyId) =
            ("AKIAIOSFODNN7EXAMPL1".parse().unwrap(), "AKIAIOSFODNN7EXAMPL2".parse().unwrap());
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let wish = Wish {
            start: false,
            older_than: None,
            undo: true,
            now: false,
            force: false,
            keep_old: false,
            grace: SignedDuration::from_hours(24),
            delete_key: None,
        };
        let preview = Preview {
            state: State::Created { new, since: Timestamp::UNIX_EPOCH },
            keys: vec![ListedKey { id: current.clone(), status: KeyStatus::Active, created: Timestamp::UNIX_EPOCH }],
            current,
            now,
            mfa: Mfa::None,
            run: Run::default(),
            wish: &wish,
        };
        assert_eq!(preview.play(), (vec![Deed::Finish], Some(End::Done)));
    }
}
