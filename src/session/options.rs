//! What the command line asks of a session.

use std::time::Duration;

use super::request::{Asked, Slot};
use super::role_options::RoleOptions;
use crate::names::{ProfileName, RoleArn};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub duration: Option<Duration>,
    pub no_mfa: bool,
    /// A role to assume from the profile, whether or not that is one itself.
    pub role_arn: Option<RoleArn>,
    /// No more than AWS's own policy ReadOnlyAccess allows.
    pub read_only: bool,
    /// How long a console session is to be, where that is longer than a session that is assumed from another lives. AWS takes
    /// it only with a role's session that the access key itself made, however long that lives.
    pub stay: Option<Duration>,
    pub role: RoleOptions,
}

impl Options {
    /// Where the session is found that a profile gets when it is asked for with these.
    pub fn slot(&self, profile: &ProfileName) -> Slot {
        Slot { profile: profile.clone(), asked: asked(self), serial: None }
    }
}

pub(super) fn asked(options: &Options) -> Asked {
    let duration_seconds = options.duration.map(|duration| duration.as_secs().try_into().unwrap_or(u32::MAX));
    Asked {
        duration_seconds,
        no_mfa: options.no_mfa,
        straight: options.stay.is_some(),
        role_arn: options.role_arn.clone(),
        read_only: options.read_only,
        role: options.role.clone(),
    }
}
