//! Why something was not written, or not for sure.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::aws_files::file::FileError;
use crate::disk::LockError;
use crate::names::AccessKeyId;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("can't lock {}: {error}", path.display())]
    Lock { path: PathBuf, error: LockError },
    /// botocore reads `[DEFAULT]` as defaults for every section.
    #[error("`{name}` has a meaning of its own in {}", path.display())]
    ReservedName { path: PathBuf, name: String },
    #[error("{}:{line}: section `{name}` stands here a second time", path.display())]
    DuplicateSection { path: PathBuf, line: usize, name: String },
    #[error("{}:{line}: `{key}` stands here a second time", path.display())]
    DuplicateKey { path: PathBuf, line: usize, key: String },
    /// The SDKs would not agree on what the file says after our edit.
    #[error("{}:{line}: AWS tools differ in how they read this", path.display())]
    ReadDifferently { path: PathBuf, line: usize },
    /// Replaced only when the caller asks for it, after it saved the key in the vault.
    #[error("{}:{line}: section `{name}` holds a long-term key", path.display())]
    HoldsLongTermKey { path: PathBuf, line: usize, name: String, id: AccessKeyId },
    /// What stands there can't be taken into the vault, so replacing it would lose it.
    #[error("{}:{line}: section `{name}` holds half a key or one of an unknown shape", path.display())]
    HoldsUnclearKey { path: PathBuf, line: usize, name: String },
    /// The SDKs never get to the session: this key of the profile comes first with them.
    #[error("{}:{line}: `{key}` of profile `{name}` outranks a session in the credentials file", path.display())]
    Outranked { path: PathBuf, line: usize, name: String, key: &'static str },
    #[error("`{key}` can't be written on one line that all AWS tools read alike")]
    Unwritable { key: &'static str },
    /// The long-term key to be replaced is not the one that was there before.
    #[error("{} was changed by another program meanwhile", path.display())]
    ChangedMeanwhile { path: PathBuf },
    /// The old file stands.
    #[error("can't write {}: {error}", path.display())]
    NotCommitted { path: PathBuf, error: io::Error },
    /// The new file stands, but a power cut may bring the old one back.
    #[error("{} is written, but not known to survive a power cut: {error}", path.display())]
    CommittedNotDurable { path: PathBuf, error: io::Error },
}
