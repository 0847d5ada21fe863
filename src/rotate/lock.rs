//! One run at a time for a user's keys: two that list and create at once would each take the other's key for a stranger's.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::disk::{self, Disk, LOOKED_AT, Lock, LockError, Told};

const FOLDER: &str = "rotations";

/// Held from a run's first list to its last save; gone with the process.
pub type UserLock = Box<dyn Lock>;

#[derive(Debug, Error)]
pub enum LockTaken {
    #[error("another run is at it")]
    Running { pid: Option<u32> },
    /// A link, a folder or a pipe stands where the lock should be.
    #[error("the lock {} is not a regular file", path.display())]
    Lock { path: PathBuf },
    #[error("the lock could not be taken: {0}")]
    Io(#[from] io::Error),
}

/// A turn of a rotation ends within the time that a call to AWS may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells every run, and is to be waited for: a run holds keys, and may hold what opens the vault.
pub fn tell_all(disk: &dyn Disk, state: &Path, say: impl Fn(u32)) -> io::Result<Told> {
    disk::tell(disk, &state.join(FOLDER), PATIENCE, say)
}

/// For the user with this ARN, in the state folder: whatever profile or vault the key is in.
pub fn take(disk: &dyn Disk, state: &Path, user_arn: &str) -> Result<UserLock, LockTaken> {
    let folder = state.join(FOLDER);
    disk.make_folder(&folder)?;
    let name = format!("{}.lock", HEXLOWER.encode(&Sha256::digest(user_arn)[..16]));
    disk.open_folder(&folder)?.lock(&name, LOOKED_AT).map_err(|error| match error {
        LockError::Held { pid } => LockTaken::Running { pid },
        LockError::Io(error) => LockTaken::Io(error),
        LockError::NotAFile => LockTaken::Lock { path: folder.join(&name) },
    })
}
