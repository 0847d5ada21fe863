//! The vault's file and the folders of ours: whose they are, and who else can get at them.

use std::path::Path;

use crate::cli::world::World;
use crate::disk::{Kind, Status};

use super::finding::Finding;

const ABOUT: &str = "vault";

pub fn look(world: &World) -> Vec<Finding> {
    let vault = vault(world);
    let folders = [("state", Some(world.paths.state.as_path())), (ABOUT, world.paths.vault.parent())];
    let folders = folders.into_iter().filter_map(|(about, folder)| self::folder(about, folder?, world));
    [vault].into_iter().chain(folders).collect()
}

fn vault(world: &World) -> Finding {
    let shown = world.paths.shown(&world.paths.vault);
    match world.disk.status_at(&world.paths.vault) {
        Ok(None) => Finding::problem(ABOUT, format!("there is none at {shown}"))
            .next("`vault init` makes one, `vault import` one with the keys that lie in ~/.aws; or set VAULT_FILE"),
        Err(error) => Finding::problem(ABOUT, format!("{shown} can't be looked at: {error}")),
        Ok(Some(status)) if status.kind != Kind::File => {
            Finding::problem(ABOUT, format!("{shown} is not a regular file"))
        }
        Ok(Some(status)) => open_to_others(ABOUT, &world.paths.vault, &status, 0o077, world)
            .unwrap_or_else(|| Finding::good(ABOUT, format!("{shown}, {} bytes, for you alone", status.size))),
    }
}

/// Nothing where it is as it should be, or is not there yet.
fn folder(about: &'static str, path: &Path, world: &World) -> Option<Finding> {
    let status = world.disk.status_at(path).ok().flatten()?;
    // Names and sizes are no secret; what could be put in place of a file is the trouble.
    open_to_others(about, path, &status, 0o022, world)
}

fn open_to_others(about: &'static str, path: &Path, status: &Status, bits: u32, world: &World) -> Option<Finding> {
    let shown = world.paths.shown(path);
    if !status.trusted_owner() {
        let found = format!("{shown} belongs to another user (uid {})", status.owner);
        return Some(
            Finding::problem(about, found).next(format!("as that user or root: `chown {} {shown}`", own_user())),
        );
    }
    let sticky = status.kind == Kind::Folder && status.mode & 0o1000 != 0;
    if status.mode & bits == 0 || sticky {
        return None;
    }
    let (can, mend) = if status.mode & 0o022 != 0 { ("change", "go-w") } else { ("read", "go-rwx") };
    let mend = if status.kind == Kind::File { "600" } else { mend };
    let found = format!("others can {can} {shown} (mode {:o})", status.mode);
    Some(Finding::problem(about, found).next(format!("`chmod {mend} {shown}`")))
}

fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}
