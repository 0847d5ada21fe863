//! Where a rotation stands.

use jiff::Timestamp;

use super::Save;
use crate::names::AccessKeyId;

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

impl State {
    /// The key beside the current one.
    pub fn other(&self) -> Option<&AccessKeyId> {
        match self {
            Self::Idle | Self::Intended { .. } => None,
            Self::Created { new, .. } => Some(new),
            Self::Proven { old } | Self::Retired { old, .. } | Self::Undoing { old } => Some(old),
        }
    }

    /// Where the journal stands when the step is saved, and the current key then.
    pub fn after(&self, current: &AccessKeyId, save: &Save, now: Timestamp) -> (Self, AccessKeyId) {
        let other = self.other().unwrap_or(current).clone();
        let stays = |state| (state, current.clone());
        match save {
            Save::Intend => stays(Self::Intended { since: now }),
            Save::Adopt(new) => stays(Self::Created { new: new.clone(), since: now }),
            Save::Prove | Save::TurnBack => (Self::Proven { old: current.clone() }, other),
            Save::Retire { until } => stays(Self::Retired { old: other, until: *until }),
            Save::Undo => stays(Self::Undoing { old: other }),
            Save::Return => (Self::Idle, other),
            Save::Finish => stays(Self::Idle),
        }
    }
}
