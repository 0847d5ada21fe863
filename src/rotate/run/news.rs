//! What a run tells as it goes.

use jiff::Timestamp;

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
    /// Waiting until AWS's list has what calls before it made.
    ListAwaited {
        until: Timestamp,
    },
    /// AWS does not take the keys that the vault has; where one was made just now, that passes.
    Refused,
    /// A call whose reply was lost may have made a key; AWS's list will tell.
    ReplyLost,
}
