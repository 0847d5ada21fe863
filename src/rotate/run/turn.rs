//! What comes after a turn.

use std::time::Duration;

use crate::credentials::AccessKey;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::plan::End;
use crate::rotate::stop::Stop;

/// How a turn ended.
pub enum Turn {
    Again,
    After(Duration),
    /// A session with MFA is needed before it goes on.
    NeedCode,
    /// Somebody else is to have the new key before the old one is switched off.
    NeedHook(Hook),
    Ended(End),
    Failed(Stop),
}

/// A command that tells another consumer of the new key.
pub struct Hook {
    pub profile: ProfileName,
    pub words: String,
    pub old: AccessKeyId,
    pub new: AccessKey,
}
