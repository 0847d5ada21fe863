//! Whether a folder takes new files: by what the system says, and without making one.

use std::io;
use std::path::Path;

use rustix::fs::{Access, StatVfsMountFlags};
use rustix::io::Errno;

/// What is between a folder and a new file in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub may_write: MayWrite,
    /// So many bytes are left for us.
    pub free: u64,
    /// Whether the file system takes more files. Some make room for them as they come, and have none that could run out.
    pub takes_files: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayWrite {
    Yes,
    /// By its mode or owner.
    No,
    /// Nobody may: it is mounted read-only.
    ReadOnly,
}

/// None where there is no such folder.
pub(super) fn of(path: &Path) -> io::Result<Option<Room>> {
    let may_write = match rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => MayWrite::Yes,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::ROFS) => MayWrite::ReadOnly,
        Err(Errno::ACCESS | Errno::PERM) => MayWrite::No,
        Err(error) => return Err(error.into()),
    };
    let disk = rustix::fs::statvfs(path)?;
    // macOS answers `access` by the mode alone.
    let read_only = disk.f_flag.contains(StatVfsMountFlags::RDONLY);
    Ok(Some(Room {
        may_write: if read_only { MayWrite::ReadOnly } else { may_write },
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
        takes_files: disk.f_files == 0 || disk.f_favail > 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_it_is_known_whether_it_takes_files_and_of_none_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let room = of(folder.path()).unwrap().unwrap();
        assert_eq!((room.may_write, room.takes_files), (MayWrite::Yes, true));
        assert!(room.free > 0);
        assert_eq!(of(&folder.path().join("none")).unwrap(), None);
        // Of a process's own folder nobody makes room.
        #[cfg(target_os = "linux")]
        assert_eq!(of(Path::new("/proc/self")).unwrap().unwrap().free, 0);
    }
}
