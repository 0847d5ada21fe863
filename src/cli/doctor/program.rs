//! Which program this is, and whether the name alone leads to it.

use std::path::Path;

use crate::cli::own_program;
use crate::cli::world::World;
use crate::process;

use super::finding::Finding;

const ABOUT: &str = "program";

pub fn look(world: &World) -> Finding {
    let (Ok(this), version) = (own_program::file(world), env!("CARGO_PKG_VERSION")) else {
        return Finding::note(ABOUT, "where this program is can't be told");
    };
    let shown = world.paths.shown(&this);
    if let Err(error) = process::check_program(&this) {
        return Finding::problem(ABOUT, format!("{shown}, version {version}: {error}"))
            .next(format!("let nobody but you change it: `chmod go-w {shown}`, and its folders"));
    }
    match process::first_on_path("vault", &world.environment) {
        Some(first) if process::is_script(&first) => {
            let first = world.paths.shown(&first);
            Finding::note(ABOUT, format!("{shown}, version {version}; `vault` is a script on PATH, {first}"))
        }
        Some(first) if !is_same(&first, &this) => {
            let first = world.paths.shown(&first);
            Finding::problem(ABOUT, format!("`vault` is another program on PATH, {first}; this one is {shown}"))
                .next("put the folder of this one first in PATH, or link it by another name: it answers to any")
        }
        Some(_) => Finding::good(ABOUT, format!("{shown}, version {version}")),
        None => Finding::note(ABOUT, format!("{shown}, version {version}; not on PATH by the name `vault`")),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok() == other.canonicalize().ok()
}
