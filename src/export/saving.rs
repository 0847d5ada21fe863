//! Puts an edited AWS file in the place of the old one, so that neither a crash nor another program's edit loses a byte.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::ExportError;
use crate::aws_files::file::{AwsFile, Contents, FileError};
use crate::disk::{Disk, Folder, LockError, Replaced, replace};
use crate::secret::SecretBytes;

/// `~/.aws/credentials` holds others' secrets, too.
pub(super) const SECRET_MODE: u32 = 0o600;
/// `~/.aws/config` holds settings that others may read; who made it narrower keeps it so.
pub(super) const CONFIG_MODE: u32 = 0o644;

/// Others hold the lock for one write each.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often an edit is made anew when programs that ignore our lock change the file under it.
const TRIES: usize = 10;

/// The new bytes of a file, or None where it is to stay as it is. Called again when the file changes meanwhile.
pub(super) type Edit<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Option<SecretBytes>, ExportError>;

/// Edits the file at `path`, which with its folder is made where missing. `widest` caps the mode; one that was narrower
/// stays so. Says whether anything was written.
pub(super) fn save(disk: &dyn Disk, path: &Path, widest: u32, edit: Edit<'_>) -> Result<bool, ExportError> {
    let file = match AwsFile::open(disk, path)? {
        Some(file) => file,
        None if edit(b"")?.is_none() => return Ok(false),
        None => open_in_new_folder(disk, path)?,
    };
    if edit(&file.read()?.bytes)?.is_none() {
        return Ok(false);
    }
    // The lock stands beside the file, not in a state folder: whoever comes by another link, HOME or XDG_STATE_HOME to the
    // same file must find the same lock.
    let _lock = lock(&file)?;
    sweep(&file);
    for _ in 0..TRIES {
        let old = file.read()?;
        let Some(new) = edit(&old.bytes)? else { return Ok(false) };
        match replace_unless_changed(&file, &old, &new, widest) {
            (_, true) => continue,
            (Replaced::Committed, _) => return Ok(true),
            (Replaced::NotCommitted(error), _) => return Err(not_committed(file.path(), error)),
            (Replaced::CommittedNotDurable(error), _) => {
                return Err(ExportError::CommittedNotDurable { path: file.path().to_owned(), error });
            }
        }
    }
    Err(ExportError::ChangedMeanwhile { path: file.path().to_owned() })
}

fn open_in_new_folder(disk: &dyn Disk, path: &Path) -> Result<AwsFile, ExportError> {
    let resolved = disk.resolve(path).map_err(|error| not_committed(path, error))?;
    let folder = resolved.parent().unwrap_or(Path::new("/"));
    disk.make_folder(folder).map_err(|error| not_committed(folder, error))?;
    let gone = || not_committed(folder, io::ErrorKind::NotFound.into());
    AwsFile::open(disk, path)?.ok_or_else(gone)
}

fn lock(file: &AwsFile) -> Result<Box<dyn crate::disk::Lock>, ExportError> {
    let name = format!(".{}.vault-lock", file.name());
    file.folder().lock(&name, PATIENCE).map_err(|error| match error {
        LockError::Held { pid } => ExportError::LockHeld { path: file.path().to_owned(), pid },
        LockError::Io(error) => not_committed(file.path(), error),
        LockError::NotAFile => ExportError::Lock { path: file.path().with_file_name(name) },
    })
}

/// Also says whether the file changed since it was read. `aws configure` knows no locks: it truncates and writes in place.
/// Two equal reads with our own slow write between them are what keeps its edit, and keeps us from taking the moment in
/// which its file is empty for the file.
fn replace_unless_changed(file: &AwsFile, old: &Contents, new: &SecretBytes, widest: u32) -> (Replaced, bool) {
    let mut changed = false;
    let unchanged = || match file.read() {
        Ok(now) if now.bytes == old.bytes => Ok(()),
        Ok(_) => {
            changed = true;
            Err(io::Error::other("changed meanwhile"))
        }
        Err(FileError::Read { error, .. }) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    };
    let mode = old.status.map_or(0o600, |status| status.mode & widest);
    let temporary = match temporary_name(file.name()) {
        Ok(name) => name,
        Err(error) => return (Replaced::NotCommitted(error), false),
    };
    (replace(file.folder(), file.name(), &temporary, mode, new, unchanged), changed)
}

