//! How the last scheduled run went: nobody was there to see it, so the next person at a terminal hears of it.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::remembered::{self, Unreadable, VERSION};
use crate::disk::{Disk, Folder, Lock, LockError, replace};
use crate::names::ProfileName;

/// In the state folder.
pub const FILE: &str = "schedule.json";
const TEMPORARY: &str = ".schedule.json.tmp";
/// Held for a moment, by who changes the file.
const FILE_LOCK: &str = ".schedule.json.lock";
/// Held by a run from its start to its end.
const RUN_LOCK: &str = ".schedule.lock";
const PATIENCE: Duration = Duration::from_secs(10);
/// Ten thousand profiles may have failed.
const MOST: u64 = 4 * 1024 * 1024;

/// One run. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    version: u32,
    /// When it ended.
    pub time: Timestamp,
    /// The exit code.
    pub exit: u8,
    pub rotated: u32,
    /// For a grace to be over, or for a person.
    pub waiting: u32,
    pub failed: Vec<Failed>,
    /// Somebody at a terminal has heard of it.
    #[serde(default)]
    told: bool,
    /// Somebody did since what it failed at.
    #[serde(default)]
    mended: bool,
}

/// A profile whose key is still to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    pub profile: ProfileName,
    pub reason: Reason,
}

/// One word for each exit code that a run can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    State,
    Locked,
    Refused,
    Network,
    NotTrusted,
    Unfinished,
    PersonNeeded,
    Internal,
}

impl Reason {
    /// None where nothing failed.
    pub fn of_exit(code: u8) -> Option<Self> {
        Some(match code {
            0 => return None,
            3 => Self::Locked,
            4 => Self::Refused,
            5 => Self::Network,
            6 => Self::NotTrusted,
            7 => Self::Unfinished,
            8 => Self::PersonNeeded,
            70 => Self::Internal,
            _ => Self::State,
        })
    }
}

/// There is a run a day. An hour of it the scheduler may take at random, and a machine may be off for the first of two.
const LATE: SignedDuration = SignedDuration::from_hours(49);

impl LastRun {
    pub fn new(time: Timestamp, exit: u8) -> Self {
        Self { version: VERSION, time, exit, rotated: 0, waiting: 0, failed: Vec::new(), told: false, mended: false }
    }

    /// Whether another should have come since.
    pub fn is_long_ago(&self, now: Timestamp) -> bool {
        now.duration_since(self.time) > LATE
    }

    /// None where it went well.
    pub fn reason(&self) -> Option<Reason> {
        Reason::of_exit(self.exit)
    }

    /// Whether it failed as `earlier` did, at what nobody has done since: who has heard of that has heard of this.
    pub fn is_no_news(&self, earlier: &Self) -> bool {
        self.exit == earlier.exit && self.failed == earlier.failed && !earlier.mended
    }

    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The last run, if there was one.
    pub fn last(disk: &dyn Disk, state: &Path) -> Result<Option<Self>, Unreadable> {
        remembered::load(disk, state, FILE, MOST)
    }

    /// Takes the place of what was remembered, which it gives.
    pub fn record(&self, disk: &dyn Disk, state: &Path) -> io::Result<Option<Self>> {
        disk.make_folder(state)?;
        let folder = disk.open_folder(state)?;
        let _lock = lock(&*folder)?;
        // What can't be read any more has nothing to say.
        let earlier = read(&*folder).unwrap_or_default();
        self.write(&*folder)?;
        Ok(earlier)
    }

    pub fn is_mended(&self) -> bool {
        self.mended
    }

    /// Remembers that somebody heard of this run, unless there was another meanwhile.
    pub fn tell(&self, disk: &dyn Disk, state: &Path) -> io::Result<()> {
        self.change(disk, state, |now| Self { told: true, ..now })
    }

    /// Remembers that what it failed at was done by hand.
    pub fn mend(&self, disk: &dyn Disk, state: &Path) -> io::Result<()> {
        self.change(disk, state, |now| Self { mended: true, ..now })
    }

