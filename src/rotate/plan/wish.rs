//! What a run is to do.

use jiff::SignedDuration;

use crate::names::AccessKeyId;

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Start a rotation where none is under way.
    pub start: bool,
    /// Only for a key that is older.
    pub older_than: Option<SignedDuration>,
    pub undo: bool,
    /// Switch the old key off though it may be in use; with `force`, delete it before the grace is over.
    pub now: bool,
    /// Go on though somebody else uses the old key.
    pub force: bool,
    pub keep_old: bool,
    /// How long the old key stays inactive before it is deleted.
    pub grace: SignedDuration,
    /// A key that may be deleted to make room.
    pub delete_key: Option<AccessKeyId>,
}
