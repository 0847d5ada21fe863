//! Roles of the config file for which AWS tools have nothing to start from, as after the key of their source has gone into the
//! vault; and those that they ask a code for besides.

use crate::aws_files::provider::Files;
use crate::aws_files::role_source::RoleWithoutSource;
use crate::cli::report::role_source as words;
use crate::cli::world::World;

use super::files::line_of;
use super::finding::Finding;
use super::inside::Inside;

const ABOUT: &str = "roles";

pub fn look(inside: &Inside, world: &World) -> Vec<Finding> {
    // What is wrong with a file is told where files are looked at.
    let Ok(files) = Files::load(world.disk, &world.paths) else { return Vec::new() };
    let without_source = files.roles_without_source(&[]);
    let with_code = files.roles_with_code();
    let with_code = with_code
        .iter()
        .map(|role| Finding::note(ABOUT, words::with_code(role, world)).next(words::taken_over(&[&role.role])));
    without_source.iter().map(|role| finding(role, inside, world)).chain(with_code).collect()
}

fn finding(role: &RoleWithoutSource, inside: &Inside, world: &World) -> Finding {
    let found = words::without_source(std::slice::from_ref(role), world);
    let is_known = inside.names().is_none_or(|names| names.contains(&&role.source));
    let next = if is_known { words::way_on(role) } else { words::another_source() };
    Finding::problem(ABOUT, found).next(next).at(line_of(&world.paths.aws_config, role.line))
}
