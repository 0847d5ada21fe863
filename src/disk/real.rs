//! The operating system's file system, by descriptor.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::{Disk, Folder, Kind, Lock, LockError, NewFile, ReadError, Room, Status, room};

/// How often the file of a lock may have been taken away by the time that it is ours. Where it always was, the file system has
/// numbers that do not stay, and nothing can be told by them.
const LOCK_TRIES: usize = 16;

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
        Ok(Box::new(RealFolder(File::from(descriptor))))
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

struct RealFolder(File);

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

    /// The file of a lock, opened for this.
    fn open_lock(&self, name: &str, purpose: OFlags) -> Result<(File, Status), LockError> {
        let flags = purpose | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let descriptor = match rustix::fs::openat(&self.0, name, flags, OURS_ALONE) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR) => return Err(LockError::NotAFile),
            Err(error) => return Err(LockError::Io(error.into())),
        };
        let found = status(&rustix::fs::fstat(&descriptor).map_err(io::Error::from)?);
        match found.kind {
            Kind::File => Ok((File::from(descriptor), found)),
            _ => Err(LockError::NotAFile),
        }
    }

    /// Whether this file stands in the folder still: whoever had its lock before may have taken it away.
    fn stands(&self, name: &str, file: &Status) -> bool {
        self.entry(name)
            .is_ok_and(|found| found.is_some_and(|found| (found.device, found.inode) == (file.device, file.inode)))
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
        let found = status(&rustix::fs::fstat(&descriptor)?);
        open_to_us(&descriptor, &found)?;
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

    /// As a file: fsync alone does not reach the disk on macOS.
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        let deadline = Instant::now() + patience;
        let mut tries = 0;
        let mut file = loop {
            let (mut file, found) = self.open_lock(name, OFlags::RDWR | OFlags::CREATE)?;
            open_to_us(&file, &found).map_err(LockError::Io)?;
            wait_for(&mut file, File::try_lock, deadline)?;
            tries += 1;
            if tries == LOCK_TRIES || self.stands(name, &found) {
                break file;
            }
        };
        // The pid is for a person who waits; the lock holds without it, also on a full disk.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Box::new(RealLock(file)))
    }

    fn await_unlocked(&self, name: &str, patience: Duration) -> Result<(), LockError> {
        let (mut file, _) = match self.open_lock(name, OFlags::RDONLY) {
            Err(LockError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        // Shared: those who look do not see each other.
        wait_for(&mut file, File::try_lock_shared, Instant::now() + patience)?;
        drop(RealLock(file));
        Ok(())
    }

    fn remove_unlocked(&self, name: &str) -> Result<(), LockError> {
        let (mut file, found) = self.open_lock(name, OFlags::RDONLY)?;
        wait_for(&mut file, File::try_lock, Instant::now())?;
        let _held = RealLock(file);
        // What stands there instead by now is somebody else's.
        if self.stands(name, &found) { Ok(self.remove(name)?) } else { Ok(()) }
    }
}

/// Tries until the deadline, and at least once.
fn wait_for(
    file: &mut File,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
    deadline: Instant,
) -> Result<(), LockError> {
    loop {
        match lock(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { pid: read_pid(file) }),
        }
    }
}

/// A umask may have taken our own bits of a file that was just made: the next time it would be closed to us.
fn open_to_us(file: impl AsFd, found: &Status) -> io::Result<()> {
    let ours = permissions(OURS_ALONE.bits());
    if found.mode & ours == ours { Ok(()) } else { Ok(rustix::fs::fchmod(file, OURS_ALONE)?) }
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
        self.0.set_permissions(Permissions::from_mode(mode))
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
        device: device(found.st_dev),
        inode: found.st_ino,
        size: found.st_size.try_into().unwrap_or(0),
        mode: permissions(found.st_mode),
        owner: found.st_uid,
        modified: nanoseconds(found.st_mtime, found.st_mtime_nsec),
        changed: nanoseconds(found.st_ctime, found.st_ctime_nsec),
    }
}

/// Of a mode, which is a shorter number on macOS.
fn permissions(mode: impl Into<u32>) -> u32 {
    mode.into() & 0o7777
}

/// It tells two devices apart; on macOS its number has a sign.
fn device(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

fn nanoseconds(seconds: i64, fraction: impl TryInto<i128>) -> i128 {
    i128::from(seconds) * 1_000_000_000 + fraction.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests;
