use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

fn folder() -> (tempfile::TempDir, Box<dyn Folder>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = RealDisk.open_folder(temporary.path()).unwrap();
    (temporary, folder)
}

#[test]
fn a_created_file_is_ours_alone_and_creating_it_twice_fails() {
    let (temporary, folder) = folder();
    folder.create("a").unwrap().write(b"x").unwrap();
    assert_eq!(folder.entry("a").unwrap().unwrap().mode, 0o600);
    assert_eq!(folder.create("a").err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(temporary.path().join("a")).unwrap(), b"x");
}

#[test]
fn reading_never_goes_through_a_symlink_a_fifo_or_over_the_limit() {
    let (temporary, folder) = folder();
    std::fs::write(temporary.path().join("real"), b"12345").unwrap();
    symlink("real", temporary.path().join("link")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, temporary.path().join("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    assert!(matches!(folder.read("link", 10), Err(ReadError::NotAFile)));
    assert!(matches!(folder.read("fifo", 10), Err(ReadError::NotAFile)));
    assert!(matches!(folder.read("real", 4), Err(ReadError::TooLarge { limit: 4 })));
    assert_eq!(folder.read("real", 5).unwrap().0, b"12345");
    assert_eq!(folder.read_synced("real", 5).unwrap(), folder.read("real", 5).unwrap());
    assert!(matches!(folder.read_synced("link", 10), Err(ReadError::NotAFile)));
    for (from, rest) in [(0, "12345"), (3, "45"), (5, ""), (6, "")] {
        assert_eq!(folder.read_synced_from("real", from, 5).unwrap().0, rest.as_bytes(), "{from}");
    }
    assert!(folder.read("none", 5).err().unwrap().is_not_found());
}

#[test]
fn resolving_follows_links_keeps_a_missing_last_name_and_ends_on_a_loop() {
    let (temporary, _folder) = folder();
    let root = temporary.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("real")).unwrap();
    symlink("real", root.join("folder-link")).unwrap();
    symlink("folder-link/file", root.join("file-link")).unwrap();
    assert_eq!(RealDisk.resolve(&root.join("file-link")).unwrap(), root.join("real/file"));
    assert_eq!(RealDisk.resolve(&root.join("none/at/all")).unwrap(), root.join("none/at/all"));
    symlink("b", root.join("a")).unwrap();
    symlink("a", root.join("b")).unwrap();
    assert!(RealDisk.resolve(&root.join("a")).is_err());
}

#[test]
fn what_stands_at_a_path_is_what_its_links_lead_to() {
    let (temporary, folder) = folder();
    let at = |name: &str| RealDisk.status_at(&temporary.path().join(name));
    std::fs::write(temporary.path().join("real"), b"12345").unwrap();
    symlink("real", temporary.path().join("link")).unwrap();
    symlink("none", temporary.path().join("dangling")).unwrap();
    symlink("loop", temporary.path().join("loop")).unwrap();
    let real = folder.entry("real").unwrap();
    assert!(real.is_some_and(|status| status.kind == Kind::File && status.size == 5));
    assert_eq!(at("real").unwrap(), real);
    assert_eq!(at("link").unwrap(), real);
    assert_eq!(at("none").unwrap(), None);
    assert_eq!(at("none/below").unwrap(), None);
    assert_eq!(at("dangling").unwrap(), None);
    assert!(at("loop").is_err());
}

#[test]
fn a_second_holder_is_told_who_holds_the_lock() {
    let (_temporary, folder) = folder();
    let held = folder.lock("l", Duration::ZERO).unwrap();
    let Err(LockError::Held { pid }) = folder.lock("l", Duration::ZERO) else { panic!("locked twice") };
    assert_eq!(pid, Some(std::process::id()));
    drop(held);
    assert!(folder.lock("l", Duration::ZERO).is_ok());
}

#[test]
fn a_lock_that_was_let_go_is_free_though_a_child_has_its_descriptor_still() {
    let (temporary, folder) = folder();
    let file = File::create(temporary.path().join("lock")).unwrap();
    file.lock().unwrap();
    let child = file.try_clone().unwrap();
    drop(RealLock(file));
    assert!(folder.lock("lock", Duration::ZERO).is_ok());
    drop(child);
}

#[test]
fn made_folders_are_closed_to_others() {
    let (temporary, _folder) = folder();
    let path = temporary.path().join("a/b");
    RealDisk.make_folder(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    RealDisk.make_folder(&path).unwrap();
}
