//! Roles of `~/.aws/config` whose source loses the key that goes into the vault: the vault signs in to them as before, AWS tools
//! by themselves don't.

use std::collections::BTreeMap;

use crate::aws_files::provider::Files;
use crate::aws_files::role_source::RoleWithoutSource;
use crate::cli::world::World;
use crate::import::found::Origin;
use crate::import::plan::Row;
use crate::names::ProfileName;

/// Roles of one source, and what the vault calls the key of that.
pub struct Sourceless {
    pub roles: Vec<RoleWithoutSource>,
    pub profile: ProfileName,
}

/// Which of them there are once the keys are gone. `removed`: they are. A file that can't be read is none of an import's.
pub fn sourceless(held: &[(&Row, &Origin)], removed: bool, world: &World) -> Vec<Sourceless> {
    let here = held.iter().filter(|(_, origin)| origin.path.as_ref() == Some(&world.paths.aws_credentials));
    let sections: BTreeMap<&str, ProfileName> =
        here.filter_map(|(row, origin)| Some((origin.section.as_deref()?, row.name.parse().ok()?))).collect();
    let Ok(files) = Files::load(world.disk, &world.paths) else { return Vec::new() };
    let emptied: Vec<&str> = sections.keys().copied().filter(|_| !removed).collect();
    let mut by_source: BTreeMap<ProfileName, Vec<RoleWithoutSource>> = BTreeMap::new();
    for role in files.roles_without_source(&emptied) {
        by_source.entry(role.source.clone()).or_default().push(role);
    }
    let of_ours =
        |(source, roles): (ProfileName, _)| Some(Sourceless { roles, profile: sections.get(source.as_str())?.clone() });
    by_source.into_iter().filter_map(of_ours).collect()
}
