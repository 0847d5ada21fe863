//! `pins.toml` in the state folder: what this machine remembers of the vaults it opened. Not secret, but whoever can write
//! it can make an old or a forged vault look right, so it is read as strictly as the vault.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::pin::Pin;
use super::temporary;
use super::untrusted::{Untrusted, trusted};
use crate::disk::{Disk, Folder, LockError, ReadError, Replaced, replace};

const NAME: &str = "pins.toml";
const LOCK: &str = ".pins.toml.lock";
/// A thousand vaults.
const MOST: u64 = 1024 * 1024;
/// Moving a pin takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the pins are kept.
#[derive(Clone)]
pub struct PinFile<'d> {
    disk: &'d dyn Disk,
    folder: PathBuf,
}

/// Why what is remembered can't be had: nothing is opened then, or any old file would do.
#[derive(Debug, Error)]
pub enum PinError {
    #[error("`{}` is damaged", path.display())]
    Damaged { path: PathBuf },
    #[error("`{}` is of a newer version", path.display())]
    Newer { path: PathBuf },
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// What stands where the lock should is no regular file.
    #[error("`{}` is not a regular file", path.display())]
    Lock { path: PathBuf },
    #[error("`{}`: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    #[serde(default, rename = "vault", skip_serializing_if = "Vec::is_empty")]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

const VERSION: u32 = 1;
const COMMENT: &str =
    "# The vaults that this machine has seen, so that a forged, an older or a forked one is told. Not secret.\n\n";

impl<'d> PinFile<'d> {
    pub fn new(disk: &'d dyn Disk, folder: &Path) -> Self {
        Self { disk, folder: folder.to_owned() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// All of them; none where nothing was ever remembered.
    pub fn load(&self) -> Result<Vec<Pin>, PinError> {
        match self.disk.resolve(&self.folder).and_then(|path| self.disk.open_folder(&path)) {
            Ok(folder) => self.load_from(&*folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.io(error)),
        }
    }

    fn load_from(&self, folder: &dyn Folder) -> Result<Vec<Pin>, PinError> {
        trusted(&folder.status().map_err(|error| self.io(error))?, &self.folder)?;
        let (bytes, status) = match folder.read(NAME, MOST) {
            Ok(read) => read,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(ReadError::Io(error)) => return Err(self.io(error)),
            Err(_) => return Err(PinError::Damaged { path: self.path() }),
        };
        trusted(&status, &self.path())?;
        self.decode(&bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<Pin>, PinError> {
        let damaged = || PinError::Damaged { path: self.path() };
        let text = str::from_utf8(bytes).map_err(|_| damaged())?;
        // Before the rest, which a newer version may say in other words: nobody is to remove its file as damaged.
        let VersionOnly { version } = toml::from_str(text).map_err(|_| damaged())?;
        if version > VERSION {
            return Err(PinError::Newer { path: self.path() });
        }
        toml::from_str::<Content>(text).map(|content| content.pins).map_err(|_| damaged())
    }

    /// Remembers a state that is durable. Pins move only upward: a reader that was overtaken changes nothing. Whether the pin
    /// is durable too does not matter: the older one knows this state as a later one.
    pub fn record(&self, pin: Pin) -> Result<(), PinError> {
        self.change(|pins| with(pins, pin)).map(drop)
    }

    /// Remembers the key that a vault is about to be signed with; on the platter when this returns. A vault that is not
    /// remembered needs none.
    pub fn announce(&self, vault_id: &str, key: &str) -> Result<(), PinError> {
        let announced = self.change(|mut pins| {
            pins.iter_mut()
                .filter(|pin| pin.vault_id == vault_id)
                .for_each(|pin| pin.coming_key = Some(key.to_owned()));
            pins
        })?;
        announced.map_err(|error| self.io(error))
    }

    /// Lets go of what is remembered of these places. The vaults that stood there stay known wherever they turn up.
    pub fn forget_places(&self, places: &[PathBuf]) -> Result<(), PinError> {
        let forget = |mut pins: Vec<Pin>| {
            pins.iter_mut().for_each(|pin| pin.places.retain(|place| !places.contains(place)));
            pins
        };
        self.change(forget).map(drop)
    }

    /// Ok(Err(..)) where the change stands but may not be durable.
    fn change(&self, change: impl FnOnce(Vec<Pin>) -> Vec<Pin>) -> Result<io::Result<()>, PinError> {
        self.disk.make_folder(&self.folder).map_err(|error| self.io(error))?;
        let path = self.disk.resolve(&self.folder).map_err(|error| self.io(error))?;
        let folder = self.disk.open_folder(&path).map_err(|error| self.io(error))?;
        let _lock = folder.lock(LOCK, PATIENCE).map_err(|error| match error {
            LockError::Io(error) => self.io(error),
            LockError::Held { .. } => self.io(io::Error::other(error)),
            LockError::NotAFile => PinError::Lock { path: self.folder.join(LOCK) },
        })?;
        let old = self.load_from(&*folder)?;
        let new = change(old.clone());
        if new == old { Ok(Ok(())) } else { self.write(&*folder, new).map_err(|error| self.io(error)) }
    }

    fn write(&self, folder: &dyn Folder, pins: Vec<Pin>) -> io::Result<io::Result<()>> {
        temporary::sweep(folder, NAME);
        let text = toml::to_string(&Content { version: VERSION, pins }).map_err(io::Error::other)?;
        let bytes = [COMMENT, &text].concat();
        match replace(folder, NAME, &temporary::fresh_name(NAME)?, 0o600, bytes.as_bytes(), || Ok(())) {
            Replaced::Committed => Ok(Ok(())),
            Replaced::CommittedNotDurable(error) => Ok(Err(error)),
            Replaced::NotCommitted(error) => Err(error),
        }
    }

    fn io(&self, error: io::Error) -> PinError {
        PinError::Io { path: self.path(), error }
    }
}

/// Whether this pin says more than what is remembered already.
pub fn is_news(pins: &[Pin], pin: &Pin) -> bool {
    with(pins.to_vec(), pin.clone()) != pins
}

/// The pins with this one moved or added. A place belongs to one vault: the one that was last accepted there.
fn with(mut pins: Vec<Pin>, mut new: Pin) -> Vec<Pin> {
    for other in pins.iter_mut().filter(|pin| pin.vault_id != new.vault_id) {
        other.places.retain(|place| !new.places.contains(place));
    }
    let Some(old) = pins.iter_mut().find(|pin| pin.vault_id == new.vault_id) else {
        pins.push(new);
        return pins;
    };
    let unknown: Vec<_> = new.places.iter().filter(|place| !old.places.contains(place)).cloned().collect();
    old.places.extend(unknown);
    if new.generation > old.generation {
        new.places.clone_from(&old.places);
        new.replaced_keys.clone_from(&old.replaced_keys);
        if new.signing_key != old.signing_key {
            new.replaced_keys.push(old.signing_key.clone());
        }
        *old = new;
    }
    pins
}

#[cfg(test)]
mod tests;
