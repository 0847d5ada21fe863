//! Where the vault is kept: a file in a folder. Loading is lax about who may read and strict about who may write; saving
//! leaves at every instant either the old file or the new one.

mod gone;
mod whole;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::header::{self, HeaderError, MAX_FILE};
use super::kdf::KdfParameters;
use super::pin::Pin;
use super::pins::{PinError, PinFile};
use super::plugin::{PluginHost, Plugins};
use super::untrusted::{Untrusted, trusted};
use super::{kept, temporary};
use crate::disk::{Disk, Folder, Lock, LockError, ReadError, Replaced, Status, replace};

pub use gone::Gone;
use gone::{gone, known};

/// A save takes milliseconds; who waits longer than this waits for something that hangs.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// Where a vault is or will be.
#[derive(Clone)]
pub struct Place<'d> {
    disk: &'d dyn Disk,
    path: PathBuf,
    pins: PinFile<'d>,
    plugins: Plugins<'d>,
}

/// The file as it stood, still closed.
pub struct Loaded {
    pub bytes: Vec<u8>,
    pub hash: [u8; 32],
    pub status: Status,
    /// What this machine remembers of vaults. Read before the file: a save that comes between the two is a later state of
    /// what is remembered, and never an earlier one.
    pub pins: Vec<Pin>,
    /// The paths of the file: as named, and where symlinks lead.
    pub places: Vec<PathBuf>,
}

