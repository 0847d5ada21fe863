//! A file of ours in a folder that a scheduler reads. Whoever can change it has their command run, so it is put only where nobody
//! else can.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::world::World;
use crate::disk::{Folder, ReadError, replace};
use crate::rotate::units::MARK;

use super::error::ScheduleError;

/// No text of ours is longer.
const MOST: u64 = 64 * 1024;
/// Not secret, and systemd grumbles at anything narrower.
const MODE: u32 = 0o644;

pub struct OwnFile {
    folder: PathBuf,
    name: &'static str,
}

impl OwnFile {
    pub fn new(folder: &Path, name: &'static str) -> Self {
        Self { folder: folder.to_owned(), name }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Whether it is there and ours.
    pub fn is_there(&self, world: &World) -> Result<bool, ScheduleError> {
        let Some(folder) = self.open(world)? else { return Ok(false) };
        self.is_ours(&*folder)
    }

    /// Puts it there in the place of an earlier one.
    pub fn write(&self, world: &World, text: &str) -> Result<(), ScheduleError> {
        world.disk.make_folder(&self.folder).map_err(|error| self.failed(error))?;
        let folder = self.open(world)?.ok_or_else(|| self.failed(io::ErrorKind::NotFound.into()))?;
        self.check_free(&*folder)?;
        // Left by one that was killed.
        let _ = folder.remove(&self.temporary());
        let replaced = replace(&*folder, self.name, &self.temporary(), MODE, text.as_bytes(), || Ok(()));
        replaced.durable().map_err(|error| self.failed(error))
    }

    /// Refuses early what [`Self::write`] would refuse.
    pub fn check(&self, world: &World) -> Result<(), ScheduleError> {
        self.open(world)?.map_or(Ok(()), |folder| self.check_free(&*folder))
    }

    /// Takes it away; somebody else's of that name stays.
    pub fn remove(&self, world: &World) -> Result<(), ScheduleError> {
        let Some(folder) = self.open(world)? else { return Ok(()) };
        let _ = folder.remove(&self.temporary());
        if self.is_ours(&*folder)? {
            folder.remove(self.name).and_then(|()| folder.sync()).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn temporary(&self) -> String {
        format!(".{}.tmp", self.name)
    }

    fn check_free(&self, folder: &dyn Folder) -> Result<(), ScheduleError> {
        let stands = folder.entry(self.name).map_err(|error| self.failed(error))?.is_some();
        if stands && !self.is_ours(folder)? {
            return Err(ScheduleError::NotOurs(self.path()));
        }
        Ok(())
    }

    fn is_ours(&self, folder: &dyn Folder) -> Result<bool, ScheduleError> {
        match folder.read(self.name, MOST) {
            Ok((bytes, _)) => Ok(String::from_utf8_lossy(&bytes).lines().take(2).any(|line| line.contains(MARK))),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            // A link to /dev/null is how a unit is masked.
            Err(ReadError::NotAFile | ReadError::TooLarge { .. }) => Ok(false),
            Err(ReadError::Io(error)) => Err(self.failed(error)),
        }
    }

    fn open(&self, world: &World) -> Result<Option<Box<dyn Folder>>, ScheduleError> {
        let folder = world.disk.open_folder_if_there(&self.folder).map_err(|error| self.failed(error))?;
        let Some(folder) = folder else { return Ok(None) };
        let status = folder.status().map_err(|error| self.failed(error))?;
        if !status.trusted_owner() || status.others_can_write() {
            return Err(ScheduleError::OthersCanWrite(self.folder.clone()));
        }
        Ok(Some(folder))
    }

    fn failed(&self, error: io::Error) -> ScheduleError {
        ScheduleError::File { path: self.path(), error }
    }
}
