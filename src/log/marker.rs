//! Takes marks of a log that grows, and reads no line of it twice: a rotation of many keys saves the vault again and again, and
//! writes down what it did between its saves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{FILE, MOST, Mark};
use crate::disk::{Disk, Folder, ReadError, Status};

pub struct Marker<'d> {
    disk: &'d dyn Disk,
    state: PathBuf,
    seen: Mutex<Option<Seen>>,
}

/// What the last mark was of.
struct Seen {
    device: u64,
    inode: u64,
    length: u64,
    hasher: Sha256,
}

impl<'d> Marker<'d> {
    /// Of the log in the state folder.
    pub fn new(disk: &'d dyn Disk, state: &Path) -> Self {
        Self { disk, state: state.to_owned(), seen: Mutex::default() }
    }

    /// None where there is no log, and none of one that has lost lines since this saw it: the last mark tells of them. What is
    /// marked is durable: it must not look cut because of a power cut.
    pub fn mark(&self, now: Timestamp) -> io::Result<Option<Mark>> {
        let Some(folder) = self.disk.open_folder_if_there(&self.state)? else { return Ok(None) };
        let Some(found) = folder.entry(FILE)? else { return Ok(None) };
        // Whoever panicked had taken it out.
        let mut kept = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match kept.take_if(|seen| seen.is_of(&found)) {
            Some(cut) if found.size < cut.length => {
                *kept = Some(cut);
                return Ok(None);
            }
            Some(seen) if found.size == seen.length => seen,
            Some(seen) => seen.read_on(&*folder)?,
            None => {
                let seen = Seen::nothing_of(&found).read_on(&*folder)?;
                folder.sync()?;
                seen
            }
        };
        Ok(Some(kept.insert(seen).mark(now)))
    }
}

impl Seen {
    fn nothing_of(file: &Status) -> Self {
        Self { device: file.device, inode: file.inode, length: 0, hasher: Sha256::new() }
    }

    fn is_of(&self, file: &Status) -> bool {
        (self.device, self.inode) == (file.device, file.inode)
    }

    fn read_on(mut self, folder: &dyn Folder) -> io::Result<Self> {
        let (bytes, file) = folder.read_synced_from(FILE, self.length, MOST).map_err(ReadError::into_io)?;
        if !self.is_of(&file) {
            return Err(io::Error::other("the log was put aside just now"));
        }
        self.length += bytes.len() as u64;
        self.hasher.update(&bytes);
        Ok(self)
    }

    fn mark(&self, at: Timestamp) -> Mark {
        Mark { at, length: self.length, sha256: self.hasher.clone().finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::log::OLD;
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn mark(second: i64, bytes: &[u8]) -> Option<Mark> {
        Some(Mark { at: at(second), length: bytes.len() as u64, sha256: Sha256::digest(bytes).into() })
    }

    fn with_log(bytes: &[u8]) -> (tempfile::TempDir, Marker<'static>) {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(FILE), bytes).unwrap();
        let marker = Marker::new(&RealDisk, state.path());
        (state, marker)
    }

    fn append(state: &tempfile::TempDir, bytes: &[u8]) {
        OpenOptions::new().append(true).open(state.path().join(FILE)).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn without_a_log_there_is_no_mark() {
        let state = tempfile::tempdir().unwrap();
        for folder in [state.path(), &state.path().join("none")] {
            assert_eq!(Marker::new(&RealDisk, folder).mark(at(5)).unwrap(), None);
        }
    }

    #[test]
    fn each_mark_is_of_all_that_stands_there_then() {
        let (state, marker) = with_log(b"");
        assert_eq!(marker.mark(at(1)).unwrap(), mark(1, b""));
        append(&state, b"one\n");
        assert_eq!(marker.mark(at(2)).unwrap(), mark(2, b"one\n"));
        assert_eq!(marker.mark(at(3)).unwrap(), mark(3, b"one\n"));
        append(&state, b"two\nthree\n");
        assert_eq!(marker.mark(at(4)).unwrap(), mark(4, b"one\ntwo\nthree\n"));
    }

    /// What is read again would be taken for what it was.
    #[test]
    fn a_line_that_was_changed_since_is_marked_as_it_was() {
        let (state, marker) = with_log(b"one\n");
        marker.mark(at(1)).unwrap();
        fs::write(state.path().join(FILE), b"two\nthree\n").unwrap();
        assert_eq!(marker.mark(at(2)).unwrap(), mark(2, b"one\nthree\n"));
    }

    #[test]
    fn no_mark_is_taken_of_a_log_that_lost_lines_until_they_are_there_again() {
        let (state, marker) = with_log(b"one\ntwo\n");
        marker.mark(at(1)).unwrap();
        fs::write(state.path().join(FILE), b"one\n").unwrap();
        assert_eq!(marker.mark(at(2)).unwrap(), None);
        append(&state, b"two\nthree\n");
        assert_eq!(marker.mark(at(3)).unwrap(), mark(3, b"one\ntwo\nthree\n"));
    }

    #[test]
    fn the_file_that_takes_the_place_of_a_full_one_is_marked_from_its_start() {
        let (state, marker) = with_log(b"one\n");
        marker.mark(at(1)).unwrap();
        fs::rename(state.path().join(FILE), state.path().join(OLD)).unwrap();
        fs::write(state.path().join(FILE), b"two\nthree\n").unwrap();
        assert_eq!(marker.mark(at(2)).unwrap(), mark(2, b"two\nthree\n"));
    }
}
