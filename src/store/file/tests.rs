use super::*;
use crate::disk::{Kind, RealDisk};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    (temporary, path)
}

fn place(path: &Path) -> Place<'static> {
    Place::new(&RealDisk, path, &path.with_file_name("state"))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Saves as generation N+1 over what stands as generation N.
fn save(path: &Path, generation: u64, bytes: &[u8]) -> Saved {
    let locked = place(path).lock().unwrap();
    let old = locked.load().unwrap();
    locked.sweep();
    locked.commit(Some((&old, generation)), bytes, 0, Timestamp::now())
}

#[test]
fn what_others_could_have_put_there_is_not_loaded() {
    let (temporary, path) = folder();
    assert!(matches!(place(&path).load(), Err(LoadError::Missing)));
    assert!(matches!(place(&path.join("no/such/folder")).load(), Err(LoadError::Io(_) | LoadError::Missing)));
    fs::write(&path, b"x").unwrap();
    set_mode(&path, 0o620);
    let refused = place(&path).load().err();
    assert!(matches!(refused, Some(LoadError::Untrusted(Untrusted::Writable { mode: 0o620, .. }))));
    set_mode(&path, 0o644);
    assert_eq!(place(&path).load().unwrap().bytes, b"x");
    set_mode(temporary.path(), 0o777);
    assert!(matches!(place(&path).load(), Err(LoadError::Untrusted(Untrusted::Writable { mode: 0o777, .. }))));
    assert!(matches!(place(&path).lock(), Err(SaveError::Load(LoadError::Untrusted(_)))));
    set_mode(temporary.path(), 0o1777);
    assert!(place(&path).load().is_ok());
}

#[test]
fn another_users_file_is_not_trusted_and_the_administrators_is() {
    let (temporary, _) = folder();
    let mut status = RealDisk.open_folder(temporary.path()).unwrap().status().unwrap();
    assert_eq!(trusted(&status, temporary.path()), Ok(()));
    status.owner = 0;
    assert_eq!(trusted(&status, temporary.path()), Ok(()));
    status.owner = rustix::process::geteuid().as_raw() + 1;
    assert!(matches!(trusted(&status, temporary.path()), Err(Untrusted::Owner { .. })));
    assert_eq!(status.kind, Kind::Folder);
}

#[test]
fn only_a_regular_file_of_bearable_size_is_loaded() {
    let (temporary, path) = folder();
    fs::create_dir(&path).unwrap();
    assert!(matches!(place(&path).load(), Err(LoadError::NotAFile)));
    let large = temporary.path().join("large.age");
    fs::File::create(&large).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert!(matches!(place(&large).load(), Err(LoadError::TooLarge)));
}

#[test]
fn a_save_replaces_the_file_behind_a_link_and_keeps_the_link_and_the_old_file() {
    let (temporary, path) = folder();
    let real = temporary.path().join("elsewhere");
    fs::create_dir(&real).unwrap();
    fs::write(real.join("real.age"), b"old").unwrap();
    symlink("elsewhere/real.age", &path).unwrap();
    let Saved::Committed(status) = save(&path, 7, b"new") else { panic!("not committed") };
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!((status.mode, status.inode), (0o600, fs::metadata(&path).unwrap().ino()));
    // The first bytes of the SHA-256 of "old".
    assert_eq!(names(&real), [".real.age.lock", "real.age", "real.age.g7-cba06b57"]);
    assert_eq!(fs::read(real.join("real.age.g7-cba06b57")).unwrap(), b"old");
}

#[test]
fn a_save_goes_on_where_one_that_was_cut_short_left_its_files() {
    let (temporary, path) = folder();
    fs::write(&path, b"old").unwrap();
    let beside = |name: &str| temporary.path().join(name);
    // Kept already, by the attempt before; and its half-written successor.
    fs::hard_link(&path, beside("vault.age.g7-cba06b57")).unwrap();
    fs::write(beside(".vault.age.0123456789abcdef.tmp"), b"ne").unwrap();
    let foreign =
        [".vault.age.0123456789ABCDEF.tmp", ".vault.age.123.tmp", "vault.age.tmp", ".other.0123456789abcdef.tmp"];
    for name in foreign {
        fs::write(beside(name), b"").unwrap();
    }
    assert!(matches!(save(&path, 7, b"new"), Saved::Committed(_)));
    let left = names(temporary.path());
    assert!(!left.contains(&".vault.age.0123456789abcdef.tmp".to_owned()));
    assert!(foreign.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
    assert_eq!(fs::read(beside("vault.age.g7-cba06b57")).unwrap(), b"old");
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn what_has_the_kept_files_name_and_is_not_it_gives_way() {
    let (temporary, path) = folder();
    fs::write(&path, b"old").unwrap();
    let kept = temporary.path().join("vault.age.g7-cba06b57");
    fs::write(&kept, b"half of it").unwrap();
    assert!(matches!(save(&path, 7, b"new"), Saved::Committed(_)));
    assert_eq!(fs::read(&kept).unwrap(), b"old");
}

#[test]
fn the_ten_last_generations_stay_beside_the_vault() {
    let (temporary, path) = folder();
    fs::write(&path, b"0").unwrap();
    for generation in 0..15_u64 {
        let saved = save(&path, generation, generation.to_string().as_bytes());
        assert!(matches!(saved, Saved::Committed(_)));
    }
    let kept = names(temporary.path()).into_iter().filter(|name| name.contains(".g")).count();
    assert_eq!(kept, 10);
    assert!(!names(temporary.path()).iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn who_waits_in_vain_for_the_lock_hears_who_holds_it() {
    let (_temporary, path) = folder();
    fs::write(&path, b"x").unwrap();
    let held = place(&path).lock().unwrap();
    let waited = place(&path).lock_within(Duration::ZERO);
    assert!(matches!(waited, Err(SaveError::Locked { pid: Some(pid) }) if pid == std::process::id()));
    drop(held);
    assert!(place(&path).lock_within(Duration::ZERO).is_ok());
}

#[test]
fn a_mounted_file_is_named_as_the_reason_it_cannot_be_replaced() {
    for errno in [Errno::BUSY, Errno::XDEV] {
        assert!(matches!(why_not(errno.into()), SaveError::Mounted));
    }
    assert!(matches!(why_not(Errno::NOSPC.into()), SaveError::Io(_)));
}

#[test]
fn the_copies_that_sync_programs_make_of_a_conflict_are_recognised() {
    for copy in [
        "vault (Anna's conflicted copy 2026-01-01).age",
        "vault (conflicted copy 2026-01-01 120000).age",
        "vault.sync-conflict-20260101-120000-ABCDEFG.age",
    ] {
        assert!(is_conflicted_copy("vault.age", copy), "{copy}");
    }
    for other in ["vault.age", "vault.age.g1-00000000", "notes (conflicted copy).age", "vault (conflicted copy).txt"] {
        assert!(!is_conflicted_copy("vault.age", other), "{other}");
    }
}
