//! The cached sessions of an opened vault, for the commands that list or drop them.

use crate::names::ProfileName;
use crate::session::Cache;
use crate::store::document::Document;

use super::failure::Failure;
use super::world::World;

pub fn cache<'a>(world: &World<'a>, document: &Document) -> Result<Cache<'a>, Failure> {
    Cache::new(world.disk, &world.paths.state, &document.session.identity, &document.meta.vault_id)
        .map_err(Failure::Cache)
}

/// Drops a profile's cached sessions as part of another command: what can't be dropped expires by itself.
pub fn forget(world: &World, document: &Document, name: &ProfileName) {
    let dropped = cache(world, document).and_then(|cache| cache.remove(name).map_err(Failure::Cache));
    if dropped.is_err() {
        world.warn("cached sessions could not be dropped; they end by themselves");
    }
}
