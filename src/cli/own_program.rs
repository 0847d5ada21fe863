//! The path of this program, for a line that others will start it by.

use std::io;
use std::path::{Path, PathBuf};

use crate::process;
use crate::quick::{QUICK, VAULT};

use super::failure::Failure;
use super::world::World;

/// As it was started, and where an update puts the next one too; refused where others can put another one there.
pub fn path(world: &World) -> Result<PathBuf, Failure> {
    process::started_program(&world.started_as, &world.environment)
        .map_err(|error| Failure::OwnProgram { name: world.started_as.clone(), error })
}

/// The same for AWS tools, which wait for it each time: the small program, where that lies beside this one and would hand over
/// to this very file.
pub fn path_for_aws_tools(world: &World) -> Result<PathBuf, Failure> {
    let program = path(world)?;
    Ok(quick_beside(&program, world).unwrap_or(program))
}

/// The small program beside this one.
pub fn quick_beside(program: &Path, world: &World) -> Option<PathBuf> {
    let quick = program.with_file_name(QUICK);
    let hands_over_to = world.disk.resolve(&quick).ok()?.with_file_name(VAULT);
    let is_ours = file(world).is_ok_and(|this| this == hands_over_to);
    (is_ours && process::check_program(&quick).is_ok()).then_some(quick)
}

/// This program's own file, or the one that an update has put in its place meanwhile. What macOS says is what it was started by,
/// which may be a link.
pub fn file(world: &World) -> io::Result<PathBuf> {
    let file = world.disk.resolve(&std::env::current_exe()?)?;
    if world.disk.status_at(&file)?.is_some() {
        return Ok(file);
    }
    let started = process::started_program(&world.started_as, &world.environment).map_err(io::Error::other)?;
    world.disk.resolve(&started)
}
