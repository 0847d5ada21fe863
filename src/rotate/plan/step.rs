//! What a run does next.

use jiff::Timestamp;

use super::End;
use crate::aws::KeyStatus;
use crate::names::AccessKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Look(Look),
    /// Get a session with MFA, by a code.
    NeedCode,
    Prove(AccessKeyId, Depth),
    Save(Save),
    /// CreateAccessKey, once, and its answer saved as `created`.
    Create,
    Switch(AccessKeyId, KeyStatus),
    Delete(AccessKeyId),
    /// Look again at this time.
    ListAgain(Timestamp),
    End(End),
}

/// What changes nothing, so that no newer list is needed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// When the key was last used, and by what.
    AtUse(AccessKeyId),
    /// Whether AWS takes this key of the vault: by IAM's list it is gone, and a list may lag.
    AtKey(AccessKeyId),
    /// In earlier generations of the vault.
    ForSecret(AccessKeyId),
    /// Set the current key to Active, which it is: a refusal comes now, and not when a key has been made already.
    Preflight,
}

/// How surely a key must be seen to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Depth {
    /// Once at STS and once at IAM.
    Quick,
    /// Three times at each, some time apart: a fresh key is live at one server and not yet at the next.
    Full,
}

/// The change of the journal to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    Intend,
    /// The key of this id, found in an earlier generation, becomes the new key.
    Adopt(AccessKeyId),
    /// The new key becomes the current one, the current one the old one.
    Prove,
    Retire {
        until: Timestamp,
    },
    Undo,
    /// The old key becomes the current one, the current one the old one.
    TurnBack,
    /// The old key becomes the current one, and what was current is forgotten.
    Return,
    /// The journal goes, the current key stays.
    Finish,
}
