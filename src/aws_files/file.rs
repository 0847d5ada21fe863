//! Getting at an AWS file: where it really is, whether it may be believed, and what it holds.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::disk::{Disk, Folder, Status};
use crate::secret::SecretBytes;

/// No AWS file of a person comes near this; what does is a mistake or an attempt to exhaust us.
pub const LIMIT: u64 = 16 << 20;

/// Why a file is not read. Whoever can write to these files chooses which credentials other programs of ours run with.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("can't read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("others can write to {} (mode {mode:o})", path.display())]
    OthersCanWrite { path: PathBuf, mode: u32 },
    #[error("{} belongs to another user (uid {owner})", path.display())]
    ForeignOwner { path: PathBuf, owner: u32 },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
}

/// An AWS file in its opened folder. Links are followed once; what they lead to is what is read and replaced, so that the
/// links stay.
pub struct AwsFile {
    path: PathBuf,
    name: String,
    folder: Box<dyn Folder>,
}

/// What a file held when it was read; nothing and no status where there was none.
pub struct Contents {
    pub bytes: SecretBytes,
    pub status: Option<Status>,
}

impl AwsFile {
    /// Opens the folder of the file, which itself need not exist. None where the folder doesn't either.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, FileError> {
        let _ = (disk, path);
        todo!()
    }

    pub fn read(&self) -> Result<Contents, FileError> {
        todo!()
    }

    /// With every link resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn folder(&self) -> &dyn Folder {
        &*self.folder
    }
}

/// The bytes of a file, none where it is missing.
pub fn read(disk: &dyn Disk, path: &Path) -> Result<SecretBytes, FileError> {
    let _ = (disk, path);
    todo!()
}
