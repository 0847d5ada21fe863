//! Puts new bytes in the place of a file so that a reader, and the next start after a power cut, finds the old file or the
//! new one and nothing in between.

use std::io;

use super::Folder;

/// How replacing a file ended. The difference decides what may be done next, so who folds it into one error says which way.
#[derive(Debug)]
#[must_use]
pub enum Replaced {
    /// The old file stands; the new bytes are nowhere.
    NotCommitted(io::Error),
    /// The new file stands and survives a power cut.
    Committed,
    /// The new file stands now, but a power cut may bring the old one back.
    CommittedNotDurable(io::Error),
}

impl Replaced {
    /// For who is content with a new file that a power cut may take again: what it says can be found out anew.
    pub fn in_force(self) -> io::Result<()> {
        match self {
            Self::Committed | Self::CommittedNotDurable(_) => Ok(()),
            Self::NotCommitted(error) => Err(error),
        }
    }

    /// For who tries again where the new file may not stay: writing the same a second time does no harm.
    pub fn durable(self) -> io::Result<()> {
        match self {
            Self::Committed => Ok(()),
            Self::CommittedNotDurable(error) | Self::NotCommitted(error) => Err(error),
        }
    }
}

/// Writes `bytes` to the temporary name beside `name`, proves them readable, and renames. The caller holds the lock, and
/// calls `before_rename` its last chance: an error there leaves the old file.
pub fn replace(
    folder: &dyn Folder,
    name: &str,
    temporary: &str,
    mode: u32,
    bytes: &[u8],
    before_rename: impl FnOnce() -> io::Result<()>,
) -> Replaced {
    let prepared = write_and_prove(folder, temporary, mode, bytes).and_then(|()| before_rename());
    if let Err(error) = prepared.and_then(|()| folder.rename(temporary, name)) {
        // Failing to sweep it up now leaves a 0600 file that the next save sweeps.
        let _ = folder.remove(temporary);
        return Replaced::NotCommitted(error);
    }
    match folder.sync() {
        Ok(()) => Replaced::Committed,
        Err(error) => Replaced::CommittedNotDurable(error),
    }
}

fn write_and_prove(folder: &dyn Folder, temporary: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = folder.create(temporary)?;
    file.write(bytes)?;
    if mode != 0o600 {
        file.set_mode(mode)?;
    }
    file.sync()?;
    if file.read_back()? != bytes {
        return Err(io::Error::other("what was read back is not what was written"));
    }
    Ok(())
}
