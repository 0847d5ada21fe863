//! What a rotation begins with.

use std::time::Duration;

use super::Rest;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::rotate::plan::Wish;

pub struct Start {
    pub profile: ProfileName,
    /// The profile's, and the one that its journal has beside it.
    pub key: AccessKey,
    pub other_key: Option<AccessKey>,
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
