//! The real disk, and how long it was waited for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::vault::disk::{Disk, Folder, Lock, LockError, NewFile, ReadError, RealDisk, Status};

/// Adds up the time that passes in fsync.
#[derive(Default)]
pub struct SyncedDisk(Waited);

#[derive(Clone, Default)]
struct Waited(Arc<AtomicU64>);

impl Waited {
    fn during<T>(&self, sync: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = sync();
        self.0.fetch_add(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        done
    }
}

impl SyncedDisk {
    pub fn time_in_sync(&self) -> Duration {
        Duration::from_nanos(self.0.0.load(Ordering::Relaxed))
    }
}

impl Disk for SyncedDisk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        RealDisk.resolve(path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(SyncedFolder(RealDisk.open_folder(path)?, self.0.clone())))
    }

    fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        RealDisk.read_named(path, limit)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_folder(path)
    }
}

struct SyncedFolder(Box<dyn Folder>, Waited);

impl Folder for SyncedFolder {
    fn status(&self) -> io::Result<Status> {
        self.0.status()
    }

    fn entry(&self, name: &str) -> io::Result<Option<Status>> {
        self.0.entry(name)
    }

    fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.0.read(name, limit)
    }

    /// What was read counts along: it is little beside the wait.
    fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.1.during(|| self.0.read_synced_from(name, from, limit))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>> {
        Ok(Box::new(SyncedFile(self.0.create(name)?, self.1.clone())))
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.append(name, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.link(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn sync(&self) -> io::Result<()> {
        self.1.during(|| self.0.sync())
    }

    fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        self.0.lock(name, patience)
    }

    fn await_unlocked(&self, name: &str, patience: Duration) -> Result<(), LockError> {
        self.0.await_unlocked(name, patience)
    }

    fn remove_unlocked(&self, name: &str) -> Result<(), LockError> {
        self.0.remove_unlocked(name)
    }
}

struct SyncedFile(Box<dyn NewFile>, Waited);

impl NewFile for SyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.0.set_mode(mode)
    }

    fn sync(&mut self) -> io::Result<()> {
        let Self(file, waited) = self;
        waited.during(|| file.sync())
    }

    fn read_back(&mut self) -> io::Result<Vec<u8>> {
        self.0.read_back()
    }
}
