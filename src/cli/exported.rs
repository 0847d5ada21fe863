//! What `login` wrote of a profile to `~/.aws/credentials`, and taking it back.

use crate::export::credentials_file::{Exported, remove_exported};
use crate::names::{AccessKeyId, ProfileName};
use crate::session::Cache;
use crate::store::document::Document;

use super::escape::escape;
use super::failure::Failure;
use super::world::World;

/// Takes the profile's sessions out, wherever they were written to; names the sections.
pub fn take_back(
    name: &ProfileName,
    document: &Document,
    cache: &Cache,
    world: &World,
) -> Result<Vec<String>, Failure> {
    take_out(name, destination(name, document), &sessions(name, cache), world)
}

/// Where its sessions are written to, if not to its own name.
pub fn destination<'d>(name: &ProfileName, document: &'d Document) -> Option<&'d ProfileName> {
    document.profiles.get(name)?.destination_profile.as_ref()
}

/// What it has sessions by.
pub fn sessions(name: &ProfileName, cache: &Cache) -> Vec<AccessKeyId> {
    let of_profile = cache.list().into_iter().filter(|record| record.slot().profile == *name);
    of_profile.map(|record| record.credentials.access_key_id).collect()
}

/// The same where these sessions are all that is known of.
pub fn take_out(
    name: &ProfileName,
    destination: Option<&ProfileName>,
    sessions: &[AccessKeyId],
    world: &World,
) -> Result<Vec<String>, Failure> {
    let names: Vec<ProfileName> = [Some(name), destination].into_iter().flatten().cloned().collect();
    let exported = Exported::Of { names: &names, sessions };
    Ok(remove_exported(world.disk, &world.paths.aws_credentials, exported)?)
}

pub fn say_removed(sections: &[String], why: &str, world: &World) {
    if sections.is_empty() {
        return;
    }
    let file = escape(&world.paths.shown(&world.paths.aws_credentials));
    let sections: Vec<String> = sections.iter().map(|name| format!("[{}]", escape(name))).collect();
    world.say(&format!("removed {} from {file}{why}", sections.join(", ")));
}
