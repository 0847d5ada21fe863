//! Words about roles of the config file that AWS tools can't sign in to: their source has no credentials.

use crate::aws_files::role_source::{RoleWithCode, RoleWithoutSource};
use crate::cli::escape::escape;
use crate::cli::world::World;
use crate::names::ProfileName;

/// Of roles that have one source. Not escaped: that is for who shows it.
pub fn without_source(roles: &[RoleWithoutSource], world: &World) -> String {
    format!("AWS tools find no credentials for {}", whose(roles, world))
}

/// What there is to do about it.
pub fn way_on(role: &RoleWithoutSource) -> String {
    match role.has_mfa {
        true => taken_over(&[&role.role]),
        false => asking(&role.source),
    }
}

/// Where the vault has no profile of that name either.
pub fn another_source() -> String {
    "write a profile there that the vault has: `vault list` shows them".to_owned()
}

/// A role for which AWS tools ask for a code beside the vault's.
pub fn with_code(role: &RoleWithCode, world: &World) -> String {
    let config = world.paths.shown(&world.paths.aws_config);
    let RoleWithCode { role, source, line } = role;
    format!(
        "AWS tools ask for an MFA code of their own for the role `{role}`, beside that of `{source}`: its mfa_serial, {config}:{line}"
    )
}

/// Neither the role's source nor its `mfa_serial` counts for them then.
pub fn taken_over(roles: &[&ProfileName]) -> String {
    let commands: Vec<String> = roles.iter().map(|role| format!("`vault configure {role} --take-over`")).collect();
    format!("{}: AWS tools ask this vault for the role, which takes no code but the vault's", commands.join(", "))
}

fn asking(source: &ProfileName) -> String {
    format!(
        "`vault configure {source}` has AWS tools ask this vault for it; `vault login {source}` gives them a session"
    )
}

/// Before the key of their source is taken out of its file.
pub fn say_to_come(roles: &[RoleWithoutSource], profile: &ProfileName, world: &World) {
    world.warn(&escape(&format!(
        "without the plaintext AWS tools will find no credentials for {}",
        whose(roles, world)
    )));
    hint(roles, profile, world);
}

/// After that.
pub fn say(roles: &[RoleWithoutSource], profile: &ProfileName, world: &World) {
    world.warn(&escape(&without_source(roles, world)));
    hint(roles, profile, world);
}

/// `profile` is what the vault calls the key of their source.
fn hint(roles: &[RoleWithoutSource], profile: &ProfileName, world: &World) {
    match roles.first().filter(|role| role.source != *profile) {
        Some(_) => world.hint(&format!(
            "write `source_profile = {profile}` there, and `vault configure {profile}` has AWS tools ask this vault for it"
        )),
        None => {
            let (with_mfa, others): (Vec<_>, Vec<_>) = roles.iter().partition(|role| role.has_mfa);
            let with_mfa: Vec<&ProfileName> = with_mfa.into_iter().map(|role| &role.role).collect();
            if !others.is_empty() {
                world.hint(&asking(profile));
            }
            if !with_mfa.is_empty() {
                world.hint(&taken_over(&with_mfa));
            }
        }
    }
}

fn whose(roles: &[RoleWithoutSource], world: &World) -> String {
    let config = world.paths.shown(&world.paths.aws_config);
    let named: Vec<String> = roles.iter().map(|role| format!("`{}` ({config}:{})", role.role, role.line)).collect();
    let source = roles.first().map(|role| role.source.as_str()).unwrap_or_default();
    match &named[..] {
        [one] => format!("the role {one}: its source_profile `{source}` has none"),
        all => format!("the roles {}: their source_profile `{source}` has none", all.join(", ")),
    }
}
