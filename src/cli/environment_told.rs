//! A word to the person where variables of this shell go before every profile.

use super::world::World;

/// These win over every profile in every AWS tool, so a session would be written and not used.
pub fn warn_about_environment(world: &World) {
    let set: Vec<&str> = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        .into_iter()
        .filter(|name| world.environment.get(name).is_some())
        .collect();
    if !set.is_empty() {
        world.warn(&format!("{} set in this shell; AWS tools use that before any profile", set.join(", ")));
        world.hint("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN");
    }
}
