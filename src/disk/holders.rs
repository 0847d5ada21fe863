//! The processes that hold locks in a folder: told, and waited for until they let go. A file that has a process's number for its
//! name is for that process's lock alone.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Disk, Folder, LOOKED_AT, Lock, LockError};

/// Whoever has taken a lock has written its pid by then; and whoever only takes a file away that nobody needs has let go of it.
const SETTLED: Duration = Duration::from_millis(20);

/// A lock whose file goes with it. Where the process is ended before, the file stays and is nobody's.
pub struct PassingLock {
    folder: Box<dyn Folder>,
    name: String,
    _lock: Box<dyn Lock>,
}

impl PassingLock {
    /// In this folder, which is made.
    pub fn take(disk: &dyn Disk, path: &Path, name: String, patience: Duration) -> Result<Self, LockError> {
        disk.make_folder(path)?;
        let folder = disk.open_folder(path)?;
        let lock = folder.lock(&name, patience)?;
        Ok(Self { folder, name, _lock: lock })
    }

    /// This process's own.
    pub fn own(disk: &dyn Disk, path: &Path) -> Result<Self, LockError> {
        Self::take(disk, path, own_name(std::process::id()), LOOKED_AT)
    }

    /// Takes away what others left beside it.
    pub fn sweep(&self) {
        sweep(&*self.folder, &self.folder.names().unwrap_or_default());
    }
}

impl Drop for PassingLock {
    fn drop(&mut self) {
        // Before it is let go of: who waits for it sees then that it is gone.
        let _ = self.folder.remove(&self.name);
    }
}

fn own_name(pid: u32) -> String {
    format!("{pid}.lock")
}

/// The process whose own lock has this name.
fn owner(name: &str) -> Option<u32> {
    let number: u32 = name.strip_suffix(".lock")?.parse().ok()?;
    // A user's lock has a name in hexadecimals, which may be digits alone.
    (name == own_name(number)).then_some(number)
}

/// Who was told.
pub struct Told {
    /// None where nobody was.
    folder: Option<Box<dyn Folder>>,
    locks: Vec<String>,
    until: Instant,
}

impl Told {
    /// How many there were.
    pub fn number(&self) -> usize {
        self.locks.len()
    }

    /// Waits until all have let go, or have had their time for it. Gives the pids of those that have not.
    pub fn wait(self) -> Vec<Option<u32>> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let left = || self.until.saturating_duration_since(Instant::now());
        let still = self.locks.iter().filter_map(|name| holder(&**folder, name, left())).collect();
        sweep(&**folder, &self.locks);
        still
    }
}

/// Tells each process that holds a lock in this folder, and gives it so long to let go.
pub fn tell(disk: &dyn Disk, path: &Path, patience: Duration, say: impl Fn(u32)) -> io::Result<Told> {
    let until = Instant::now() + patience;
    let Some(folder) = disk.open_folder_if_there(path)? else {
        return Ok(Told { folder: None, locks: Vec::new(), until });
    };
    let (held, free): (Vec<String>, _) =
        locks(&*folder)?.partition(|name| folder.await_unlocked(name, Duration::ZERO).is_err());
    sweep(&*folder, &free);
    if !held.is_empty() {
        std::thread::sleep(SETTLED);
    }
    let mut told = Vec::new();
    for name in held {
        let Some(pid) = holder(&*folder, &name, Duration::ZERO) else { continue };
        pid.into_iter().for_each(&say);
        told.push(name);
    }
    Ok(Told { folder: Some(folder), locks: told, until })
}

/// Whether any process holds a lock in this folder.
pub fn is_any(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    let Some(folder) = disk.open_folder_if_there(path)? else { return Ok(false) };
    Ok(locks(&*folder)?.any(|name| holder(&*folder, &name, Duration::ZERO).is_some()))
}

fn locks(folder: &dyn Folder) -> io::Result<impl Iterator<Item = String>> {
    Ok(folder.names()?.into_iter().filter(|name| name.ends_with(".lock")))
}

/// Who holds a lock after so long; None where nobody does.
fn holder(folder: &dyn Folder, name: &str, patience: Duration) -> Option<Option<u32>> {
    match folder.await_unlocked(name, patience) {
        Err(LockError::Held { pid }) => Some(owner(name).or(pid)),
        // One that can't be looked at is one that somebody may have.
        Err(LockError::Io(_)) => Some(None),
        // Whatever else stands there, nobody holds it.
        Ok(()) | Err(LockError::NotAFile) => None,
    }
}

/// Takes away what is left of locks that nobody holds.
fn sweep(folder: &dyn Folder, names: &[String]) {
    for name in names.iter().filter(|name| owner(name).is_some()) {
        // One that stays is in nobody's way.
        let _ = folder.remove_unlocked(name);
    }
}

#[cfg(test)]
mod tests;
