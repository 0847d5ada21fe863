//! Where the vault is kept: a file in a folder. Loading is lax about who may read and strict about who may write; saving
//! leaves at every instant either the old file or the new one.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::header::{self, HeaderError, MAX_FILE};
use super::kdf::KdfParameters;
use super::kept;
use crate::disk::{Disk, Folder, Lock, LockError, ReadError, Replaced, Status, replace};

/// A save takes milliseconds; who waits longer than this waits for something that hangs.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// Where a vault is or will be.
#[derive(Clone)]
pub struct Place<'d> {
    disk: &'d dyn Disk,
    path: PathBuf,
}

/// The file as it stood, still closed.
pub struct Loaded {
    pub bytes: Vec<u8>,
    pub hash: [u8; 32],
    pub status: Status,
}

#[derive(Debug, Error)]
pub enum LoadError {
    #[error("no such file")]
    Missing,
    #[error("not a regular file")]
    NotAFile,
    #[error("larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Somebody else could put another file in the vault's place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Untrusted {
    #[error("`{}` belongs to user {owner}", path.display())]
    Owner { path: PathBuf, owner: u32 },
    #[error("`{}` can be changed by others (mode {mode:o})", path.display())]
    Writable { path: PathBuf, mode: u32 },
}

/// Why nothing was saved. What stood there stands.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("locked by another process")]
    Locked { pid: Option<u32> },
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
    pub fn new(disk: &'d dyn Disk, path: &Path) -> Self {
        Self { disk, path: path.to_owned() }
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
        let spot = self.opened().map_err(missing_or_io)?;
        spot.check_folder()?;
        spot.load()
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

    /// Takes the place for a save. Readers need no lock: they find the old file or the new one.
    pub(super) fn lock(&self) -> Result<Locked, SaveError> {
        self.lock_within(LOCK_PATIENCE)
    }

    fn lock_within(&self, patience: Duration) -> Result<Locked, SaveError> {
        let spot = self.opened()?;
        spot.check_folder()?;
        match spot.folder.lock(&format!(".{}.lock", spot.name), patience) {
            Ok(lock) => Ok(Locked { spot, _lock: lock }),
            Err(LockError::Held { pid }) => Err(SaveError::Locked { pid }),
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
}

/// A name in an opened folder.
struct Spot {
    folder: Box<dyn Folder>,
    name: String,
    /// For messages only.
    path: PathBuf,
}

impl Spot {
    fn check_folder(&self) -> Result<(), LoadError> {
        Ok(trusted(&self.folder.status()?, self.path.parent().unwrap_or(Path::new("/")))?)
    }

    fn load(&self) -> Result<Loaded, LoadError> {
        let (bytes, status) = self.folder.read(&self.name, MAX_FILE).map_err(|error| match error {
            ReadError::NotAFile => LoadError::NotAFile,
            ReadError::TooLarge { .. } => LoadError::TooLarge,
            ReadError::Io(error) => missing_or_io(error),
        })?;
        trusted(&status, &self.path)?;
        Ok(Loaded { hash: Sha256::digest(&bytes).into(), bytes, status })
    }
}

fn trusted(status: &Status, path: &Path) -> Result<(), Untrusted> {
    if !status.trusted_owner() {
        return Err(Untrusted::Owner { path: path.to_owned(), owner: status.owner });
    }
    if status.others_can_write() {
        return Err(Untrusted::Writable { path: path.to_owned(), mode: status.mode });
    }
    Ok(())
}

fn missing_or_io(error: io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::Missing,
        _ => LoadError::Io(error),
    }
}

/// The place while a save is under way.
pub(super) struct Locked {
    spot: Spot,
    _lock: Box<dyn Lock>,
}

impl Locked {
    pub fn is_free(&self) -> io::Result<bool> {
        Ok(self.spot.folder.entry(&self.spot.name)?.is_none())
    }

    /// What stands there, if it is ours to replace.
    pub fn load(&self) -> Result<Loaded, SaveError> {
        let loaded = self.spot.load()?;
        if !loaded.status.ours() {
            return Err(SaveError::NotOurs { owner: loaded.status.owner });
        }
        Ok(loaded)
    }

    /// Puts `bytes` in the place of `old`, which is kept under its generation.
    pub fn commit(&self, old: Option<(&Loaded, u64)>, bytes: &[u8], now: Timestamp) -> Saved {
        let Spot { folder, name, .. } = &self.spot;
        // First, since what a crash left may be what fills the disk.
        sweep(&**folder, name);
        let temporary = match temporary_name(name) {
            Ok(temporary) => temporary,
            Err(error) => return Saved::NotCommitted(error.into()),
        };
        let mut prepared = None;
        let replaced = replace(&**folder, name, &temporary, 0o600, bytes, || {
            prepared = Some(folder.entry(&temporary)?.ok_or(io::ErrorKind::NotFound)?);
            old.map_or(Ok(()), |(old, generation)| kept::keep(&**folder, name, old, generation))
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
                kept::prune(&**folder, name, now);
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

/// A name beside `name` that nobody has.
pub(super) fn temporary_name(name: &str) -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random)))
}

fn is_temporary(name: &str, file: &str) -> bool {
    let middle =
        file.strip_prefix('.').and_then(|rest| rest.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp"));
    middle.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Removes what saves that were cut short left behind. Under the lock none of it is in use; failing costs space only.
fn sweep(folder: &dyn Folder, name: &str) {
    for file in folder.names().unwrap_or_default() {
        if is_temporary(name, &file) {
            let _ = folder.remove(&file);
        }
    }
}

/// Dropbox and Nextcloud write "vault (conflicted copy ...).age" and the like, Syncthing "vault.sync-conflict-....age".
fn is_conflicted_copy(name: &str, file: &str) -> bool {
    let (stem, extension) = name.split_at(name.rfind('.').unwrap_or(name.len()));
    let marked = file.contains("conflicted copy") || file.contains(".sync-conflict-");
    file != name && marked && file.starts_with(stem) && file.ends_with(extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Kind, RealDisk};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("vault.age");
        (temporary, path)
    }

    fn place(path: &Path) -> Place<'static> {
        Place::new(&RealDisk, path)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Saves as generation N+1 over what stands as generation N.
    fn save(path: &Path, generation: u64, bytes: &[u8]) -> Saved {
        let locked = place(path).lock().unwrap();
        let old = locked.load().unwrap();
        locked.commit(Some((&old, generation)), bytes, Timestamp::now())
    }

    #[test]
    fn what_others_could_have_put_there_is_not_loaded() {
        let (temporary, path) = folder();
        assert!(matches!(place(&path).load(), Err(LoadError::Missing)));
        assert!(matches!(place(&path.join("no/such/folder")).load(), Err(LoadError::Io(_) | LoadError::Missing)));
        fs::write(&path, b"x").unwrap();
        set_mode(&path, 0o620);
        let refused = place(&path).load().err();
        assert!(matches!(refused, Some(LoadError::Untrusted(Untrusted::Writable { mode: 0o620, .. }))));
        set_mode(&path, 0o644);
        assert_eq!(place(&path).load().unwrap().bytes, b"x");
        set_mode(temporary.path(), 0o777);
        assert!(matches!(place(&path).load(), Err(LoadError::Untrusted(Untrusted::Writable { mode: 0o777, .. }))));
        assert!(matches!(place(&path).lock(), Err(SaveError::Load(LoadError::Untrusted(_)))));
        set_mode(temporary.path(), 0o1777);
        assert!(place(&path).load().is_ok());
    }

    #[test]
    fn another_users_file_is_not_trusted_and_the_administrators_is() {
        let (temporary, _) = folder();
        let mut status = RealDisk.open_folder(temporary.path()).unwrap().status().unwrap();
        assert_eq!(trusted(&status, temporary.path()), Ok(()));
        status.owner = 0;
        assert_eq!(trusted(&status, temporary.path()), Ok(()));
        status.owner = rustix::process::geteuid().as_raw() + 1;
        assert!(matches!(trusted(&status, temporary.path()), Err(Untrusted::Owner { .. })));
        assert_eq!(status.kind, Kind::Folder);
    }

    #[test]
    fn only_a_regular_file_of_bearable_size_is_loaded() {
        let (temporary, path) = folder();
        fs::create_dir(&path).unwrap();
        assert!(matches!(place(&path).load(), Err(LoadError::NotAFile)));
        let large = temporary.path().join("large.age");
        fs::File::create(&large).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert!(matches!(place(&large).load(), Err(LoadError::TooLarge)));
    }

    #[test]
    fn a_save_replaces_the_file_behind_a_link_and_keeps_the_link_and_the_old_file() {
        let (temporary, path) = folder();
        let real = temporary.path().join("elsewhere");
        fs::create_dir(&real).unwrap();
        fs::write(real.join("real.age"), b"old").unwrap();
        symlink("elsewhere/real.age", &path).unwrap();
        let Saved::Committed(status) = save(&path, 7, b"new") else { panic!("not committed") };
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!((status.mode, status.inode), (0o600, fs::metadata(&path).unwrap().ino()));
        // The first bytes of the SHA-256 of "old".
        assert_eq!(names(&real), [".real.age.lock", "real.age", "real.age.g7-cba06b57"]);
        assert_eq!(fs::read(real.join("real.age.g7-cba06b57")).unwrap(), b"old");
    }

    #[test]
    fn a_save_goes_on_where_one_that_was_cut_short_left_its_files() {
        let (temporary, path) = folder();
        fs::write(&path, b"old").unwrap();
        let beside = |name: &str| temporary.path().join(name);
        // Kept already, by the attempt before; and its half-written successor.
        fs::hard_link(&path, beside("vault.age.g7-cba06b57")).unwrap();
        fs::write(beside(".vault.age.0123456789abcdef.tmp"), b"ne").unwrap();
        let foreign =
            [".vault.age.0123456789ABCDEF.tmp", ".vault.age.123.tmp", "vault.age.tmp", ".other.0123456789abcdef.tmp"];
        for name in foreign {
            fs::write(beside(name), b"").unwrap();
        }
        assert!(matches!(save(&path, 7, b"new"), Saved::Committed(_)));
        let left = names(temporary.path());
        assert!(!left.contains(&".vault.age.0123456789abcdef.tmp".to_owned()));
        assert!(foreign.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
        assert_eq!(fs::read(beside("vault.age.g7-cba06b57")).unwrap(), b"old");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_has_the_kept_files_name_and_is_not_it_gives_way() {
        let (temporary, path) = folder();
        fs::write(&path, b"old").unwrap();
        let kept = temporary.path().join("vault.age.g7-cba06b57");
        fs::write(&kept, b"half of it").unwrap();
        assert!(matches!(save(&path, 7, b"new"), Saved::Committed(_)));
        assert_eq!(fs::read(&kept).unwrap(), b"old");
    }

    #[test]
    fn the_ten_last_generations_stay_beside_the_vault() {
        let (temporary, path) = folder();
        fs::write(&path, b"0").unwrap();
        for generation in 0..15_u64 {
            let saved = save(&path, generation, generation.to_string().as_bytes());
            assert!(matches!(saved, Saved::Committed(_)));
        }
        let kept = names(temporary.path()).into_iter().filter(|name| name.contains(".g")).count();
        assert_eq!(kept, 10);
        assert!(!names(temporary.path()).iter().any(|name| name.ends_with(".tmp")));
    }

    #[test]
    fn who_waits_in_vain_for_the_lock_hears_who_holds_it() {
        let (_temporary, path) = folder();
        fs::write(&path, b"x").unwrap();
        let held = place(&path).lock().unwrap();
        let waited = place(&path).lock_within(Duration::ZERO);
        assert!(matches!(waited, Err(SaveError::Locked { pid: Some(pid) }) if pid == std::process::id()));
        drop(held);
        assert!(place(&path).lock_within(Duration::ZERO).is_ok());
    }

    #[test]
    fn a_mounted_file_is_named_as_the_reason_it_cannot_be_replaced() {
        for errno in [Errno::BUSY, Errno::XDEV] {
            assert!(matches!(why_not(errno.into()), SaveError::Mounted));
        }
        assert!(matches!(why_not(Errno::NOSPC.into()), SaveError::Io(_)));
    }

    #[test]
    fn the_copies_that_sync_programs_make_of_a_conflict_are_recognised() {
        for copy in [
            "vault (Anna's conflicted copy 2026-01-01).age",
            "vault (conflicted copy 2026-01-01 120000).age",
            "vault.sync-conflict-20260101-120000-ABCDEFG.age",
        ] {
            assert!(is_conflicted_copy("vault.age", copy), "{copy}");
        }
        for other in
            ["vault.age", "vault.age.g1-00000000", "notes (conflicted copy).age", "vault (conflicted copy).txt"]
        {
            assert!(!is_conflicted_copy("vault.age", other), "{other}");
        }
    }
}
