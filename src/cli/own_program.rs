//! The path of this program, for a line that others will start it by.

use std::path::PathBuf;

use crate::process;

use super::failure::Failure;
use super::world::World;

/// As it was started, and where an update puts the next one too; refused where others can put another one there.
pub fn path(world: &World) -> Result<PathBuf, Failure> {
    process::started_program(&world.started_as, &world.environment)
        .map_err(|error| Failure::OwnProgram { name: world.started_as.clone(), error })
}
