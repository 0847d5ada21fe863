//! `vault keys`.

mod change;
mod listing;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::aws::ListedKey;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::held::{Held, Part, held};
use crate::store::document::Document;

use super::failure::Failure;
use super::iam_access::IamAccess;
use super::resolved::Resolved;
use super::sign_in::{Purpose, SignInArgs};
use super::world::World;

pub use change::{Act, Risk};

const EXAMPLES: &str = "\
Examples:
  vault keys prod
  vault keys disable prod AKIA...MPLE       by its id, or the last four of it
  vault keys delete prod MPLE --yes";

/// Show and change a user's access keys as IAM has them: `vault keys NAME` lists them
///
/// The calls to IAM are signed by the profile's MFA session, or by its access key if it has no MFA device.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Box<Action>>,
    #[command(flatten)]
    list: listing::ListArgs,
}

#[derive(clap::Subcommand)]
enum Action {
    /// List the keys: status, age, last use, and which profiles of the vault have them
    List(listing::ListArgs),
    /// Switch a key off: it can be switched on again
    ///
    /// Sessions that were made with it stay good until they end, and one of them can switch it on again.
    Disable(change::KeyArgs),
    /// Switch a key on again
    Enable(change::KeyArgs),
    /// Delete a key for good
    Delete(change::KeyArgs),
}

/// What there is against it before IAM is asked to change anything.
pub enum KeyError {
    /// A root user has no name that IAM would list its keys by.
    NotAUsers {
        profile: ProfileName,
        arn: String,
    },
    /// None was named, and these are there.
    NotSaid {
        user: String,
        keys: Vec<AccessKeyId>,
    },
    NoSuchKey {
        given: String,
        user: String,
        keys: Vec<AccessKeyId>,
    },
    /// Until then its last rotation keeps a key that is off.
    InGrace {
        profile: ProfileName,
        off: AccessKeyId,
        until: Timestamp,
        is_undone: bool,
    },
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action.map_or(Action::List(args.list), |action| *action) {
        Action::List(args) => listing::list(args, world),
        Action::Disable(args) => change::change(args, change::Act::Disable, world),
        Action::Enable(args) => change::change(args, change::Act::Enable, world),
        Action::Delete(args) => change::change(args, change::Act::Delete, world),
    }
}

/// A user's keys as both sides have them.
struct UserKeys {
    profile: ProfileName,
    access: IamAccess,
    account: String,
    user: String,
    keys: Vec<ListedKey>,
    /// The profiles of the vault that have a key.
    held_by: BTreeMap<AccessKeyId, Vec<ProfileName>>,
    /// What the keys are in rotations that are not over.
    in_rotation: BTreeMap<AccessKeyId, Held>,
}

impl UserKeys {
    fn read(name: Option<ProfileName>, args: &SignInArgs, purpose: Purpose, world: &World) -> Result<Self, Failure> {
        let look = |document: &Document| (held_by(document), held(document));
        // The vault itself is gone before a person is waited for.
        let (resolved, _, (held_by, in_rotation)) = Resolved::with(name, args, world, look)?;
        let profile = resolved.about.name.clone();
        if resolved.own_key().is_none() {
            return Err(Failure::NoAccessKey(profile));
        }
        let access = IamAccess::of(&resolved, args, purpose, world)?;
        let identity = access.aws.caller_identity(&access.signer())?;
        let Some(user) = identity.user_name().map(str::to_owned) else {
            return Err(Failure::Keys(KeyError::NotAUsers { profile, arn: identity.arn }));
        };
        let keys = access.aws.access_keys(&access.signer(), &user).map_err(|error| access.failed(error))?;
        access.warn_about_clock(world);
        Ok(Self { profile, access, account: identity.account, user, keys, held_by, in_rotation })
    }

    fn profiles_with(&self, id: &AccessKeyId) -> &[ProfileName] {
        self.held_by.get(id).map_or(&[], Vec::as_slice)
    }

    /// What a key is in the unfinished rotation that has a say in what becomes of it: one that can't be read in that of every
    /// key of the user.
    fn rotating(&self, id: &AccessKeyId) -> Option<&Held> {
        let unreadable = || {
            let of_user = self.keys.iter().filter_map(|key| self.in_rotation.get(&key.id));
            of_user.into_iter().find(|held| held.part == Part::Unreadable)
        };
        self.in_rotation.get(id).or_else(unreadable)
    }

    /// Those that a rotation of a listed key keeps and IAM does not have any more, with the profile whose rotation it is.
    fn gone(&self) -> impl Iterator<Item = (&AccessKeyId, &ProfileName)> {
        let is_listed = |id: &AccessKeyId| self.keys.iter().any(|key| key.id == *id);
        let own = self.in_rotation.iter().filter(move |(id, held)| held.part == Part::Current && is_listed(id));
        own.flat_map(move |(_, own)| self.in_rotation.iter().filter(move |(_, held)| held.profile == own.profile))
            .filter(move |(id, _)| !is_listed(id))
            .map(|(id, held)| (id, &held.profile))
    }

    /// Why that rotation has to be over first: in its grace nothing goes on with it but its end.
    fn unfinished(&self, profile: &ProfileName, now: Timestamp) -> Failure {
        let mut held = self.in_rotation.iter().filter(|(_, held)| held.profile == *profile);
        let kept = held.find_map(|(id, held)| match held.part {
            Part::Old { until: Some(until) } => Some((id, until, false)),
            Part::GivenBack { until: Some(until) } => Some((id, until, true)),
            _ => None,
        });
        match kept {
            Some((off, until, is_undone)) if now < until => {
                Failure::Keys(KeyError::InGrace { profile: profile.clone(), off: off.clone(), until, is_undone })
            }
            _ => Failure::RotationUnfinished(profile.clone()),
        }
    }
}

fn held_by(document: &Document) -> BTreeMap<AccessKeyId, Vec<ProfileName>> {
    let mut held_by: BTreeMap<AccessKeyId, Vec<ProfileName>> = BTreeMap::new();
    for (name, profile) in &document.profiles {
        if let Some(key) = &profile.access_key {
            held_by.entry(key.id.clone()).or_default().push(name.clone());
        }
    }
    held_by
}
