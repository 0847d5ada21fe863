//! The commands that are settings: what would start them is looked for when they are given, not at the rotation that fails.

use crate::process;

use super::escape::escape;
use super::world::World;

const SETTINGS: [&str; 2] = ["mfa_process", "rotate_hook"];

/// Taken as it was said: the program may be still to come, or another machine's.
pub fn warn_where_none_would_start(setting: &str, value: &str, world: &World) {
    if SETTINGS.contains(&setting)
        && let Err(why) = process::could_start(value, &world.environment)
    {
        world.warn(&format!("{setting}: {}", escape(&why.to_string())));
    }
}
