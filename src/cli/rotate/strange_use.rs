//! Uses of a vault's keys that this machine's log does not explain: told where somebody may know whose they are.

use std::cell::OnceCell;

use crate::cli::report;
use crate::cli::world::World;
use crate::log::{Entry, Files, Text};
use crate::rotate::own_calls::OwnCalls;
use crate::rotate::run::Rotation;

/// What the log had when it was first needed, for all the keys of a run.
#[derive(Default)]
pub struct StrangeUses(OnceCell<Vec<Entry>>);

impl StrangeUses {
    pub fn tell(&self, rotation: &Rotation, world: &World) {
        let now = world.clock.now();
        for (key, used) in rotation.own_uses() {
            let entries = self.0.get_or_init(|| entries(world));
            if let Some(last) = OwnCalls::of(entries, key).unexplained(used, now) {
                report::strange_use(world, &rotation.profile, key, last);
            }
        }
    }
}

/// A log that can't be read explains nothing, and none is suspected of anything then.
fn entries(world: &World) -> Vec<Entry> {
    let files = Files::read(world.disk, &world.paths.state).unwrap_or_default();
    files.each().into_iter().flat_map(|(_, bytes)| Text::of(bytes).entries).collect()
}
