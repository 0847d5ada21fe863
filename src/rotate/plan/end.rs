//! How a run ends that nothing failed.

use jiff::Timestamp;

use crate::names::AccessKeyId;

/// Why a run goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing is under way any more.
    Done,
    /// The key is younger than was asked for.
    Young {
        created: Timestamp,
    },
    /// The new key works; the old one was to be kept.
    OldKept {
        old: AccessKeyId,
    },
    /// The old key is inactive, and is deleted when the grace is over.
    Grace {
        old: AccessKeyId,
        until: Timestamp,
    },
    /// To delete the old key before that, somebody must say so twice.
    GraceNotOver {
        old: AccessKeyId,
        until: Timestamp,
    },
    NothingToUndo,
    /// The key that was replaced is in use again; the one that had its place waits to be deleted.
    AlreadyUndone {
        old: AccessKeyId,
        until: Timestamp,
    },
    /// There is no old key any more that could be taken back.
    OldKeyGone {
        old: AccessKeyId,
    },
    /// There is no room for a new key.
    TwoKeys,
    /// Somebody else uses the key that was to be replaced.
    InUse {
        key: AccessKeyId,
    },
    /// Of the current key: it was deleted at AWS, or switched off.
    CurrentGone,
    CurrentOff,
    /// The current key is off while another is there that this vault does not have.
    RotatedElsewhere,
    /// A key appeared whose secret nobody here has; whether it is ours can't be known.
    Orphan {
        key: AccessKeyId,
        likely_ours: bool,
    },
    /// Somebody switched the new key off before it was used.
    NewKeyOff {
        new: AccessKeyId,
    },
    /// Somebody switched the old key on again.
    OldKeyOn {
        old: AccessKeyId,
    },
    /// Neither of the keys that the vault has works any more.
    NoWorkingKey,
    /// The key that was named to be deleted is the one in use here, or is not there.
    NotToDelete {
        key: AccessKeyId,
    },
}
