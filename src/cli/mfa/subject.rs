//! The IAM user that a command is about, and what signs for it.

use crate::aws::{Aws, Signer};
use crate::cli::clock_told;
use crate::cli::failure::Failure;
use crate::cli::iam_access::Signature;
use crate::cli::names_given;
use crate::cli::resolved::Resolved;
use crate::cli::sign_in::{self, Purpose, SignInArgs};
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::{MfaSerial, ProfileName, arn_user_name};
use crate::session::Issued;
use crate::store::document::Document;
use crate::store::vault::Closed;

use super::MfaFailure;

pub struct Subject<'a> {
    pub profile: ProfileName,
    /// The user's name and account, by AWS.
    pub user: String,
    pub account: String,
    pub partition: String,
    pub aws: Aws,
    resolved: Resolved<'a>,
    key: AccessKey,
    closed: Closed<'a>,
    /// The devices that profiles of the vault name, this one's and others'.
    named: Vec<(MfaSerial, ProfileName)>,
}

/// What a profile had before, and the others that had the same.
pub struct Moved {
    pub before: MfaSerial,
    pub others: Vec<ProfileName>,
}

impl<'a> Subject<'a> {
    /// Opens the vault and asks AWS whose key it is; the vault is closed again.
    pub fn open(name: Option<ProfileName>, args: &SignInArgs, world: &World<'a>) -> Result<Self, Failure> {
        let (resolved, closed, named) = Resolved::with(name, args, world, named)?;
        let profile = resolved.about.name.clone();
        let Some(key) = resolved.own_key().cloned() else {
            return Err(MfaFailure::NotAUser { profile, user: resolved.user().clone() }.into());
        };
        let aws = resolved.aws(world)?;
        let identity = aws.caller_identity(&Signer::AccessKey(&key))?;
        clock_told::warn_about_clock(world, &aws);
        let Some(user) = arn_user_name(&identity.arn) else { return Err(MfaFailure::Root { profile }.into()) };
        Ok(Self {
            user: user.to_owned(),
            partition: identity.partition().unwrap_or("aws").to_owned(),
            account: identity.account,
            profile,
            aws,
            resolved,
            key,
            closed,
            named,
        })
    }

    pub fn key(&self) -> Signer<'_> {
        Signer::AccessKey(&self.key)
    }

    /// The device that the profile names.
    pub fn device(&self) -> Option<&MfaSerial> {
        self.resolved.device()
    }

    /// The profiles of the vault that name it.
    pub fn used_by(&self, serial: &str) -> Vec<&ProfileName> {
        self.named.iter().filter(|(named, _)| named.as_str() == serial).map(|(_, profile)| profile).collect()
    }

    /// Of a virtual device of that name.
    pub fn serial_of(&self, device_name: &str) -> String {
        MfaSerial::usual_of(&self.partition, &self.account, device_name)
    }

    /// What signs a change: a session with MFA where the profile has a device, else the access key. It asks for a code where that takes one.
    pub fn signature(&self, args: &SignInArgs, world: &World) -> Result<Signature, Failure> {
        if self.device().is_none() {
            return Ok(Signature::Key(self.key.clone()));
        }
        self.session(args, Purpose::Change, world).map(|issued| Signature::Session(Box::new(issued)))
    }

    pub fn session(&self, args: &SignInArgs, purpose: Purpose, world: &World) -> Result<Issued, Failure> {
        sign_in::issue(&self.resolved, args, purpose, world)
    }

    pub fn refused(&self, error: crate::aws::AwsError) -> Failure {
        MfaFailure::Call { profile: self.profile.clone(), error }.into()
    }

    /// Stores the device that codes come from, for the profile and for the others that had the same one as this before: it is
    /// one person's.
    pub fn store(self, serial: &MfaSerial, world: &World) -> Result<Option<Moved>, Failure> {
        let mut vault = self.closed.open()?;
        let mut moved = None;
        vault.edit(&world.stamp(), |document| {
            let profile = names_given::in_vault_mut(document, &self.profile)?;
            let before = profile.mfa_serial.replace(serial.clone()).filter(|before| before != serial);
            moved = before.map(|before| Moved { others: replace(&before, serial, document), before });
            Ok::<(), Failure>(())
        })?;
        Ok(moved)
    }
}

fn named(document: &Document) -> Vec<(MfaSerial, ProfileName)> {
    let devices = document.profiles.iter().map(|(name, profile)| Some((profile.mfa_serial.clone()?, name.clone())));
    devices.flatten().collect()
}

/// Says in which profiles.
fn replace(before: &MfaSerial, serial: &MfaSerial, document: &mut Document) -> Vec<ProfileName> {
    let having = document.profiles.iter_mut().filter(|(_, profile)| profile.mfa_serial.as_ref() == Some(before));
    having
        .map(|(name, profile)| {
            profile.mfa_serial = Some(serial.clone());
            name.clone()
        })
        .collect()
}
