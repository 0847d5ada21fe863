//! What a rotation begins with.

use std::time::Duration;

use super::Rest;
use crate::names::ProfileName;
use crate::rotate::plan::Wish;

/// No key: many may wait for their turn while a person is asked for a code.
pub struct Start {
    pub profile: ProfileName,
    /// Whether a session with MFA is to sign.
    pub has_mfa: bool,
    /// How old a session's code may be for a change of keys.
    pub mfa_max_age: Duration,
    /// A key that may be deleted, as somebody named it.
    pub delete_key: Option<String>,
    /// The setting rotate_hook of each profile that has the key.
    pub hooks: Vec<(ProfileName, String)>,
    /// Where nothing is to be done but to look.
    pub rest: Option<Rest>,
    /// In seconds, where it was said for this very rotation.
    pub grace_asked_for: Option<u64>,
    pub wish: Wish,
}
