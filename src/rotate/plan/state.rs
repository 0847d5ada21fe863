//! Where a rotation stands.

use jiff::Timestamp;

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
