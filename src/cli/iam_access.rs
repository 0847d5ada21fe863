//! Who signs a profile's calls to IAM: its session, or the access key where the session would not be let in.

use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::session::Issued;

use super::failure::Failure;
use super::settings;
use super::sign_in::{self, Purpose, Resolved, SignInArgs};
use super::world::World;

pub struct IamAccess {
    pub aws: Aws,
    profile: ProfileName,
    by: By,
}

enum By {
    Session(Box<Issued>),
    AccessKey(AccessKey),
}

impl IamAccess {
    /// Gets the session, by a code if it must. IAM takes no session of GetSessionToken that was made without MFA (STS API
    /// reference, GetSessionToken), but takes the key that it would have been made with.
    pub fn of(resolved: &Resolved, args: &SignInArgs, world: &World) -> Result<Self, Failure> {
        let by = match resolved.own_key().filter(|_| !resolved.has_mfa()) {
            Some(key) => By::AccessKey(key.clone()),
            None => By::Session(Box::new(sign_in::issue(resolved, args, Purpose::Use, world)?)),
        };
        Ok(Self { aws: resolved.aws(world)?, profile: resolved.about.name.clone(), by })
    }

    pub fn signer(&self) -> Signer<'_> {
        match &self.by {
            By::Session(issued) => Signer::Session(issued.credentials()),
            By::AccessKey(key) => Signer::AccessKey(key),
        }
    }

    /// IAM's answer as a failure of the profile's: many policies want a code that was given within the hour, whatever the
    /// session's life.
    pub fn failed(&self, error: AwsError) -> Failure {
        match (&self.by, &error) {
            (By::Session(issued), AwsError::Refused { refusal: Refusal::AccessDenied, .. })
                if issued.reused && issued.record.request().serial.is_some() =>
            {
                Failure::OldSession { profile: self.profile.clone(), error }
            }
            _ => error.into(),
        }
    }

    /// A key's age and a last use are told by AWS's clock: says so where this machine's is wrong.
    pub fn warn_about_clock(&self, world: &World) {
        settings::warn_about_clock(world, &self.aws);
    }
}
