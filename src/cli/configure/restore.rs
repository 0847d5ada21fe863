//! `vault configure --restore`.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::opening;
use crate::cli::report::configure as words;
use crate::cli::settings::OF_A_PROFILE;
use crate::cli::world::World;
use crate::export::process_line::{self, Back, ROLE_KEYS};
use crate::names::ProfileName;
use crate::store::document::Profile;

use super::take_over;

/// What becomes of a role that was taken over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The profile has none.
    None,
    /// As it came; it goes back, and out of the vault.
    Returns,
    /// It was changed since: it goes back as it is now, and stays in the vault too.
    Stays,
}

/// The config file first, the vault when that is sure to last: a crash between leaves the role in both, and running it again
/// finishes.
pub fn run(name: &ProfileName, as_json: bool, world: &World) -> Result<(), Failure> {
    // Without a vault there is still the line.
    let mut vault = opening::open_if_there(world)?;
    let profile = vault.as_ref().and_then(|vault| vault.document().profiles.get(name));
    let role = profile.map_or(Role::None, role);
    let lines = profile.map(take_over::lines).unwrap_or_default();
    let settings = profile.filter(|_| role == Role::Stays).map(settings).unwrap_or_default();
    let back = match role {
        Role::Stays => Back::Settings(settings.iter().map(|(key, value)| (*key, value.as_str())).collect()),
        Role::None | Role::Returns => Back::Lines(&lines),
    };
    let restored = process_line::restore(world.disk, &world.paths.aws_config, name, &back)?;
    if let (Some(vault), true) = (&mut vault, role != Role::None) {
        vault.edit(&world.stamp(), |document| {
            let profile = document.profiles.get_mut(name);
            // Another process may have changed it since.
            if profile.as_deref().is_some_and(take_over::is_as_it_came) {
                document.profiles.remove(name);
            } else if let Some(profile) = profile {
                profile.taken_over.clear();
            }
            Ok::<(), Failure>(())
        })?;
    }
    let removed_profile = role == Role::Returns;
    words::say_restored(world, name, &restored, role);
    if as_json {
        return world.print_json(json!({
            "name": name,
            "config": world.paths.aws_config,
            "removed_line": restored.removed_line,
            "removed_section": restored.removed_section,
            "restored": restored.keys,
            "removed_profile": removed_profile,
        }));
    }
    Ok(())
}

fn role(profile: &Profile) -> Role {
    match profile.taken_over.is_empty() {
        true => Role::None,
        false if take_over::is_as_it_came(profile) => Role::Returns,
        false => Role::Stays,
    }
}

/// Of a role, under the names of the config file. A profile that has a key by now is none any more.
fn settings(profile: &Profile) -> Vec<(&'static str, String)> {
    let of_role = OF_A_PROFILE.iter().filter(|setting| ROLE_KEYS.contains(&setting.name));
    let settings = of_role.filter_map(|setting| Some((setting.name, (setting.get)(profile)?)));
    settings.filter(|_| profile.access_key.is_none()).collect()
}
