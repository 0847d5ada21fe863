//! The real disk, and a list of the files that were read from it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vault::disk::{Disk, Folder, Lock, LockError, NewFile, ReadError, RealDisk, Status};

#[derive(Default)]
pub struct WatchedDisk(Arc<Mutex<Vec<PathBuf>>>);

impl WatchedDisk {
    /// What was read since the last look.
    pub fn read(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Disk for WatchedDisk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        RealDisk.resolve(path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        let folder = RealDisk.open_folder(path)?;
        Ok(Box::new(WatchedFolder { folder, path: path.to_owned(), read: Arc::clone(&self.0) }))
    }

    fn read_named(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.0.lock().unwrap().push(path.to_owned());
        RealDisk.read_named(path, limit)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_folder(path)
    }
}

struct WatchedFolder {
    folder: Box<dyn Folder>,
    path: PathBuf,
    read: Arc<Mutex<Vec<PathBuf>>>,
}

impl Folder for WatchedFolder {
    fn status(&self) -> io::Result<Status> {
        self.folder.status()
    }

    fn entry(&self, name: &str) -> io::Result<Option<Status>> {
        self.folder.entry(name)
    }

    fn read(&self, name: &str, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.read.lock().unwrap().push(self.path.join(name));
        self.folder.read(name, limit)
    }

    fn read_synced_from(&self, name: &str, from: u64, limit: u64) -> Result<(Vec<u8>, Status), ReadError> {
        self.read.lock().unwrap().push(self.path.join(name));
        self.folder.read_synced_from(name, from, limit)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn NewFile>> {
        self.folder.create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.folder.append(name, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.rename(from, to)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.link(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.folder.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.folder.names()
    }

    fn sync(&self) -> io::Result<()> {
        self.folder.sync()
    }

    fn lock(&self, name: &str, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        self.folder.lock(name, patience)
    }

    fn await_unlocked(&self, name: &str, patience: Duration) -> Result<(), LockError> {
        self.folder.await_unlocked(name, patience)
    }

    fn remove_unlocked(&self, name: &str) -> Result<(), LockError> {
        self.folder.remove_unlocked(name)
    }
}
