//! The one way a file's content is put in place of another's, and proof that the enumeration catches each way to get it
//! wrong.

use std::io;
use std::path::Path;

use vault::disk::{Disk, Folder, Replaced, replace};

use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image};

const OLD: &[u8] = b"the old bytes, which are the longer ones of the two";
const NEW: &[u8] = b"the new bytes";

type Save = fn(&dyn Folder, temporary: &str) -> Replaced;

struct Replacing {
    save: Save,
}

impl Replacing {
    fn run(&self, disk: &FaultDisk, temporary: &str) -> Replaced {
        match disk.open_folder(Path::new("/folder")) {
            Ok(folder) => (self.save)(folder.as_ref(), temporary),
            Err(error) => Replaced::NotCommitted(error),
        }
    }
}

impl Scenario for Replacing {
    fn start(&self) -> Image {
        Image::empty(0).with("/folder/file", 0o600, Body::File(OLD.to_vec()))
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        match self.run(disk, "temporary") {
            Replaced::NotCommitted(_) => Ended::NotCommitted,
            Replaced::Committed => Ended::Committed,
            Replaced::CommittedNotDurable(_) => Ended::CommittedNotDurable,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        // A new name each time, as the callers of `replace` have it: what an earlier crash left must not be in the way.
        let temporary = format!("temporary-{}", disk.image().tree().0.len());
        match self.run(disk, &temporary) {
            Replaced::Committed => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        match image.file("/folder/file") {
            Some(OLD) => Ok(State::Old),
            Some(NEW) => Ok(State::New),
            Some(other) => Err(format!("the file holds {:?}", String::from_utf8_lossy(other))),
            None => Err("the file is gone".to_owned()),
        }
    }
}

#[test]
fn a_replaced_file_is_the_old_or_the_new_one_after_any_crash_and_any_disk_error() {
    let save: Save = |folder, temporary| replace(folder, "file", temporary, 0o640, NEW, || Ok(()));
    let tried = try_everything(&Replacing { save }).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("replacing a file: {tried}");
    assert!(tried.crashes >= 400 && tried.faults >= 30, "{tried}");
}

fn written(folder: &dyn Folder, temporary: &str, sync: bool) -> io::Result<()> {
    let mut file = folder.create(temporary)?;
    file.write(NEW)?;
    if sync { file.sync() } else { Ok(()) }
}

fn outcome(before_rename: io::Result<()>, after_rename: impl FnOnce() -> io::Result<()>) -> Replaced {
    match before_rename {
        Err(error) => Replaced::NotCommitted(error),
        Ok(()) => after_rename().map_or_else(Replaced::CommittedNotDurable, |()| Replaced::Committed),
    }
}

fn caught(save: Save) -> String {
    match try_everything(&Replacing { save }) {
        Ok(tried) => panic!("not caught: {tried}"),
        Err(wrong) => wrong,
    }
}

#[test]
fn a_save_that_does_not_sync_the_file_is_caught() {
    let wrong = caught(|folder, temporary| {
        let prepared = written(folder, temporary, false).and_then(|()| folder.rename(temporary, "file"));
        outcome(prepared, || folder.sync())
    });
    assert!(wrong.contains("the file holds \"\""), "{wrong}");
}

#[test]
fn a_save_that_does_not_sync_the_folder_is_caught() {
    let wrong = caught(|folder, temporary| {
        let prepared = written(folder, temporary, true).and_then(|()| folder.rename(temporary, "file"));
        outcome(prepared, || Ok(()))
    });
    assert!(wrong.contains("told Committed, and a power cut led to the Old state"), "{wrong}");
}

#[test]
fn a_save_that_removes_the_old_file_first_is_caught() {
    let wrong = caught(|folder, temporary| {
        let prepared = written(folder, temporary, true).and_then(|()| folder.remove("file"));
        outcome(prepared.and_then(|()| folder.rename(temporary, "file")), || folder.sync())
    });
    assert!(wrong.contains("the file is gone"), "{wrong}");
}

#[test]
fn a_save_that_calls_a_failed_folder_sync_a_success_is_caught() {
    let wrong = caught(|folder, temporary| {
        let prepared = written(folder, temporary, true).and_then(|()| folder.rename(temporary, "file"));
        outcome(prepared, || folder.sync().or(Ok(())))
    });
    assert!(wrong.contains("told Committed"), "{wrong}");
}

#[test]
fn a_save_that_syncs_again_after_a_failed_sync_is_caught() {
    let wrong = caught(|folder, temporary| {
        let prepared = folder.create(temporary).and_then(|mut file| {
            file.write(NEW)?;
            file.sync().or_else(|_| file.sync())
        });
        outcome(prepared.and_then(|()| folder.rename(temporary, "file")), || folder.sync())
    });
    assert!(wrong.contains("the file holds"), "{wrong}");
}

#[test]
fn a_save_that_takes_an_unfinished_write_for_a_file_is_caught() {
    let wrong = caught(|folder, temporary| {
        let _ = written(folder, temporary, true);
        outcome(folder.rename(temporary, "file"), || folder.sync())
    });
    assert!(wrong.contains("the file holds \"the ne\""), "{wrong}");
}
