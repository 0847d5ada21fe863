//! The operating system's file system, by descriptor.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::{Disk, Folder, Kind, Lock, LockError, NewFile, ReadError, Room, Status, room};

/// How long a waiter sleeps between two tries for a lock: short beside a save, long beside a system call.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// More symlinks in a row than this is a loop (Linux's own limit).
const MAX_SYMLINKS: usize = 40;

/// What files of ours are made with.
const OURS_ALONE: Mode = Mode::RUSR.union(Mode::WUSR);

pub struct RealDisk;

impl Disk for RealDisk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut path = std::path::absolute(path)?;
        for _ in 0..MAX_SYMLINKS {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
                return Ok(path);
            };
            let resolved = match folder.canonicalize() {
                Ok(folder) => folder.join(name),
                // A folder that is still to be made has no links in it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
                Err(error) => return Err(error),
            };
            match std::fs::read_link(&resolved) {
                Ok(target) => path = folder_of(&resolved).join(target),
                Err(_) => return Ok(resolved),
            }
        }
        Err(rustix::io::Errno::LOOP.into())
    }

    fn status_at(&self, path: &Path) -> io::Result<Option<Status>> {
        match rustix::fs::stat(path) {
            Ok(found) => Ok(Some(status(&found))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn room_at(&self, path: &Path) -> io::Result<Option<Room>> {
        room::of(path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Box::new(RealFolder(descriptor)))
    }

    fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let file = File::open(path)?;
        let found = status(&rustix::fs::fstat(&file).map_err(io::Error::from)?);
        if found.kind == Kind::Folder {
            return Err(ReadError::NotAFile);
        }
        Ok((read_up_to(&file, found.size, limit)?, found))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let mut so_far = PathBuf::new();
        for component in path.components() {
            so_far.push(component);
            if !matches!(component, Component::Normal(_)) || so_far.is_dir() {
                continue;
            }
            match rustix::fs::mkdir(&so_far, Mode::RWXU).and_then(|()| rustix::fs::chmod(&so_far, Mode::RWXU)) {
                Ok(()) => self.open_folder(folder_of(&so_far))?.sync()?,
                // Somebody was faster; the next round opens it or says why it can't.
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Everything, unless it is more than `limit`: what fstat said may have grown since, and a pipe says nothing.
fn read_up_to(file: &File, size: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
    // A vector that grows from nothing copies, and our allocator wipes, as much again as there is to read.
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

struct RealFolder(OwnedFd);

impl RealFolder {
    /// Of bearable size, and no link, no pipe and no folder.
    fn open_to_read(&self, name: &str, limit: u64) -> Result<(File, Status), ReadError> {
        // NONBLOCK: a FIFO put in the file's place must not hang us before fstat says what it is.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let descriptor = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::LOOP) => return Err(ReadError::NotAFile),
            Err(error) => return Err(ReadError::Io(error.into())),
        };
        let found = status(&rustix::fs::fstat(&descriptor).map_err(io::Error::from)?);
        if found.kind != Kind::File {
            return Err(ReadError::NotAFile);
        }
        if found.size > limit {
            return Err(ReadError::TooLarge { limit });
        }
        Ok((File::from(descriptor), found))
    }
}

impl Folder for RealFolder {
    fn status(&self) -> io::Result<Status> {
        Ok(status(&rustix::fs::fstat(&self.0)?))
    }

    fn entry(&self, name: &str) -> io::Result<Option<Status>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(status(&found))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let (file, found) = self.open_to_read(name, limit)?;
        Ok((read_up_to(&file, found.size, limit)?, found))
    }

    fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        let (mut file, found) = self.open_to_read(name, limit)?;
        file.seek(SeekFrom::Start(from))?;
        let bytes = read_up_to(&file, found.size.saturating_sub(from), limit.saturating_sub(from))?;
        file.sync_all()?;
        Ok((bytes, found))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(&self.0, name, flags, OURS_ALONE)?;
        // A umask may have taken our own bits, too.
        rustix::fs::fchmod(&descriptor, OURS_ALONE).inspect_err(|_| {
            // Who is told that nothing was made would find it in the way the next time.
            let _ = rustix::fs::unlinkat(&self.0, name, AtFlags::empty());
        })?;
        Ok(Box::new(RealFile(File::from(descriptor))))
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let descriptor = rustix::fs::openat(&self.0, name, flags, OURS_ALONE)?;
        File::from(descriptor).write_all(bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let descriptor = match rustix::fs::openat(&self.0, name, flags, OURS_ALONE) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR) => return Err(LockError::NotAFile),
            Err(error) => return Err(LockError::Io(error.into())),
        };
        if status(&rustix::fs::fstat(&descriptor).map_err(io::Error::from)?).kind != Kind::File {
            return Err(LockError::NotAFile);
        }
        let mut file = File::from(descriptor);
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(LockError::Held { pid: read_pid(&mut file) }),
            }
        }
        // The pid is for a person who waits; the lock holds without it, also on a full disk.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Box::new(RealLock(file)))
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

struct RealFile(File);

impl NewFile for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(self.0.as_fd(), Mode::from_raw_mode(mode))?)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn read_back(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.seek(SeekFrom::Start(0))?;
        self.0.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The lock is the open file description's. A child between fork and exec has that too: to close ours alone would leave the
/// lock held until then.
struct RealLock(File);

impl Lock for RealLock {}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Where this fails, the closing that follows lets go.
        let _ = self.0.unlock();
    }
}

