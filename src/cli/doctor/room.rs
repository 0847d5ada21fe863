//! Whether what is to be saved can be: room on the disk, and folders that take new files. Every save writes a new file beside the
//! old one.

use std::path::{Path, PathBuf};

use crate::cli::escape::typed_path;
use crate::cli::world::World;
use crate::disk::{MayWrite, Room};

use super::finding::Finding;
use super::folders::place;

/// For what goes with a save: what is remembered of the vault, a session's record, a line in the log.
const BESIDE: u64 = 16 * 1024;

/// What keeps a folder from taking a new file.
#[derive(Debug, PartialEq, Eq)]
enum Lack {
    Mounted,
    Permission,
    Bytes { free: u64 },
    Files,
}

pub fn look(world: &World) -> Vec<Finding> {
    let paths = &world.paths;
    let vault = place(&paths.vault, world);
    // The file that stands is kept, by a copy where there are no links.
    let standing = world.disk.status_at(&vault).ok().flatten();
    let size = standing.map_or(0, |status| status.size);
    let of_a_vault = size.saturating_mul(2).saturating_add(BESIDE);
    // The administrator's is read and never saved.
    let own = standing.is_none_or(|status| status.ours()).then(|| ("vault", folder_of(&vault), of_a_vault));
    let others = [
        ("state", paths.state.clone(), BESIDE),
        ("aws files", folder_of(&place(&paths.aws_credentials, world)), BESIDE),
        ("aws files", folder_of(&place(&paths.aws_config, world)), BESIDE),
    ];
    let folders = own.into_iter().chain(others);
    folders.filter_map(|(about, folder, needed)| of_folder(about, &folder, needed, world)).collect()
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(file).to_owned()
}

/// Where it is still to be made, what it will be made in. What can't be known is told by whoever tries.
fn of_folder(about: &'static str, folder: &Path, needed: u64, world: &World) -> Option<Finding> {
    let there = |folder: &Path| Some((folder.to_owned(), world.disk.room_at(folder).ok()??));
    let (folder, room) = folder.ancestors().find_map(there)?;
    Some(finding(about, &folder, lack(&room, needed)?, needed, world))
}

fn lack(room: &Room, needed: u64) -> Option<Lack> {
    match room.may_write {
        MayWrite::ReadOnly => Some(Lack::Mounted),
        MayWrite::No => Some(Lack::Permission),
        MayWrite::Yes if room.free < needed => Some(Lack::Bytes { free: room.free }),
        MayWrite::Yes if !room.takes_files => Some(Lack::Files),
        MayWrite::Yes => None,
    }
}

fn finding(about: &'static str, folder: &Path, lack: Lack, needed: u64, world: &World) -> Finding {
    let (shown, typed) = (world.paths.shown(folder), typed_path(folder));
    let problem = |found: String, next: String| Finding::problem(about, found).next(next);
    let disk = || world.disk.status_at(folder).ok().flatten().map(|status| status.device).unwrap_or_default();
    match lack {
        Lack::Mounted => problem(
            format!("{shown} is on a read-only file system: nothing can be saved there"),
            format!("have it mounted for writing: `findmnt --target {typed}` shows by what it is mounted"),
        )
        .at(folder.display()),
        Lack::Permission => problem(
            format!("you may make no file in {shown}: nothing can be saved there"),
            format!("`chmod u+wx {typed}`, or as root `chown {} {typed}`", rustix::process::geteuid().as_raw()),
        )
        .at(folder.display()),
        // One disk that is full is one trouble, whatever is on it.
        Lack::Bytes { free } => problem(
            format!(
                "the disk of {shown} is full: {} kB are left, and a save may take {} kB",
                free / 1000,
                needed / 1000
            ),
            format!("make room: `df -h {typed}` shows which disk it is"),
        )
        .at(format!("disk {}", disk())),
        Lack::Files => problem(
            format!("the disk of {shown} takes no more files"),
            format!("remove some: `df -i {typed}` shows which disk it is"),
        )
        .at(format!("disk {}", disk())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lacks_what_a_save_takes_and_what_no_room_would_help_with_comes_first() {
        let room = Room { may_write: MayWrite::Yes, free: 100, takes_files: true };
        let denied = |may_write| Room { may_write, free: 0, takes_files: false };
        for (room, lacks) in [
            (room, None),
            (Room { free: 99, ..room }, Some(Lack::Bytes { free: 99 })),
            (Room { takes_files: false, ..room }, Some(Lack::Files)),
            (denied(MayWrite::No), Some(Lack::Permission)),
            (denied(MayWrite::ReadOnly), Some(Lack::Mounted)),
        ] {
            assert_eq!(lack(&room, 100), lacks, "{room:?}");
        }
    }
}
