//! The folders that files of ours are in, and those above them up to the root: who can change one of them can put other files in
//! their place.

use std::path::{Path, PathBuf};

use crate::cli::world::World;
use crate::disk::{Kind, Status};

use super::finding::Finding;

pub fn look(world: &World) -> Vec<Finding> {
    let paths = &world.paths;
    // Where the vault is a link, its folder and the one that the link leads to.
    let vault = world.disk.resolve(&paths.vault).unwrap_or_else(|_| paths.vault.clone());
    let own = [("state", Some(&*paths.state)), ("vault", paths.vault.parent()), ("vault", vault.parent())];
    let own = own.into_iter().filter_map(|(about, folder)| Some((about, folder?)));
    let above = own.clone().flat_map(|(_, folder)| folder.ancestors().skip(1)).chain(paths.home.ancestors());
    let above = above.map(|folder| ("folders", folder));
    own.chain(above).filter_map(|(about, path)| folder(about, path, world)).collect()
}

/// Nothing where it is as it should be, or is not there yet.
fn folder(about: &'static str, path: &Path, world: &World) -> Option<Finding> {
    let status = world.disk.status_at(path).ok().flatten()?;
    let shown = world.paths.shown(path);
    // Names and sizes are no secret; what could be put in place of a file is the trouble.
    let finding = foreign(about, &shown, &status).or_else(|| open_to_others(about, &shown, &status, 0o022))?;
    Some(finding.at(place(path, world).display()))
}

/// The same for every link that leads to it.
pub fn place(path: &Path, world: &World) -> PathBuf {
    world.disk.resolve(path).unwrap_or_else(|_| path.to_owned())
}

/// Where it belongs to another user.
pub fn foreign(about: &'static str, shown: &str, status: &Status) -> Option<Finding> {
    let owner = (!status.trusted_owner()).then_some(status.owner)?;
    let own = rustix::process::geteuid().as_raw();
    let finding = Finding::problem(about, format!("{shown} belongs to another user (uid {owner})"));
    Some(finding.next(format!("as that user or root: `chown {own} {shown}`")))
}

/// Where others have one of these permissions.
pub fn open_to_others(about: &'static str, shown: &str, status: &Status, bits: u32) -> Option<Finding> {
    let sticky = status.kind == Kind::Folder && status.mode & 0o1000 != 0;
    if status.mode & bits == 0 || sticky {
        return None;
    }
    let can = if status.mode & 0o022 != 0 { "change" } else { "read" };
    let mend = if status.kind == Kind::File { "600" } else { "go-w" };
    let found = format!("others can {can} {shown} (mode {:o})", status.mode);
    Some(Finding::problem(about, found).next(format!("`chmod {mend} {shown}`")))
}
