//! Takes sessions that are over out of `~/.aws/credentials`: they open nothing any more, and whoever finds one there looks for
//! the fault in the wrong place.

use crate::export::credentials_file::{Exported, remove_exported};

use super::escape::escape;
use super::world::World;

/// Whatever is wrong with the file is told of by who needs it.
pub fn sweep(world: &World) {
    let expired = Exported::Expired { now: world.clock.now() };
    let removed = remove_exported(world.disk, &world.paths.aws_credentials, expired).unwrap_or_default();
    if !removed.is_empty() {
        let sections: Vec<String> = removed.iter().map(|name| format!("[{}]", escape(name))).collect();
        let file = escape(&world.paths.shown(&world.paths.aws_credentials));
        world.say(&format!("removed {} from {file}: expired", sections.join(", ")));
    }
}
