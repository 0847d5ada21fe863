//! What a run remembers from step to step, and no other run after it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Depth, Save, State, Wish};
use crate::aws::KeyUse;
use crate::names::AccessKeyId;

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
    /// AWS did not take them when they were tried, and IAM's list does not have them either.
    pub refused: BTreeSet<AccessKeyId>,
    /// A new key was made, or the old one taken back: there is nothing more to start.
    pub turned: bool,
    pub undone: bool,
}

impl Run {
    /// What a saved step means for the rest of the run. `before` is the state that the step was decided from.
    pub fn saved(&mut self, save: &Save, before: &State, wish: &Wish) {
        match save {
            Save::Intend => self.intent = OwnIntent::Unsent,
            Save::Adopt(_) => self.turned = true,
            Save::TurnBack | Save::Return => (self.undone, self.turned) = (true, true),
            // Who ended a grace by hand, or took a rotation back, asked for that and not for the next one.
            Save::Finish => {
                let taken_back = wish.undo && matches!(before, State::Created { .. });
                self.turned |= wish.now || taken_back;
            }
            Save::Prove | Save::Retire { .. } | Save::Undo => {}
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OwnIntent {
    /// Of an earlier run, which may have sent the call.
    #[default]
    Earlier,
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

impl Use {
    /// STS and IAM are what this program itself calls with a key.
    pub fn of(used: &KeyUse) -> Self {
        match used {
            KeyUse::Unknown => Self::Unknown,
            KeyUse::Never => Self::Never,
            KeyUse::Last(last) if ["sts", "iam"].contains(&last.service.as_str()) => Self::Ours,
            KeyUse::Last(_) => Self::Others,
        }
    }
}

/// Whether the secret of a key that is not in the journal stands in a file beside the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secret {
    Found,
    /// Also where a generation could not be looked into.
    NotFound,
}
