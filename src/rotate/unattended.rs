//! What is remembered of the identity that opens the vault where nobody attends, so that it can be told of and taken back. The
//! identity itself is not in here.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, Replaced, replace};

const FILE: &str = "unattended.json";
const TEMPORARY: &str = ".unattended.json.tmp";
const MOST: u64 = 64 * 1024;

/// Who keeps the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// A file of mode 0600.
    File,
    /// A file that systemd encrypted for this user of this machine.
    Systemd,
    Keychain,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name among the vault's recipients.
    pub name: String,
    /// `age1...`
    pub recipient: String,
    pub keeper: Keeper,
    pub made: Timestamp,
}

/// Where a keeper that is a file has it.
pub fn identity_file(state: &Path, keeper: Keeper) -> Option<PathBuf> {
    match keeper {
        Keeper::File => Some(state.join("unattended.identity")),
        Keeper::Systemd => Some(state.join("unattended.credential")),
        Keeper::Keychain => None,
    }
}

impl Kept {
    pub fn load(disk: &dyn Disk, state: &Path) -> io::Result<Option<Self>> {
        let folder = match disk.open_folder(state) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        match folder.read(FILE, MOST) {
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(io::Error::other(error)),
            Ok((bytes, _)) => Ok(Some(serde_json::from_slice(&bytes)?)),
        }
    }

    /// Before the identity is made: what is remembered of one that is not there is taken back without it.
    pub fn save(&self, disk: &dyn Disk, state: &Path) -> io::Result<()> {
        disk.make_folder(state)?;
        let folder = disk.open_folder(state)?;
        // Left by one that was killed.
        let _ = folder.remove(TEMPORARY);
        match replace(&*folder, FILE, TEMPORARY, 0o600, &serde_json::to_vec(self)?, || Ok(())) {
            Replaced::Committed => Ok(()),
            Replaced::CommittedNotDurable(error) | Replaced::NotCommitted(error) => Err(error),
        }
    }

    /// Removes the identity where a file has it, and then what is remembered of it.
    pub fn forget(&self, disk: &dyn Disk, state: &Path) -> io::Result<()> {
        let folder = disk.open_folder(state)?;
        let identity = identity_file(state, self.keeper);
        let identity = identity.as_ref().and_then(|path| path.file_name()?.to_str());
        for name in identity.into_iter().chain([FILE, TEMPORARY]) {
            match folder.remove(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
            folder.sync()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn what_is_remembered_goes_with_the_identity() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        assert_eq!(Kept::load(&RealDisk, &state).unwrap(), None);
        let kept = Kept {
            name: "unattended-laptop".to_owned(),
            recipient: "age1x".to_owned(),
            keeper: Keeper::File,
            made: Timestamp::UNIX_EPOCH,
        };
        kept.save(&RealDisk, &state).unwrap();
        assert_eq!(Kept::load(&RealDisk, &state).unwrap(), Some(kept.clone()));
        let file = identity_file(&state, Keeper::File).unwrap();
        std::fs::write(&file, "identity").unwrap();
        kept.forget(&RealDisk, &state).unwrap();
        assert!(!file.exists());
        assert_eq!(Kept::load(&RealDisk, &state).unwrap(), None);
        kept.forget(&RealDisk, &state).unwrap();
    }
}
