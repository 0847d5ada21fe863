//! What was issued and revealed, one JSON line each, for the person who later asks "who had a session then?". Never a
//! secret, and of an access key only its last four.

mod entry;
mod mark;
mod marker;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::disk::{Disk, ReadError};
use crate::names::{AccessKeyId, ProfileName};
use crate::process;

pub use entry::{Entry, Text};
pub use mark::{Broken, Held, Mark, check};
pub use marker::Marker;

const FILE: &str = "log.jsonl";
const OLD: &str = "log.jsonl.1";

/// One generation back is kept, so the log takes twice this at most.
const FULL: u64 = 10 * 1024 * 1024;

/// Programs that find it not yet full at once all add a line; no more than this is ours.
const MOST: u64 = FULL + 1024 * 1024;

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A session was made by AWS.
    Issued,
    /// A cached session was handed out.
    Reused,
    /// A session was traded for a sign-in to the console.
    Console,
    /// Of an access key of a profile's user, at AWS.
    KeyCreated,
    KeyDisabled,
    KeyEnabled,
    KeyDeleted,
    /// A long-term key was shown.
    Revealed,
    /// The vault identity was shown.
    IdentityRevealed,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    act: Act,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a ProfileName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    caller_pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
}

/// What happened, to be written down.
pub struct Event<'a> {
    pub act: Act,
    pub profile: Option<&'a ProfileName>,
    pub access_key: Option<&'a AccessKeyId>,
    pub role: Option<&'a str>,
}

/// Adds a line, in one write: two programs at once give two whole lines.
pub fn append(disk: &dyn Disk, state: &Path, time: Timestamp, event: &Event) -> io::Result<()> {
    let (caller_pid, caller) = process::caller();
    let last_four = event.access_key.map(|id| &id.as_str()[id.as_str().len() - 4..]);
    let line = Line {
        time,
        act: event.act,
        profile: event.profile,
        access_key: last_four,
        role: event.role,
        caller_pid,
        caller,
    };
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    disk.make_folder(state)?;
    let folder = disk.open_folder(state)?;
    if folder.entry(FILE)?.is_some_and(|file| file.size >= FULL) {
        folder.rename(FILE, OLD)?;
    }
    folder.append(FILE, &bytes)
}

/// The bytes of the log: what was put aside, and what is added to.
#[derive(Default)]
pub struct Files {
    pub old: Vec<u8>,
    pub current: Vec<u8>,
}

/// One of them that can't be read.
#[derive(Debug)]
pub struct Unreadable {
    pub path: PathBuf,
    pub error: ReadError,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub file: &'static str,
    /// From 1.
    pub line: usize,
}

impl Files {
    /// Empty where nothing was written down yet.
    pub fn read(disk: &dyn Disk, state: &Path) -> Result<Self, Unreadable> {
        let unreadable = |name| move |error: ReadError| Unreadable { path: state.join(name), error };
        let folder = disk.open_folder_if_there(state).map_err(|error| unreadable(FILE)(error.into()))?;
        let Some(folder) = folder else { return Ok(Self::default()) };
        let read = |name| match folder.read(name, MOST) {
            Err(error) if error.is_not_found() => Ok((Vec::new(), None)),
            other => other.map(|(bytes, status)| (bytes, Some(status.inode))).map_err(unreadable(name)),
        };
        // Where the current file is put aside between the two, it is read twice: better than not at all.
        let (current, inode) = read(FILE)?;
        let (old, old_inode) = read(OLD)?;
        let put_aside_just_now = inode.is_some() && inode == old_inode;
        Ok(Self { old, current: if put_aside_just_now { read(FILE)?.0 } else { current } })
    }

    /// The oldest first.
    pub fn each(&self) -> [(&'static str, &[u8]); 2] {
        [(OLD, &self.old), (FILE, &self.current)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn event(act: Act) -> Event<'static> {
        Event { act, profile: None, access_key: None, role: None }
    }

    #[test]
    fn each_event_is_one_whole_line_with_the_last_four_of_the_key_only() {
        let state = tempfile::tempdir().unwrap();
        let (profile, id) = ("prod".parse().unwrap(), "AKIAIOSFODNN7EXAMPLE".parse().unwrap());
        let full = Event { profile: Some(&profile), access_key: Some(&id), ..event(Act::Issued) };
        append(&RealDisk, state.path(), Timestamp::UNIX_EPOCH, &full).unwrap();
        append(&RealDisk, state.path(), Timestamp::UNIX_EPOCH, &event(Act::IdentityRevealed)).unwrap();
        let text = std::fs::read_to_string(state.path().join(FILE)).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["profile"], "prod");
        assert_eq!(lines[0]["access_key"], "MPLE");
        assert_eq!(lines[0]["time"], "1970-01-01T00:00:00Z");
        assert_eq!(lines[1]["act"], "identity-revealed");
        assert_eq!(lines[1]["caller_pid"], std::os::unix::process::parent_id());
        assert!(!text.contains("AKIA"));
    }

    #[test]
    fn a_full_log_is_put_aside_once_and_nothing_is_written_over() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(FILE);
        std::fs::write(&path, vec![b'x'; FULL as usize]).unwrap();
        append(&RealDisk, state.path(), Timestamp::UNIX_EPOCH, &event(Act::Issued)).unwrap();
        assert_eq!(std::fs::metadata(state.path().join(OLD)).unwrap().len(), FULL);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn both_files_are_read_and_none_is_no_error() {
        let state = tempfile::tempdir().unwrap();
        let none = Files::read(&RealDisk, &state.path().join("none")).unwrap();
        assert!(none.old.is_empty() && none.current.is_empty());
        std::fs::write(state.path().join(OLD), b"old").unwrap();
        assert_eq!(Files::read(&RealDisk, state.path()).unwrap().each(), [(OLD, &b"old"[..]), (FILE, b"")]);
        std::fs::write(state.path().join(FILE), b"current").unwrap();
        assert_eq!(Files::read(&RealDisk, state.path()).unwrap().each(), [(OLD, &b"old"[..]), (FILE, b"current")]);
        std::fs::write(state.path().join(FILE), vec![b'x'; MOST as usize + 1]).unwrap();
        let Err(Unreadable { path, error: ReadError::TooLarge { limit: MOST } }) = Files::read(&RealDisk, state.path())
        else {
            panic!("it was read")
        };
        assert_eq!(path, state.path().join(FILE));
    }
}
