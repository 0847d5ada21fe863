//! Files and folders of the store that others could change.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::disk::Status;

/// Somebody else could put another file in the vault's place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Untrusted {
    #[error("`{}` belongs to user {owner}", path.display())]
    Owner { path: PathBuf, owner: u32 },
    #[error("`{}` can be changed by others (mode {mode:o})", path.display())]
    Writable { path: PathBuf, mode: u32 },
}

pub(super) fn trusted(status: &Status, path: &Path) -> Result<(), Untrusted> {
    if !status.trusted_owner() {
        return Err(Untrusted::Owner { path: path.to_owned(), owner: status.owner });
    }
    if status.others_can_write() {
        return Err(Untrusted::Writable { path: path.to_owned(), mode: status.mode });
    }
    Ok(())
}
