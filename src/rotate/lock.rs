//! One run at a time for a user's keys: two that list and create at once would each take the other's key for a stranger's.

use std::io;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::disk::{Disk, Lock, LockError};

const FOLDER: &str = "rotations";

/// Held from a run's first list to its last save; gone with the process.
pub type UserLock = Box<dyn Lock>;

#[derive(Debug, Error)]
pub enum LockTaken {
    #[error("another run is at it")]
    Running { pid: Option<u32> },
    #[error("the lock could not be taken: {0}")]
    Io(#[from] io::Error),
}

/// A turn of a rotation ends within the time that a call to AWS may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells every run to end, and waits until it has: a run holds keys, and may hold what opens the vault. Gives the pids of
/// those that do not end.
pub fn end_all(disk: &dyn Disk, state: &Path, tell: impl Fn(u32)) -> io::Result<Vec<Option<u32>>> {
    let folder = match disk.open_folder(&state.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        folder => folder?,
    };
    let names = folder.names()?.into_iter().filter(|name| name.ends_with(".lock"));
    let held = |patience| {
        let folder = &folder;
        move |name: &String| match folder.lock(name, patience) {
            Err(LockError::Held { pid }) => Some(pid),
            // Whatever else stands there, no run holds it.
            Ok(_) | Err(LockError::Io(_) | LockError::NotAFile) => None,
        }
    };
    let running: Vec<(String, Option<u32>)> =
        names.filter_map(|name| Some((name.clone(), held(Duration::ZERO)(&name)?))).collect();
    running.iter().filter_map(|(_, pid)| *pid).for_each(tell);
    Ok(running.iter().filter_map(|(name, _)| held(PATIENCE)(name)).collect())
}

/// For the user with this ARN, in the state folder: whatever profile or vault the key is in.
pub fn take(disk: &dyn Disk, state: &Path, user_arn: &str) -> Result<UserLock, LockTaken> {
    let folder = state.join(FOLDER);
    disk.make_folder(&folder)?;
    let name: String = Sha256::digest(user_arn)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    disk.open_folder(&folder)?.lock(&format!("{name}.lock"), Duration::ZERO).map_err(|error| match error {
        LockError::Held { pid } => LockTaken::Running { pid },
        LockError::Io(error) => LockTaken::Io(error),
        LockError::NotAFile => LockTaken::Io(io::Error::from(io::ErrorKind::InvalidInput)),
    })
}
