//! Why something was not written, or not for sure. Lines are counted from one; none of this is ever a secret.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::aws_files::config::ConfigError;
use crate::aws_files::file::FileError;
use crate::aws_files::ini::edit::EditError;
use crate::names::{AccessKeyId, ProfileName};

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("another process holds the lock of {}", path.display())]
    LockHeld { path: PathBuf, pid: Option<u32> },
    /// A link, a folder or a pipe stands where the lock should be.
    #[error("the lock {} is not a regular file", path.display())]
    Lock { path: PathBuf },
    /// botocore reads `[DEFAULT]` as what every other section falls back to.
    #[error("section `{name}` of {} has a meaning of its own", path.display())]
    ReservedName { path: PathBuf, name: String },
    /// A section or key that stands there twice, a line that tools read differently, a value that can't be written.
    #[error("{}: {error}", path.display())]
    Edit { path: PathBuf, error: EditError },
    /// Replaced only when told to, and after the caller saved the key in the vault.
    #[error("section `{name}` in line {line} of {} holds a long-term key", path.display())]
    HoldsLongTermKey { path: PathBuf, line: usize, name: String, id: AccessKeyId },
    /// Neither a session nor a key that the vault could take: replacing it would lose it.
    #[error("section `{name}` holds a secret of unknown kind in line {line} of {}", path.display())]
    HoldsUnclearKey { path: PathBuf, line: usize, name: String },
    /// SDKs go by this key of the profile and never get to the session.
    #[error("`{key}` of `{name}` in line {line} of {} comes before a session", path.display())]
    Outranked { path: PathBuf, line: usize, section: String, name: String, key: String },
    /// Another program kept changing the file, or put another long-term key there than the one that was saved.
    #[error("{} was changed by another program meanwhile", path.display())]
    ChangedMeanwhile { path: PathBuf },
    /// The old file stands.
    #[error("can't write {}: {error}", path.display())]
    NotCommitted { path: PathBuf, error: io::Error },
    /// The new file stands, but a power cut may bring the old one back.
    #[error("{} is written but may not survive a power cut: {error}", path.display())]
    CommittedNotDurable { path: PathBuf, error: io::Error },
}

/// Why AWS tools are not told to ask this program. Each names what they would go by instead.
#[derive(Debug, Error)]
pub enum ConfigureError {
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("{}: {error}", path.display())]
    Edit { path: PathBuf, error: EditError },
    /// SDKs sign in by this key of the profile before they run any command.
    #[error("`{key}` of `{name}` in line {line} of {} comes before a credential_process", path.display())]
    SignsInElsewhere { path: PathBuf, line: usize, name: ProfileName, key: String },
    /// The same of a role, which the vault can take over.
    #[error("`{key}` of `{name}` in line {line} of {} comes before a credential_process", path.display())]
    HasRole { path: PathBuf, line: usize, name: ProfileName, key: String },
    /// The profile in the config file holds credentials itself.
    #[error("`{name}` in line {line} of {} holds credentials", path.display())]
    HoldsCredentials { path: PathBuf, line: usize, name: ProfileName, key: String },
    #[error("`{name}` has another credential_process in line {line} of {}", path.display())]
    ForeignProcess { path: PathBuf, line: usize, name: ProfileName, command: String },
    /// In the credentials file; `held` by the vault as the key of this very profile.
    #[error("section `{name}` in line {line} of {} holds a long-term key", path.display())]
    LongTermKey { path: PathBuf, line: usize, name: ProfileName, id: AccessKeyId, held: bool },
    /// Something else in the credentials file that tools go by.
    #[error("`{key}` of section `{name}` in line {line} of {} comes before a credential_process", path.display())]
    ForeignSection { path: PathBuf, line: usize, name: ProfileName, key: String },
}

impl ExportError {
    pub(super) fn edit(path: &Path) -> impl Fn(EditError) -> Self {
        move |error| Self::Edit { path: path.to_owned(), error }
    }
}
