//! What a run tells as it goes.

use crate::names::AccessKeyId;

/// What happened that others should know at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Created {
        new: AccessKeyId,
    },
    Adopted {
        new: AccessKeyId,
    },
    /// Waiting until the new key works everywhere.
    Proving {
        key: AccessKeyId,
    },
    /// The profile has another key now.
    Replaced {
        old: AccessKeyId,
        new: AccessKeyId,
    },
    SwitchedOff {
        key: AccessKeyId,
    },
    SwitchedOn {
        key: AccessKeyId,
    },
    Deleted {
        key: AccessKeyId,
    },
    /// Somebody else deleted it, and the vault forgets it.
    Gone {
        key: AccessKeyId,
    },
    /// AWS may not tell who uses the key. The rotation goes on.
    UseUnknown {
        key: AccessKeyId,
    },
    /// A call whose reply was lost may have made a key; AWS's list will tell.
    ReplyLost,
}