#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no such file")]
    Missing,
    /// There was one, as this machine remembers.
    #[error("the vault that was there is missing")]
    Gone(Box<Gone>),
    #[error("not a regular file")]
    NotAFile,
    #[error("larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error(transparent)]
    Pins(#[from] PinError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why nothing was saved. What stood there stands.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("locked by another process")]
    Locked { pid: Option<u32> },
    /// Nobody but a stranger puts anything else there.
    #[error("`{}` is not a regular file", path.display())]
    Lock { path: PathBuf },
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Reading it is fine, but a save would make it ours.
    #[error("the file belongs to user {owner}")]
    NotOurs { owner: u32 },
    /// A single file mounted into a container can't be replaced, and writing over it would not survive a crash.
    #[error("the file is a mount point")]
    Mounted,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// How a save ended.
#[derive(Debug)]
#[must_use]
pub enum Saved {
    NotCommitted(SaveError),
    Committed(Status),
    /// The new file stands, but a power cut may bring the old one back.
    CommittedNotDurable(Status, io::Error),
}

impl<'d> Place<'d> {
    /// The vault at `path`, and in the state folder what this machine remembers of it.
    pub fn new(disk: &'d dyn Disk, path: &Path, state: &Path) -> Self {
        Self { disk, path: path.to_owned(), pins: PinFile::new(disk, state), plugins: Plugins::none() }
    }

    /// The same place, where recipients and identities of age plugins are of use.
    pub fn with_plugins(self, host: &'d dyn PluginHost) -> Self {
        Self { plugins: Plugins::new(host), ..self }
    }

    pub fn plugins(&self) -> &Plugins<'d> {
        &self.plugins
    }

    pub fn pins(&self) -> &PinFile<'d> {
        &self.pins
    }

    /// As named, and where symlinks lead.
    pub fn places(&self) -> Vec<PathBuf> {
        let resolved = self.disk.resolve(&self.path).ok().filter(|resolved| *resolved != self.path);
        [Some(self.path.clone()), resolved].into_iter().flatten().collect()
    }

    /// Makes the file of this hash durable, if it stands here: the save that made it may not have come to its end, and a sync
    /// program does not wait for the disk.
    pub(super) fn make_durable(&self, hash: &[u8; 32]) -> io::Result<()> {
        let spot = self.opened()?;
        let (bytes, _) = spot.folder.read_synced(&spot.name, MAX_FILE).map_err(ReadError::into_io)?;
        if Sha256::digest(&bytes).as_slice() != hash {
            return Err(io::Error::other("another file stands there now"));
        }
        spot.folder.sync()
    }

    /// As it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether anything stands there, of whatever kind.
    pub fn exists(&self) -> io::Result<bool> {
        match self.opened() {
            Ok(spot) => Ok(spot.folder.entry(&spot.name)?.is_some()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub fn load(&self) -> Result<Loaded, LoadError> {
        let pins = self.pins.load()?;
        match self.load_with(pins) {
            Err(LoadError::Missing) => Err(gone(&self.pins, &self.places(), self.opened().ok().as_ref())?),
            loaded => loaded,
        }
    }

    fn load_with(&self, pins: Vec<Pin>) -> Result<Loaded, LoadError> {
        let spot = self.opened().map_err(missing_or_io)?;
        spot.check_folder()?;
        spot.load(pins, self.places())
    }

    /// What stood here, if this machine remembers any.
    pub fn known(&self) -> Result<Option<Pin>, PinError> {
        known(&self.pins, &self.places())
    }

    /// Makes the folder, closed to others, where there is none.
    pub fn make_folder(&self) -> io::Result<()> {
        let path = self.disk.resolve(&self.path)?;
        self.disk.make_folder(path.parent().unwrap_or(Path::new("/")))
    }

    /// Copies that a sync program made where two machines saved at once; they may hold what this file lacks.
    pub fn conflicted_copies(&self) -> Vec<String> {
        // Only ever a hint: a folder that can't be listed gives none.
        let Ok(spot) = self.opened() else { return Vec::new() };
        let names = spot.folder.names().unwrap_or_default();
        names.into_iter().filter(|name| is_conflicted_copy(&spot.name, name)).collect()
    }

    /// Generation and name of what saves kept.
    pub(super) fn kept_files(&self) -> io::Result<Vec<(u64, String)>> {
        self.opened()?.kept_files()
    }

    /// What saves kept, what sync programs put aside, and what saves left that were killed before their rename.
    pub(super) fn files_beside(&self) -> io::Result<Vec<String>> {
        let Spot { folder, name, .. } = self.opened()?;
        let is_kept = |file: &str| kept::parse_generation(&name, file).is_some();
        let is_one =
            |file: &String| is_kept(file) || is_conflicted_copy(&name, file) || temporary::is_ours(&name, file);
        Ok(folder.names()?.into_iter().filter(is_one).collect())
    }

    /// The one among them that has this hash.
    pub(super) fn beside_with_hash(&self, hash: &[u8; 32]) -> Option<Vec<u8>> {
        let names = self.files_beside().unwrap_or_default();
        let mut found = names.iter().filter_map(|name| self.read_beside(name).ok());
        found.find(|bytes| Sha256::digest(bytes).as_slice() == hash)
    }

    /// The bytes of a file beside the vault.
    pub(super) fn read_beside(&self, name: &str) -> io::Result<Vec<u8>> {
        self.opened()?.folder.read(name, MAX_FILE).map(|(bytes, _)| bytes).map_err(ReadError::into_io)
    }

    /// Takes the place for a save. Readers need no lock: they find the old file or the new one.
    pub(super) fn lock(&self) -> Result<Locked<'d>, SaveError> {
        self.lock_within(LOCK_PATIENCE)
    }

    fn lock_within(&self, patience: Duration) -> Result<Locked<'d>, SaveError> {
        let spot = self.opened()?;
        spot.check_folder()?;
        let name = format!(".{}.lock", spot.name);
        match spot.folder.lock(&name, patience) {
            Ok(lock) => Ok(Locked { spot, pins: self.pins.clone(), places: self.places(), _lock: lock }),
            Err(LockError::Held { pid }) => Err(SaveError::Locked { pid }),
            Err(LockError::NotAFile) => Err(SaveError::Lock { path: spot.path.with_file_name(name) }),
            Err(LockError::Io(error)) => Err(SaveError::Io(error)),
        }
    }

    /// Follows symlinks once, so that a link to the vault stays a link, and opens the folder; from here on everything is by
    /// name within it.
    fn opened(&self) -> io::Result<Spot> {
        let path = self.disk.resolve(&self.path)?;
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?.to_owned();
        let folder = self.disk.open_folder(path.parent().unwrap_or(Path::new("/")))?;
        Ok(Spot { folder, name, path })
    }
}

impl Loaded {
    /// How the passphrase opens it; None where it opens by other identities only.
    pub fn kdf(&self) -> Result<Option<KdfParameters>, HeaderError> {
        header::scan(&self.bytes)
    }

    /// What the header said about the passphrase when this machine last opened the vault, if it says something else now: a
    /// new passphrase from another machine, or damage.
    pub fn changed_kdf(&self) -> Option<KdfParameters> {
        let pin = self.pins.iter().find(|pin| pin.is_at(&self.places))?;
        // A line that can't be read is told as that.
        let now = self.kdf().ok()?;
        pin.kdf.filter(|pinned| now != Some(*pinned))
    }
}

/// A name in an opened folder.
struct Spot {
    folder: Box<dyn Folder>,
    name: String,
    /// For messages only.
    path: PathBuf,
}

impl Spot {
    fn kept_files(&self) -> io::Result<Vec<(u64, String)>> {
        let names = self.folder.names()?;
        Ok(names.into_iter().filter_map(|name| Some((kept::parse_generation(&self.name, &name)?, name))).collect())
    }

