//! The one place that touches the file system. A trait, so that tests can put a disk under the program that loses power,
//! runs full or fails at any chosen operation.
//!
//! Files are reached through an opened folder and by name, never again by path: whoever can swap a component of a path
//! between two calls can't redirect us.

mod holders;
mod real;
mod replace;
mod room;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

pub use holders::{PassingLock, Told, is_any, tell};
pub use real::RealDisk;
pub use replace::{Replaced, replace};
pub use room::{MayWrite, Room};

/// The patience of who takes a lock that others look at: while they look it can't be taken.
pub const LOOKED_AT: Duration = Duration::from_millis(100);

/// What a file system can do for us.
pub trait Disk: Send + Sync {
    /// Follows every symlink in `path` and says where it leads; the last component need not exist.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// What stands at a path, symlinks followed; None where nothing does. Opens no file.
    fn status_at(&self, path: &Path) -> io::Result<Option<Status>> {
        let found = self.resolve(path).and_then(|path| {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
                return Ok(None);
            };
            self.open_folder(folder)?.entry(name)
        });
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }

    /// Whether a folder takes new files; None where there is none, or nobody can tell.
    fn room_at(&self, _path: &Path) -> io::Result<Option<Room>> {
        Ok(None)
    }

    /// Opens a folder; later calls on it are by name within it.
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>>;

    /// None where it is missing.
    fn open_folder_if_there(&self, path: &Path) -> io::Result<Option<Box<dyn Folder>>> {
        match self.open_folder(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Reads what a person named by path, symlinks followed: also a pipe, as the shell's `<(...)` gives.
    fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError>;

    /// Makes a folder and those above it where they are missing, each mode 0700 and durable before the next.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
}

/// An opened folder.
pub trait Folder: Send {
    fn status(&self) -> io::Result<Status>;

    /// What stands under a name, symlinks not followed; None where nothing does.
    fn entry(&self, name: &str) -> io::Result<Option<Status>>;

    /// Reads a regular file, never through a symlink; more than `limit` bytes are [`ReadError::TooLarge`].
    fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError>;

    /// The same, and makes the content of the very file that was read durable. Its name may still be in the air: see
    /// [`Folder::sync`].
    fn read_synced(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.read_synced_from(name, 0, limit)
    }

    /// The same, but gives only what comes after the first `from` bytes. The limit is the whole file's.
    fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError>;

    /// Creates a file that must not exist yet, mode 0600.
    fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>>;

    /// Adds to the end of a file by a single write, making it (0600) where it is missing; never through a symlink.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    fn link(&self, from: &str, to: &str) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;

    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes renames, links and removals in this folder durable.
    fn sync(&self) -> io::Result<()>;

    /// Takes the exclusive lock on the file `name` (0600, made where missing, holding the owner's pid for people to read), which
    /// stands in the folder then. It is gone when dropped or when the process dies.
    fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError>;

    /// Waits until nobody holds that lock. It makes no file and writes in none, so that who looks is not taken for who holds it;
    /// but see [`LOOKED_AT`].
    fn await_unlocked(&self, name: &str, patience: Duration) -> Result<(), LockError>;

    /// Takes away the file of a lock, unless somebody holds it.
    fn remove_unlocked(&self, name: &str) -> Result<(), LockError>;
}

/// A file being written.
pub trait NewFile: Send {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Narrows or widens the permission bits.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;

    fn sync(&mut self) -> io::Result<()>;

    /// What the file holds now, from its start.
    fn read_back(&mut self) -> io::Result<Vec<u8>>;
}

/// Held while it lives.
pub trait Lock: Send {}

/// What fstat says, in the parts we decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    pub kind: Kind,
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Permission bits only, sticky bit included.
    pub mode: u32,
    pub owner: u32,
    /// Nanoseconds since 1970.
    pub modified: i128,
    pub changed: i128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    Symlink,
    Other,
}

impl Status {
    /// Whether others may change what stands here. A sticky folder (`/tmp`) lets everybody add but only owners replace.
    pub fn others_can_write(&self) -> bool {
        let sticky_folder = self.kind == Kind::Folder && self.mode & 0o1000 != 0;
        self.mode & 0o022 != 0 && !sticky_folder
    }

    /// Ours, or the administrator's.
    pub fn trusted_owner(&self) -> bool {
        self.owner == 0 || self.ours()
    }

    /// A folder that nobody but us can enter: another user could else put a file of theirs in the place of one of ours.
    pub fn is_private_folder(&self) -> bool {
        self.kind == Kind::Folder && self.ours() && self.mode & 0o077 == 0
    }

    pub fn ours(&self) -> bool {
        self.owner == rustix::process::geteuid().as_raw()
    }
}

#[derive(Debug, Error)]
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
}

impl ReadError {
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Where it makes no difference what the file is instead.
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            other => io::Error::other(other),
        }
    }
}

#[derive(Debug, Error)]
pub enum LockError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("locked by another process")]
    Held { pid: Option<u32> },
    /// A link, a folder or a pipe stands where the lock should be.
    #[error("the lock is not a regular file")]
    NotAFile,
}
