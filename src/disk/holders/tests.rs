use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::disk::RealDisk;

const LONG: Duration = Duration::from_secs(60);

/// No process has it.
const NOBODY: u32 = 4_000_000_000;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("locks");
    RealDisk.make_folder(&path).unwrap();
    (temporary, path)
}

fn lock(path: &Path, name: &str) -> Box<dyn Lock> {
    RealDisk.open_folder(path).unwrap().lock(name, Duration::ZERO).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let mut names = RealDisk.open_folder(path).unwrap().names().unwrap();
    names.sort();
    names
}

/// Whom that tells, and who still holds on at the end.
fn told(path: &Path, patience: Duration) -> (Vec<u32>, Vec<Option<u32>>) {
    let heard = RefCell::new(Vec::new());
    let told = tell(&RealDisk, path, patience, |pid| heard.borrow_mut().push(pid)).unwrap();
    assert_eq!(told.number(), heard.borrow().len());
    (heard.take(), told.wait())
}

#[test]
fn where_there_is_no_folder_there_is_nobody() {
    let (_temporary, path) = folder();
    assert_eq!(told(&path.join("none"), LONG), (vec![], vec![]));
    assert!(!is_any(&RealDisk, &path.join("none")).unwrap());
    assert!(!is_any(&RealDisk, &path).unwrap());
}

#[test]
fn who_holds_its_own_lock_is_told_by_its_name_and_who_holds_another_by_what_is_in_it() {
    let (_temporary, path) = folder();
    let own = lock(&path, &format!("{NOBODY}.lock"));
    let other = lock(&path, "0123456789abcdef0123456789abcdef.lock");
    let us = std::process::id();
    assert!(is_any(&RealDisk, &path).unwrap());
    let (mut pids, mut still) = told(&path, Duration::ZERO);
    pids.sort();
    still.sort();
    let mut both = [NOBODY, us];
    both.sort();
    assert_eq!((pids, still), (both.to_vec(), both.map(Some).to_vec()));
    drop((own, other));
    assert_eq!(told(&path, Duration::ZERO), (vec![], vec![]));
}

#[test]
fn who_lets_go_when_told_is_waited_for_and_leaves_nothing() {
    let (_temporary, path) = folder();
    let name = format!("{NOBODY}.lock");
    let held = RefCell::new(Some(lock(&path, &name)));
    let told = tell(&RealDisk, &path, LONG, |_| drop(held.take())).unwrap();
    assert_eq!((told.number(), names(&path)), (1, vec![name]));
    assert_eq!(told.wait(), []);
    assert!(names(&path).is_empty());
}

#[test]
fn what_is_left_of_a_process_is_swept_and_what_a_users_lock_is_taken_on_stays() {
    let (_temporary, path) = folder();
    let held = PassingLock::own(&RealDisk, &path).unwrap();
    let own = format!("{}.lock", std::process::id());
    let (left, users) = (format!("{NOBODY}.lock"), "0123456789abcdef0123456789abcdef.lock".to_owned());
    drop((lock(&path, &left), lock(&path, &users)));
    assert_eq!(names(&path).len(), 3);
    held.sweep();
    assert_eq!(names(&path), {
        let mut rest = [own, users.clone()];
        rest.sort();
        rest
    });
    drop(held);
    drop(lock(&path, &left));
    assert_eq!(told(&path, LONG), (vec![], vec![]));
    assert_eq!(names(&path), [users]);
}

/// Each of them looks at every lock; were it to take them for that, the others would take it for a holder.
#[test]
fn those_who_look_at_once_do_not_take_each_other_for_holders() {
    let (_temporary, path) = folder();
    let users = (0..200).map(|number| format!("{number:032x}.lock"));
    users.chain((0..100).map(|number| format!("{}.lock", NOBODY + number))).for_each(|name| drop(lock(&path, &name)));
    let told = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..30 {
                    let found = tell(&RealDisk, &path, LONG, |_| ()).unwrap();
                    told.fetch_add(found.number(), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(told.into_inner(), 0);
    assert_eq!(names(&path).len(), 200);
}

#[test]
fn a_lock_whose_file_goes_with_it_is_one_process_s_at_a_time_and_is_found_while_it_is_held() {
    let (_temporary, path) = folder();
    let name = "one.lock".to_owned();
    let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let held = PassingLock::take(&RealDisk, &path, name.clone(), LONG).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two have it");
                    assert!(is_any(&RealDisk, &path).unwrap(), "nobody would find it");
                    taken.fetch_add(1, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(held);
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 100);
    assert!(names(&path).is_empty());
}