    fn check_folder(&self) -> Result<(), LoadError> {
        Ok(trusted(&self.folder.status()?, self.path.parent().unwrap_or(Path::new("/")))?)
    }

    fn load(&self, pins: Vec<Pin>, places: Vec<PathBuf>) -> Result<Loaded, LoadError> {
        let (bytes, status) = self.folder.read(&self.name, MAX_FILE).map_err(|error| match error {
            ReadError::NotAFile => LoadError::NotAFile,
            ReadError::TooLarge { .. } => LoadError::TooLarge,
            ReadError::Io(error) => missing_or_io(error),
        })?;
        trusted(&status, &self.path)?;
        Ok(Loaded { hash: Sha256::digest(&bytes).into(), bytes, status, pins, places })
    }
}

fn missing_or_io(error: io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::Missing,
        _ => LoadError::Io(error),
    }
}

/// The place while a save is under way.
pub(super) struct Locked<'d> {
    spot: Spot,
    pins: PinFile<'d>,
    places: Vec<PathBuf>,
    _lock: Box<dyn Lock>,
}

impl Locked<'_> {
    pub fn is_free(&self) -> io::Result<bool> {
        Ok(self.spot.folder.entry(&self.spot.name)?.is_none())
    }

    /// What stands there, if it is ours to replace.
    pub fn load(&self) -> Result<Loaded, SaveError> {
        let pins = self.pins.load().map_err(LoadError::from)?;
        let loaded = match self.spot.load(pins, self.places.clone()) {
            Err(LoadError::Missing) => Err(gone(&self.pins, &self.places, Some(&self.spot)).map_err(LoadError::from)?),
            loaded => loaded,
        }?;
        if !loaded.status.ours() {
            return Err(SaveError::NotOurs { owner: loaded.status.owner });
        }
        Ok(loaded)
    }

    /// Gives what stands the name that a save over it would keep it under, for good. When it changed moves.
    pub fn keep(&self, standing: &Loaded, generation: u64) -> io::Result<Status> {
        let Spot { folder, name, .. } = &self.spot;
        kept::keep_durably(&**folder, name, generation, &standing.hash, &standing.bytes)?;
        Ok(folder.entry(name)?.unwrap_or(standing.status))
    }

    /// Removes what saves left that were cut short. Before a save, since it may be what fills the disk.
    pub fn sweep(&self) {
        temporary::sweep(&*self.spot.folder, &self.spot.name);
    }

    /// Puts `bytes` in the place of what stands. That is kept as `old`, under its generation, where it is to be kept; what is
    /// kept of generations before `oldest` goes.
    pub fn commit(&self, old: Option<(&Loaded, u64)>, bytes: &[u8], oldest: u64, now: Timestamp) -> Saved {
        let Spot { folder, name, .. } = &self.spot;
        let temporary = match temporary::fresh_name(name) {
            Ok(temporary) => temporary,
            Err(error) => return Saved::NotCommitted(error.into()),
        };
        let mut prepared = None;
        let replaced = replace(&**folder, name, &temporary, 0o600, bytes, || {
            prepared = Some(folder.entry(&temporary)?.ok_or(io::ErrorKind::NotFound)?);
            old.map_or(Ok(()), |(old, generation)| kept::keep(&**folder, name, generation, &old.hash, &old.bytes))
        });
        // The rename moved the time of change. Where asking for it fails, the older one only makes readers look twice.
        let status = || {
            let prepared = prepared.expect("nothing is committed before this was asked");
            folder.entry(name).ok().flatten().unwrap_or(prepared)
        };
        match replaced {
            Replaced::NotCommitted(error) => Saved::NotCommitted(why_not(error)),
            Replaced::CommittedNotDurable(error) => Saved::CommittedNotDurable(status(), error),
            Replaced::Committed => {
                kept::prune(&**folder, name, oldest, now);
                Saved::Committed(status())
            }
        }
    }
}

fn why_not(error: io::Error) -> SaveError {
    let errno = error.raw_os_error();
    // What renaming over a mount point answers: EBUSY, and EXDEV where the mount is of another file system.
    if errno == Some(Errno::BUSY.raw_os_error()) || errno == Some(Errno::XDEV.raw_os_error()) {
        return SaveError::Mounted;
    }
    SaveError::Io(error)
}

/// Dropbox and Nextcloud write "vault (conflicted copy ...).age" and the like, Syncthing "vault.sync-conflict-....age".
fn is_conflicted_copy(name: &str, file: &str) -> bool {
    let (stem, extension) = name.split_at(name.rfind('.').unwrap_or(name.len()));
    let marked = file.contains("conflicted copy") || file.contains(".sync-conflict-");
    file != name && marked && file.starts_with(stem) && file.ends_with(extension)
}

#[cfg(test)]
mod tests;
