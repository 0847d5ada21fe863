//! The processes that hold locks in a folder, each its own: told, and waited for until they let go.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Disk, Lock, LockError};

/// Who was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// How many there were.
    pub told: usize,
    /// Those that did not let go in time, by their pids.
    pub still: Vec<Option<u32>>,
}

/// This process's own lock in a folder, which is made; gone with the process.
pub fn hold(disk: &dyn Disk, path: &Path) -> io::Result<Box<dyn Lock>> {
    disk.make_folder(path)?;
    disk.open_folder(path)?.lock(&name(), Duration::ZERO).map_err(|error| match error {
        LockError::Io(error) => error,
        other => io::Error::other(other),
    })
}

/// Takes away what that left in the folder.
pub fn let_go(disk: &dyn Disk, path: &Path) {
    // An empty file that stays is in nobody's way.
    let _ = disk.open_folder(path).and_then(|folder| folder.remove(&name()));
}

fn name() -> String {
    format!("{}.lock", std::process::id())
}

/// Tells each process that holds a lock in this folder, then waits for all of them.
pub fn tell_holders(disk: &dyn Disk, path: &Path, patience: Duration, tell: impl Fn(u32)) -> io::Result<Holders> {
    let folder = match disk.open_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holders::default()),
        folder => folder?,
    };
    let names = folder.names()?.into_iter().filter(|name| name.ends_with(".lock"));
    let held = |patience| {
        let folder = &folder;
        move |name: &String| match folder.lock(name, patience) {
            Err(LockError::Held { pid }) => Some(pid),
            // One that can't be looked at is one that somebody may have.
            Err(LockError::Io(_)) => Some(None),
            // Whatever else stands there, nobody holds it.
            Ok(_) | Err(LockError::NotAFile) => None,
        }
    };
    let holding: Vec<(String, Option<u32>)> =
        names.filter_map(|name| Some((name.clone(), held(Duration::ZERO)(&name)?))).collect();
    holding.iter().filter_map(|(_, pid)| *pid).for_each(tell);
    let told_at = Instant::now();
    let left = || patience.saturating_sub(told_at.elapsed());
    let still = holding.iter().filter_map(|(name, _)| held(left())(name)).collect();
    Ok(Holders { told: holding.len(), still })
}