    fn change(&self, disk: &dyn Disk, state: &Path, change: impl FnOnce(Self) -> Self) -> io::Result<()> {
        let folder = disk.open_folder(state)?;
        let _lock = lock(&*folder)?;
        match read(&*folder).map_err(io::Error::other)? {
            Some(now) if now == *self => change(now).write(&*folder),
            _ => Ok(()),
        }
    }

    /// Forgets the last run; there will be no other.
    pub fn forget(disk: &dyn Disk, state: &Path) -> io::Result<()> {
        let forgotten = disk.open_folder(state).and_then(|folder| folder.remove(FILE));
        match forgotten {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn write(&self, folder: &dyn Folder) -> io::Result<()> {
        // Left by a run that was killed; under the lock nobody else's.
        let _ = folder.remove(TEMPORARY);
        let bytes = serde_json::to_vec(self)?;
        replace(folder, FILE, TEMPORARY, 0o600, &bytes, || Ok(())).in_force()
    }
}

/// Two runs at once would only be in each other's way. Held while what it gives lives; [`LockError::Held`] where another goes
/// on.
pub fn only_run(disk: &dyn Disk, state: &Path) -> Result<Box<dyn Lock>, LockError> {
    disk.make_folder(state)?;
    disk.open_folder(state)?.lock(RUN_LOCK, Duration::ZERO)
}

fn lock(folder: &dyn Folder) -> io::Result<Box<dyn Lock>> {
    folder.lock(FILE_LOCK, PATIENCE).map_err(io::Error::other)
}

fn read(folder: &dyn Folder) -> Result<Option<LastRun>, Unreadable> {
    remembered::read(folder, FILE, MOST)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::disk::RealDisk;

    fn failed(exit: u8) -> LastRun {
        let failed = Failed { profile: "prod".parse().unwrap(), reason: Reason::of_exit(exit).unwrap() };
        LastRun { rotated: 2, waiting: 1, failed: vec![failed], ..LastRun::new(Timestamp::UNIX_EPOCH, exit) }
    }

    #[test]
    fn what_is_recorded_is_what_is_read_and_nobody_elses_to_read() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        assert_eq!(LastRun::last(&RealDisk, &state).unwrap(), None);
        assert_eq!(failed(3).record(&RealDisk, &state).unwrap(), None);
        assert_eq!(LastRun::last(&RealDisk, &state).unwrap(), Some(failed(3)));
        assert_eq!(failed(8).record(&RealDisk, &state).unwrap(), Some(failed(3)));
        let file = state.join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(r#"{"profile":"prod","reason":"person-needed"}"#), "{text}");
        LastRun::forget(&RealDisk, &state).unwrap();
        LastRun::forget(&RealDisk, &state).unwrap();
        assert_eq!(LastRun::last(&RealDisk, &state).unwrap(), None);
    }

    #[test]
    fn a_run_is_told_once_and_the_next_one_anew() {
        let state = tempfile::tempdir().unwrap();
        let (disk, state) = (RealDisk, state.path());
        failed(3).record(&disk, state).unwrap();
        failed(3).tell(&disk, state).unwrap();
        assert!(LastRun::last(&disk, state).unwrap().unwrap().is_told());
        failed(4).record(&disk, state).unwrap();
        // Who was told of the earlier one has not heard of this.
        failed(3).tell(&disk, state).unwrap();
        assert!(!LastRun::last(&disk, state).unwrap().unwrap().is_told());
    }

    #[test]
    fn a_damaged_record_is_told_and_replaced_by_the_next() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join(FILE), "{").unwrap();
        std::fs::write(state.path().join(TEMPORARY), "{").unwrap();
        assert!(LastRun::last(&RealDisk, state.path()).is_err());
        assert_eq!(failed(5).record(&RealDisk, state.path()).unwrap(), None);
        assert_eq!(LastRun::last(&RealDisk, state.path()).unwrap(), Some(failed(5)));
    }

    #[test]
    fn two_runs_never_overlap() {
        let state = tempfile::tempdir().unwrap();
        let first = only_run(&RealDisk, state.path()).unwrap();
        assert!(matches!(only_run(&RealDisk, state.path()), Err(LockError::Held { .. })));
        drop(first);
        assert!(only_run(&RealDisk, state.path()).is_ok());
    }
}
