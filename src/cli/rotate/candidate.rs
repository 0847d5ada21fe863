//! A key that is to be rotated, before anything was asked of AWS.

use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::rotate::plan::Wish;
use crate::rotate::pool::CallPlace;
use crate::rotate::run::Rotation;

pub struct Candidate {
    pub profile: ProfileName,
    pub key: AccessKey,
    pub has_mfa: bool,
    pub place: CallPlace,
    /// A key that may be deleted, as it was named on the command line.
    pub delete_key: Option<String>,
}

impl Candidate {
    pub fn start(self, wish: &Wish) -> (Rotation, CallPlace) {
        let Self { profile, key, has_mfa, place, delete_key } = self;
        (Rotation::new(profile, key, has_mfa, delete_key, wish.clone()), place)
    }
}