/// In the same folder, since a rename stays within a file system. Random, since pids come again, in other containers too.
fn temporary_name(name: &str) -> io::Result<String> {
    let random = getrandom::u64().map_err(io::Error::other)?;
    Ok(format!(".{name}.vault-{}-{random:016x}", std::process::id()))
}

/// Removes what earlier runs left when they were killed: copies of everybody's secrets. Whoever writes one holds the lock, so
/// those that are there now are stale. Failing to is no reason not to save.
fn sweep(file: &AwsFile) {
    let stale = file.folder().names().unwrap_or_default();
    for name in stale.iter().filter(|name| is_temporary(name, file.name())) {
        let _ = Folder::remove(file.folder(), name);
    }
}

fn is_temporary(name: &str, of: &str) -> bool {
    let rest = name.strip_prefix('.').and_then(|rest| rest.strip_prefix(of)?.strip_prefix(".vault-"));
    let Some((pid, random)) = rest.and_then(|rest| rest.split_once('-')) else { return false };
    let hexadecimal = random.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) && random.len() == 16 && hexadecimal
}

fn not_committed(path: &Path, error: io::Error) -> ExportError {
    ExportError::NotCommitted { path: PathBuf::from(path), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Lock, NewFile, ReadError, RealDisk, Status};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    /// Appends an x.
    fn longer(old: &[u8]) -> Result<Option<SecretBytes>, ExportError> {
        Ok(Some(SecretBytes::new([old, b"x"].concat())))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_and_its_folder_are_ours_alone() {
        let (_folder, path) = folder();
        let file = path.join("home/.aws/credentials");
        assert!(save(&RealDisk, &file, 0o600, &mut longer).unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"x");
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn the_mode_never_gets_wider() {
        let (_folder, path) = folder();
        let file = path.join("f");
        for (before, widest, after) in [(0o644, 0o600, 0o600), (0o400, 0o600, 0o400), (0o644, 0o644, 0o644)] {
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(before)).unwrap();
            assert!(save(&RealDisk, &file, widest, &mut longer).unwrap());
            assert_eq!(mode(&file), after);
            fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        let (_folder, path) = folder();
        fs::create_dir(path.join("dotfiles")).unwrap();
        fs::write(path.join("dotfiles/aws"), "old").unwrap();
        symlink("dotfiles/aws", path.join("credentials")).unwrap();
        assert!(save(&RealDisk, &path.join("credentials"), 0o600, &mut longer).unwrap());
        assert_eq!(fs::read_link(path.join("credentials")).unwrap(), Path::new("dotfiles/aws"));
        assert_eq!(fs::read(path.join("dotfiles/aws")).unwrap(), b"oldx");
    }

    #[test]
    fn an_edit_that_another_program_makes_meanwhile_is_kept() {
        let (_folder, path) = folder();
        let file = path.join("f");
        fs::write(&file, "old").unwrap();
        let mut calls = 0;
        let mut edit = |old: &[u8]| {
            calls += 1;
            if calls == 2 {
                fs::write(&file, "theirs").unwrap();
            }
            longer(old)
        };
        assert!(save(&RealDisk, &file, 0o600, &mut edit).unwrap());
        assert_eq!((fs::read(&file).unwrap(), calls), (b"theirsx".to_vec(), 3));
    }

    #[test]
    fn a_file_that_never_rests_is_left_alone() {
        let (_folder, path) = folder();
        let file = path.join("f");
        let mut calls = 0;
        let mut edit = |old: &[u8]| {
            calls += 1;
            fs::write(&file, calls.to_string()).unwrap();
            longer(old)
        };
        let refused = save(&RealDisk, &file, 0o600, &mut edit);
        assert!(matches!(refused, Err(ExportError::ChangedMeanwhile { .. })));
        assert_eq!(fs::read(&file).unwrap(), calls.to_string().as_bytes());
    }

    #[test]
    fn left_over_temporaries_are_swept_and_nothing_else() {
        let (_folder, path) = folder();
        let stale = path.join(".f.vault-12-0123456789abcdef");
        let others = [".f.vault-12-0123456789abcde", ".f.vault-x-0123456789abcdef", ".g.vault-12-0123456789abcdef"];
        others.iter().for_each(|name| fs::write(path.join(name), "").unwrap());
        fs::write(&stale, "").unwrap();
        assert!(save(&RealDisk, &path.join("f"), 0o600, &mut longer).unwrap());
        assert!(!stale.exists());
        let mut left: Vec<_> =
            fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(
            left,
            [".f.vault-12-0123456789abcde", ".f.vault-lock", ".f.vault-x-0123456789abcdef", others[2], "f"]
        );
    }

    #[test]
    fn an_edit_with_nothing_to_do_leaves_no_trace() {
        let (_folder, path) = folder();
        assert!(!save(&RealDisk, &path.join("aws/f"), 0o600, &mut |_| Ok(None)).unwrap());
        assert!(!save(&RealDisk, &path.join("f"), 0o600, &mut |_| Ok(None)).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_where_the_lock_should_be_is_named_and_the_old_file_stays() {
        let (_folder, path) = folder();
        let file = path.join("f");
        fs::write(&file, "old").unwrap();
        let lock = path.join(".f.vault-lock");
        fs::create_dir(&lock).unwrap();
        let refused = save(&RealDisk, &file, 0o600, &mut longer);
        assert!(matches!(refused, Err(ExportError::Lock { path }) if path == lock));
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }

    /// A real disk on which one operation fails.
    struct Failing(&'static str);
    struct FailingFolder(&'static str, Box<dyn Folder>);

    impl FailingFolder {
        fn fail(&self, operation: &str) -> io::Result<()> {
            if self.0 == operation { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    impl Disk for Failing {
        fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
            RealDisk.resolve(path)
        }
        fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
            Ok(Box::new(FailingFolder(self.0, RealDisk.open_folder(path)?)))
        }
        fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
            RealDisk.read_named(path, limit)
        }
        fn make_folder(&self, path: &Path) -> io::Result<()> {
            RealDisk.make_folder(path)
        }
    }

    impl Folder for FailingFolder {
        fn status(&self) -> io::Result<Status> {
            self.1.status()
        }
        fn entry(&self, name: &str) -> io::Result<Option<Status>> {
            self.1.entry(name)
        }
        fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
            self.1.read(name, limit)
        }
        fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
            self.1.read_synced_from(name, from, limit)
        }
        fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>> {
            self.fail("create").and_then(|()| self.1.create(name))
        }
        fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            self.1.append(name, bytes)
        }
        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.fail("rename").and_then(|()| self.1.rename(from, to))
        }
        fn link(&self, from: &str, to: &str) -> io::Result<()> {
            self.1.link(from, to)
        }
        fn remove(&self, name: &str) -> io::Result<()> {
            self.1.remove(name)
        }
        fn names(&self) -> io::Result<Vec<String>> {
            self.1.names()
        }
        fn sync(&self) -> io::Result<()> {
            self.fail("sync").and_then(|()| self.1.sync())
        }
        fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
            self.1.lock(name, patience)
        }

        fn await_unlocked(&self, name: &str, patience: Duration) -> Result<(), LockError> {
            self.1.await_unlocked(name, patience)
        }

        fn remove_unlocked(&self, name: &str) -> Result<(), LockError> {
            self.1.remove_unlocked(name)
        }
    }

    #[test]
    fn an_error_says_whether_the_new_file_stands() {
        let (_folder, path) = folder();
        let file = path.join("f");
        for operation in ["create", "rename", "sync"] {
            fs::write(&file, "old").unwrap();
            let failed = save(&Failing(operation), &file, 0o600, &mut longer);
            let stands = fs::read(&file).unwrap() == b"oldx";
            match failed {
                Err(ExportError::NotCommitted { .. }) => assert!(!stands, "{operation}"),
                Err(ExportError::CommittedNotDurable { .. }) => assert!(stands && operation == "sync"),
                other => panic!("{operation}: {:?}", other.err()),
            }
            assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "the file and its lock, after {operation}");
        }
    }
}
