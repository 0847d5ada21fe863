//! Words about access keys as IAM has them, and about roles there.

use crate::cli::escape::escape;
use crate::cli::keys::{Act, KeyError, Risk};
use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};

use super::point_in_time::minute;
use super::{Report, Status};

pub fn report(error: &KeyError) -> Report {
    match error {
        KeyError::NotAUsers { profile, arn } => Report::new(
            Status::State,
            format!("`{profile}` has the key of `{}`, and IAM lists keys of users only", escape(arn)),
        )
        .hint("the AWS console shows a root user's keys, under Security credentials"),
        KeyError::NotSaid { user, keys } => {
            Report::new(Status::Usage, format!("which key? {} has {}", escape(user), listed(keys)))
                .hint("name it by its id, or by the last four of it")
        }
        KeyError::NoSuchKey { given, user, keys } => Report::new(
            Status::State,
            format!("{} has no access key `{}`; it has {}", escape(user), escape(given), listed(keys)),
        ),
        KeyError::InGrace { profile, off, until, is_undone } => {
            let off = off.short();
            let back = format!("; `vault rotate {profile} --undo` takes {off} back instead");
            let back = if *is_undone { "" } else { &back };
            Report::new(
                Status::State,
                format!("the rotation of `{profile}` is in its grace, and {off} is deleted after {}", minute(*until)),
            )
            .hint(format!(
                "`vault rotate {profile} --now --force` deletes {off} now, and then the other key can be changed{back}"
            ))
        }
    }
}

fn listed(keys: &[AccessKeyId]) -> String {
    let ids: Vec<String> = keys.iter().map(AccessKeyId::short).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(" and ") }
}

/// As they stand in a sentence.
pub fn names<N: std::fmt::Display>(profiles: &[N]) -> String {
    let names: Vec<String> = profiles.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// What a change could break, before it is confirmed.
/// One that `could_be_rotated` would be switched off by that too.
pub fn key_risks(
    world: &World,
    risks: &[Risk],
    id: &AccessKeyId,
    user: &str,
    profiles: &[ProfileName],
    could_be_rotated: bool,
) {
    let rotated = profiles.first().filter(|_| could_be_rotated).map(instead_of_switching_off).unwrap_or_default();
    for risk in risks {
        world.warn(&match risk {
            Risk::OnlyWorkingKey => format!("{} is the only working key of {}", id.short(), escape(user)),
            Risk::InTheVault => {
                format!("{} is the key that the vault has for {}{}", id.short(), names(profiles), rotated)
            }
            Risk::Active => format!("{} is active, and may be in use", id.short()),
            Risk::Replaced => format!(
                "{} has a newer key that works: was {} replaced on another machine? then `vault import --vault FILE` brings the \
                 newer one from there",
                escape(user),
                id.short()
            ),
        });
    }
}

/// Where somebody else has the key, and its owner is not to be left with none.
fn instead_of_switching_off(profile: &ProfileName) -> String {
    format!("; `vault rotate {profile} --now` switches it off with another in its place")
}

/// A key that IAM does not list, though a rotation counts on it.
pub fn key_of_rotation_gone(world: &World, id: &AccessKeyId, profile: &ProfileName) {
    world.warn(&format!("{} of the rotation of `{profile}` is not at AWS any more", id.short()));
    rotation_goes_on(world, profile);
}

/// Of the profile whose key was switched on.
pub fn rotation_goes_on(world: &World, profile: &ProfileName) {
    world.hint(&format!("`vault rotate {profile} --resume` goes on with the rotation that is not over"));
}

pub fn key_unchanged(world: &World, act: Act, id: &AccessKeyId, user: &str) {
    let status = if act == Act::Enable { "active" } else { "inactive" };
    world.say(&format!("{} of {} is {status} already", id.short(), escape(user)));
}

/// What was done, what it means for the vault, and the way back.
pub fn key_changed(
    world: &World,
    act: Act,
    id: &AccessKeyId,
    user: &str,
    profile: &ProfileName,
    holders: &[ProfileName],
) {
    let (key, user) = (id.short(), escape(user));
    match act {
        Act::Disable => {
            world.say(&format!("{key} of {user} is inactive"));
            world.say("sessions that were made with it live on until they expire, whoever has them");
            let back = format!("`vault keys enable {profile} {key}` switches it on again, while a session is left");
            match holders.first() {
                Some(holder) => world.hint(&format!(
                    "another key for `{holder}`: make one in the console, then `vault add {holder} --replace`; {back}"
                )),
                None => world.hint(&back),
            }
        }
        Act::Enable => {
            world.say(&format!("{key} of {user} is active; that may take some seconds to be known everywhere"))
        }
        Act::Delete => {
            world.say(&format!("{key} of {user} is deleted"));
            if let Some(holder) = holders.first() {
                world.warn(&format!("{} can't sign in any more", names(holders)));
                world.hint(&format!("`vault add {holder} --replace` stores another key"));
            }
        }
    }
}
