//! What the state folder remembers of the schedule, in small JSON files, and why one of them can't be read. Nothing in them is
//! worth more than a word about it: whoever writes the file next makes it anew.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::disk::{Disk, Folder, ReadError};

/// The version of both files. The first had none in one of them.
pub const VERSION: u32 = 1;

#[derive(Debug, Error)]
pub enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("damaged")]
    Damaged,
    #[error("of a later version")]
    Later,
}

/// None where there is no such file.
pub fn load<T: DeserializeOwned>(
    disk: &dyn Disk,
    state: &Path,
    name: &str,
    most: u64,
) -> Result<Option<T>, Unreadable> {
    match disk.open_folder_if_there(state)? {
        Some(folder) => read(&*folder, name, most),
        None => Ok(None),
    }
}

pub fn read<T: DeserializeOwned>(folder: &dyn Folder, name: &str, most: u64) -> Result<Option<T>, Unreadable> {
    let bytes = match folder.read(name, most) {
        Err(error) if error.is_not_found() => return Ok(None),
        Err(ReadError::Io(error)) => return Err(error.into()),
        Err(ReadError::NotAFile | ReadError::TooLarge { .. }) => return Err(Unreadable::Damaged),
        Ok((bytes, _)) => bytes,
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| Unreadable::Damaged)?;
    match value.get("version").map(Value::as_u64) {
        None | Some(Some(1)) => {}
        Some(Some(later)) if later > u64::from(VERSION) => return Err(Unreadable::Later),
        Some(_) => return Err(Unreadable::Damaged),
    }
    serde_json::from_value(value).map(Some).map_err(|_| Unreadable::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    #[test]
    fn what_is_damaged_and_what_a_later_version_wrote_are_told_apart_from_nothing() {
        let state = tempfile::tempdir().unwrap();
        let load = || load::<Vec<u8>>(&RealDisk, state.path(), "it.json", 64);
        assert!(matches!(load(), Ok(None)));
        let write = |text: &str| std::fs::write(state.path().join("it.json"), text).unwrap();
        write("[1,2]");
        assert_eq!(load().unwrap(), Some(vec![1, 2]));
        for damaged in ["", "{", "[1,", "\"it\"", "{}", "{\"version\":1}", "{\"version\":0}", "{\"version\":\"2\"}"] {
            write(damaged);
            assert!(matches!(load(), Err(Unreadable::Damaged)), "{damaged}");
        }
        write(&format!("[{}1]", " ".repeat(64)));
        assert!(matches!(load(), Err(Unreadable::Damaged)), "longer than any of ours");
        write("{\"version\":2,\"more\":[]}");
        assert!(matches!(load(), Err(Unreadable::Later)));
        std::fs::remove_file(state.path().join("it.json")).unwrap();
        std::fs::create_dir(state.path().join("it.json")).unwrap();
        assert!(matches!(load(), Err(Unreadable::Damaged)));
    }
}
