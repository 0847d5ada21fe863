//! Who signs a profile's calls to IAM: its session, or the access key where the session would not be let in.

use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::session::Issued;

use super::clock_told;
use super::failure::Failure;
use super::resolved::Resolved;
use super::sign_in::{self, Purpose, SignInArgs};
use super::world::World;

pub struct IamAccess {
    pub aws: Aws,
    profile: ProfileName,
    signature: Signature,
}

/// What signs.
pub enum Signature {
    Session(Box<Issued>),
    Key(AccessKey),
}

impl Signature {
    pub fn signer(&self) -> Signer<'_> {
        match self {
            Self::Session(issued) => Signer::Session(issued.credentials()),
            Self::Key(key) => Signer::AccessKey(key),
        }
    }
}

impl IamAccess {
    /// Gets the session, by a code if it must. IAM takes no session of GetSessionToken that was made without MFA (STS API
    /// reference, GetSessionToken), but takes the key that it would have been made with. Where AWS does not take that key any
    /// more, a session that is left has to do, however long ago its code was given.
    pub fn of(resolved: &Resolved, args: &SignInArgs, purpose: Purpose, world: &World) -> Result<Self, Failure> {
        let is_user_without_mfa = resolved.role().is_none() && !resolved.has_mfa();
        let signature = match resolved.own_key().filter(|_| is_user_without_mfa) {
            Some(key) => Signature::Key(key.clone()),
            None => {
                let issued = match sign_in::issue(resolved, args, purpose, world) {
                    Err(refused @ Failure::KeyRefused(_)) => sign_in::left(resolved, world).ok_or(refused)?,
                    issued => issued?,
                };
                Signature::Session(Box::new(issued))
            }
        };
        Ok(Self { aws: resolved.aws(world)?, profile: resolved.about.name.clone(), signature })
    }

    pub fn signer(&self) -> Signer<'_> {
        self.signature.signer()
    }

    /// IAM's answer as a failure of the profile's: many policies want a code that was given within the hour, whatever the
    /// session's life.
    pub fn failed(&self, error: AwsError) -> Failure {
        match (&self.signature, &error) {
            (Signature::Session(issued), AwsError::Refused { refusal: Refusal::AccessDenied, .. })
                if issued.reused && issued.record.request().serial.is_some() =>
            {
                Failure::OldSession { profile: self.profile.clone(), error }
            }
            _ => error.into(),
        }
    }

    /// A key's age and a last use are told by AWS's clock: says so where this machine's is wrong.
    pub fn warn_about_clock(&self, world: &World) {
        clock_told::warn_about_clock(world, &self.aws);
    }
}
