//! What `[default]` gives in AWS's files: tools that are told no profile, as beside an endpoint, take that first.

use crate::aws_files::provider::{Files, Provider, providers};
use crate::paths::Environment;

use super::failure::Failure;
use super::world::World;

const DEFAULT: &str = "default";

/// Its place, as the failure of what it would make useless.
pub fn find(world: &World) -> Result<Option<Failure>, Failure> {
    let files = Files::load(world.disk, &world.paths)?;
    // What variables bring is taken away.
    let providers = providers(&Environment::default(), files.sections(&DEFAULT.parse()?)?);
    let (path, line) = match providers.first() {
        None | Some(Provider::Variables | Provider::WebIdentityVariables | Provider::Container) => return Ok(None),
        Some(Provider::Section(section)) => (&world.paths.aws_credentials, section.line),
        Some(Provider::ConfigKeys(section)) => (&world.paths.aws_config, section.line),
        Some(Provider::Config { line, .. } | Provider::Process { line, .. }) => (&world.paths.aws_config, *line),
    };
    Ok(Some(Failure::DefaultFirst { path: path.clone(), line }))
}
