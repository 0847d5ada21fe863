//! Nothing is to be done with a key before the grace of the one beside it is over. All the same somebody may have taken the new
//! key away, and a look at AWS costs no code.

use jiff::Timestamp;

use super::Rotation;
use crate::aws::KeyStatus;
use crate::names::AccessKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The key that is off.
    pub off: AccessKeyId,
    /// And deleted after that.
    pub until: Timestamp,
    /// It is the newer one, and the profile has the other again.
    pub is_undone: bool,
    /// The profile's key is older than it may grow, and can't be replaced before that.
    pub is_overdue: bool,
}

impl Rotation {
    /// Where nothing was to be done when it was chosen, and this run has changed nothing.
    pub fn rest(&self) -> Option<&Rest> {
        self.rest.as_ref().filter(|_| !self.saved)
    }

    /// Whether AWS's list has the profile's key, and it works.
    pub fn current_works(&self) -> bool {
        let current = self.position().map(|position| &position.current);
        self.keys.iter().any(|key| Some(&key.id) == current && key.status == KeyStatus::Active)
    }
}
