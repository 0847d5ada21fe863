//! Words about roles of the config file that AWS tools can't sign in to: their source has no credentials.

use crate::aws_files::role_source::RoleWithoutSource;
use crate::cli::escape::escape;
use crate::cli::world::World;
use crate::names::ProfileName;

/// Of roles that have one source. Not escaped: that is for who shows it.
pub fn without_source(roles: &[RoleWithoutSource], world: &World) -> String {
    format!("AWS tools find no credentials for {}", whose(roles, world))
}

/// What there is to do about it.
pub fn way_on(source: &ProfileName) -> String {
    format!(
        "`vault configure {source}` has AWS tools ask this vault for it; `vault login {source}` gives them a session"
    )
}

/// Before the key of their source is taken out of its file.
pub fn say_to_come(roles: &[RoleWithoutSource], profile: &ProfileName, world: &World) {
    world.warn(&escape(&format!("then AWS tools will find no credentials for {}", whose(roles, world))));
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
        None => world.hint(&way_on(profile)),
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
