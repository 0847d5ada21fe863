//! The cached sessions of an opened vault, for the commands that list or drop them.

use crate::aws_files::config::ConfigFile;
use crate::aws_files::credentials::CredentialsFile;
use crate::duration;
use crate::names::ProfileName;
use crate::session::{Asked, Cache, Ladder, Options, SessionKey};
use crate::store::document::Document;

use super::escape::escape;
use super::failure::Failure;
use super::resolved;
use super::world::World;

pub fn cache<'a>(world: &World<'a>, document: &Document) -> Result<Cache<'a>, Failure> {
    let key = SessionKey::of(&document.session.identity, &document.meta.vault_id)
        .map_err(|error| Failure::Cache(error.into()))?;
    Ok(Cache::new(world.disk, &world.paths.state, key))
}

/// Says that what `login` wrote under a name that is no profile's any more is still there.
pub fn say_what_stays(world: &World, name: &ProfileName) {
    // Only a word on the side: a file that can't be read has its own commands to say so.
    let Ok(file) = CredentialsFile::load(world.disk, &world.paths.aws_credentials) else { return };
    if file.section(name.as_str()).is_some_and(|section| section.written_by_us) {
        let path = escape(&world.paths.shown(&world.paths.aws_credentials));
        world.say(&format!("[{name}] stays in {path}; `vault logout {name}` removes it"));
    }
}

/// Of a profile, or of all: who has a session that lasts otherwise than is set now hears that it is not used any more.
pub fn say_which_are_of_another_duration(
    name: Option<&ProfileName>,
    document: &Document,
    world: &World,
) -> Result<(), Failure> {
    // Only a word on the side.
    let Ok(config) = ConfigFile::load(world.disk, &world.paths.aws_config) else { return Ok(()) };
    let now = world.clock.now();
    for record in cache(world, document)?.list() {
        let slot = record.slot();
        let is_meant = name.is_none_or(|name| slot.profile == *name) && slot.asked == Asked::default();
        if !is_meant || record.lifetime().expires <= now || record.ladder.duration_asked {
            continue;
        }
        let Ok(chain) = resolved::chain(&slot.profile, document, &config) else { continue };
        let ladder = Ladder::of(&chain, &Options::default(), record.ladder.endpoint.as_ref());
        let wanted = ladder.ok().map(|ladder| ladder.rungs[ladder.last()].duration);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != record.rung().duration) {
            let (had, wanted) = (duration::words(record.rung().duration), duration::words(wanted));
            world.say(&format!(
                "the session of `{}` that is at hand is for {had}: the next is a new one, for {wanted}",
                slot.profile
            ));
        }
    }
    Ok(())
}

/// Drops a profile's cached sessions as part of another command: what can't be dropped expires by itself.
pub fn forget(world: &World, document: &Document, name: &ProfileName) {
    let dropped = cache(world, document).and_then(|cache| cache.remove(name).map_err(Failure::Cache));
    if dropped.is_err() {
        world.warn("cached sessions could not be dropped; they end by themselves");
    }
}
