//! Uses of a vault's keys that this machine's log does not explain: told where somebody may know whose they are.

use crate::cli::report;
use crate::cli::world::World;
use crate::log::{Entry, Files, Text};
use crate::rotate::own_calls::OwnCalls;
use crate::rotate::run::Rotation;

pub fn tell(rotation: &Rotation, world: &World) {
    if rotation.own_uses().next().is_none() {
        return;
    }
    let (entries, now) = (entries(world), world.clock.now());
    for (key, used) in rotation.own_uses() {
        if let Some(last) = OwnCalls::of(&entries, key).unexplained(used, now) {
            report::strange_use(world, &rotation.profile, key, last);
        }
    }
}

/// A log that can't be read explains nothing, and none is suspected of anything then.
fn entries(world: &World) -> Vec<Entry> {
    let files = Files::read(world.disk, &world.paths.state).unwrap_or_default();
    files.each().into_iter().flat_map(|(_, bytes)| Text::of(bytes).entries).collect()
}
