//! What is remembered of the identity that opens the vault where nobody attends, so that it can be told of and taken back. The
//! identity itself is not in here.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::remembered::{self, Unreadable};
use crate::disk::{Disk, replace};

/// In the state folder.
pub const FILE: &str = "unattended.json";
const IDENTITY: &str = "unattended.identity";
const CREDENTIAL: &str = "unattended.credential";
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
pub struct UnattendedIdentity {
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
        Keeper::File => Some(state.join(IDENTITY)),
        Keeper::Systemd => Some(state.join(CREDENTIAL)),
        Keeper::Keychain => None,
    }
}

impl UnattendedIdentity {
    pub fn load(disk: &dyn Disk, state: &Path) -> Result<Option<Self>, Unreadable> {
        remembered::load(disk, state, FILE, MOST)
    }

    /// Before the identity is made: what is remembered of one that is not there is taken back without it.
    pub fn save(&self, disk: &dyn Disk, state: &Path) -> io::Result<()> {
        disk.make_folder(state)?;
        let folder = disk.open_folder(state)?;
        // Left by one that was killed.
        let _ = folder.remove(TEMPORARY);
        replace(&*folder, FILE, TEMPORARY, 0o600, &serde_json::to_vec(self)?, || Ok(())).durable()
    }

    /// Removes the identity where a file has it, whichever that is, and then what is remembered of it.
    pub fn forget(disk: &dyn Disk, state: &Path) -> io::Result<()> {
        let Some(folder) = disk.open_folder_if_there(state)? else { return Ok(()) };
        for name in [IDENTITY, CREDENTIAL, FILE, TEMPORARY] {
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
        assert_eq!(UnattendedIdentity::load(&RealDisk, &state).unwrap(), None);
        let kept = UnattendedIdentity {
            name: "unattended-laptop".to_owned(),
            recipient: "age1x".to_owned(),
            keeper: Keeper::File,
            made: Timestamp::UNIX_EPOCH,
        };
        kept.save(&RealDisk, &state).unwrap();
        assert_eq!(UnattendedIdentity::load(&RealDisk, &state).unwrap(), Some(kept.clone()));
        let file = identity_file(&state, Keeper::File).unwrap();
        std::fs::write(&file, "identity").unwrap();
        UnattendedIdentity::forget(&RealDisk, &state).unwrap();
        assert!(!file.exists());
        assert_eq!(UnattendedIdentity::load(&RealDisk, &state).unwrap(), None);
        UnattendedIdentity::forget(&RealDisk, &state).unwrap();
    }
}
