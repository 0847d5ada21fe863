//! Takes sessions that are over out of `~/.aws/credentials`: they open nothing any more, and whoever finds one there looks for
//! the fault in the wrong place.

use crate::export::credentials_file::{Exported, remove_exported};
use crate::session::Record;

use super::exported;
use super::world::World;

/// By AWS's clock, as this session knows it: a machine's own may be days off, and what lives on must stay. Whatever is wrong
/// with the file is told of by who needs it.
pub fn sweep(world: &World, session: &Record) {
    let expired = Exported::Expired { now: session.aws_time(world.clock.now()) };
    let removed = remove_exported(world.disk, &world.paths.aws_credentials, expired).unwrap_or_default();
    exported::say_removed(&removed, ": expired; `vault login` writes another", world);
}