fn status(found: &rustix::fs::Stat) -> Status {
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Other,
    };
    Status {
        kind,
        device: found.st_dev,
        inode: found.st_ino,
        size: found.st_size.try_into().unwrap_or(0),
        mode: found.st_mode & 0o7777,
        owner: found.st_uid,
        modified: nanoseconds(found.st_mtime, found.st_mtime_nsec),
        changed: nanoseconds(found.st_ctime, found.st_ctime_nsec),
    }
}

fn nanoseconds(seconds: i64, fraction: impl TryInto<i128>) -> i128 {
    i128::from(seconds) * 1_000_000_000 + fraction.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder() -> (tempfile::TempDir, Box<dyn Folder>) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RealDisk.open_folder(temporary.path()).unwrap();
        (temporary, folder)
    }

    #[test]
    fn a_created_file_is_ours_alone_and_creating_it_twice_fails() {
        let (temporary, folder) = folder();
        folder.create("a").unwrap().write(b"x").unwrap();
        assert_eq!(folder.entry("a").unwrap().unwrap().mode, 0o600);
        assert_eq!(folder.create("a").err().unwrap().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(temporary.path().join("a")).unwrap(), b"x");
    }

    #[test]
    fn reading_never_goes_through_a_symlink_a_fifo_or_over_the_limit() {
        let (temporary, folder) = folder();
        std::fs::write(temporary.path().join("real"), b"12345").unwrap();
        symlink("real", temporary.path().join("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, temporary.path().join("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .unwrap();
        assert!(matches!(folder.read("link", 10), Err(ReadError::NotAFile)));
        assert!(matches!(folder.read("fifo", 10), Err(ReadError::NotAFile)));
        assert!(matches!(folder.read("real", 4), Err(ReadError::TooLarge { limit: 4 })));
        assert_eq!(folder.read("real", 5).unwrap().0, b"12345");
        assert_eq!(folder.read_synced("real", 5).unwrap(), folder.read("real", 5).unwrap());
        assert!(matches!(folder.read_synced("link", 10), Err(ReadError::NotAFile)));
        for (from, rest) in [(0, "12345"), (3, "45"), (5, ""), (6, "")] {
            assert_eq!(folder.read_synced_from("real", from, 5).unwrap().0, rest.as_bytes(), "{from}");
        }
        assert!(folder.read("none", 5).err().unwrap().is_not_found());
    }

    #[test]
    fn resolving_follows_links_keeps_a_missing_last_name_and_ends_on_a_loop() {
        let (temporary, _folder) = folder();
        let root = temporary.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("folder-link")).unwrap();
        symlink("folder-link/file", root.join("file-link")).unwrap();
        assert_eq!(RealDisk.resolve(&root.join("file-link")).unwrap(), root.join("real/file"));
        assert_eq!(RealDisk.resolve(&root.join("none/at/all")).unwrap(), root.join("none/at/all"));
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert!(RealDisk.resolve(&root.join("a")).is_err());
    }

    #[test]
    fn what_stands_at_a_path_is_what_its_links_lead_to() {
        let (temporary, folder) = folder();
        let at = |name: &str| RealDisk.status_at(&temporary.path().join(name));
        std::fs::write(temporary.path().join("real"), b"12345").unwrap();
        symlink("real", temporary.path().join("link")).unwrap();
        symlink("none", temporary.path().join("dangling")).unwrap();
        symlink("loop", temporary.path().join("loop")).unwrap();
        let real = folder.entry("real").unwrap();
        assert!(real.is_some_and(|status| status.kind == Kind::File && status.size == 5));
        assert_eq!(at("real").unwrap(), real);
        assert_eq!(at("link").unwrap(), real);
        assert_eq!(at("none").unwrap(), None);
        assert_eq!(at("none/below").unwrap(), None);
        assert_eq!(at("dangling").unwrap(), None);
        assert!(at("loop").is_err());
    }

    #[test]
    fn a_second_holder_is_told_who_holds_the_lock() {
        let (_temporary, folder) = folder();
        let held = folder.lock("l", Duration::ZERO).unwrap();
        let Err(LockError::Held { pid }) = folder.lock("l", Duration::ZERO) else { panic!("locked twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        assert!(folder.lock("l", Duration::ZERO).is_ok());
    }

    #[test]
    fn a_lock_that_was_let_go_is_free_though_a_child_has_its_descriptor_still() {
        let (temporary, folder) = folder();
        let file = File::create(temporary.path().join("lock")).unwrap();
        file.lock().unwrap();
        let child = file.try_clone().unwrap();
        drop(RealLock(file));
        assert!(folder.lock("lock", Duration::ZERO).is_ok());
        drop(child);
    }

    #[test]
    fn made_folders_are_closed_to_others() {
        let (temporary, _folder) = folder();
        let path = temporary.path().join("a/b");
        RealDisk.make_folder(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        RealDisk.make_folder(&path).unwrap();
    }
}
