use super::*;
use crate::store::group::Group;
use crate::store::group::tests::{add, made, other_program, stamp};
use crate::store::kept::Keep;
use std::collections::BTreeSet;
use std::fs;
use std::thread;

impl Group<'_, '_> {
    fn wait_until_have_come(&self, count: u64) {
        while self.vault.came.load(Ordering::SeqCst) < count {
            thread::yield_now();
        }
    }

    fn profiles(&self) -> Result<BTreeSet<String>, ReopenError> {
        self.read(|vault| vault.document().profiles.keys().map(ToString::to_string).collect())
    }
}

#[test]
fn those_who_wait_share_one_opening_and_who_comes_later_has_another() {
    let (_temporary, path, group) = made();
    let group = &group;
    let take_the_file_away = || group.read(|_| fs::remove_file(&path).is_ok());
    let took = thread::scope(|scope| {
        let waiting = group.read(|_| {
            let waiting: Vec<_> = (0..5).map(|_| scope.spawn(take_the_file_away)).collect();
            group.wait_until_have_come(6);
            waiting
        });
        waiting.unwrap().into_iter().map(|reader| reader.join().unwrap().unwrap()).filter(|took| *took).count()
    });
    assert_eq!(took, 1);
    assert!(group.vault.room.lock().unwrap().open.is_none());
    assert!(matches!(group.profiles(), Err(ReopenError::Load(_))));
}

#[test]
fn who_comes_after_another_program_saved_reads_what_that_saved_though_the_vault_is_open_for_others() {
    let (_temporary, path, group) = made();
    let other = other_program(&group, &path);
    let first = group.vault.came.load(Ordering::SeqCst);
    let mut room = group.vault.room.lock().unwrap();
    let mut reads_theirs_and_leaves_it_open = |number, have_come| {
        let vault = room.enter(first + number, &AtomicU64::new(first + have_come)).unwrap();
        let has = !vault.document().profiles.is_empty();
        room.leave(vault);
        (has, room.open.is_some())
    };
    assert_eq!(reads_theirs_and_leaves_it_open(0, 3), (false, true));
    other.edit(Keep::Nothing, &stamp, add("theirs")).unwrap();
    assert_eq!(reads_theirs_and_leaves_it_open(1, 4), (false, true), "it came before they saved");
    assert_eq!(reads_theirs_and_leaves_it_open(3, 4), (true, true), "it came after they saved");
    assert_eq!(reads_theirs_and_leaves_it_open(2, 4), (true, false), "it was the last to leave");
}

#[test]
fn a_change_that_one_of_them_saved_is_read_by_those_who_wait() {
    let (_temporary, _path, group) = made();
    let group = &group;
    thread::scope(|scope| {
        let waiting = group.read(|_| {
            let waiting: Vec<_> = (0..5)
                .map(|n| {
                    scope.spawn(move || {
                        let name = format!("profile-{n}");
                        group.edit(Keep::Nothing, &stamp, add(&name)).unwrap();
                        assert!(group.profiles().unwrap().contains(&name));
                    })
                })
                .collect();
            group.wait_until_have_come(2);
            waiting
        });
        waiting.unwrap().into_iter().for_each(|writer| writer.join().unwrap());
    });
    assert_eq!(group.profiles().unwrap().len(), 5);
}

#[test]
fn who_panics_leaves_the_vault_to_those_who_wait() {
    let (_temporary, _path, group) = made();
    let group = &group;
    thread::scope(|scope| {
        let waiting = group.read(|_| {
            let panicking: Vec<_> = (0..2).map(|_| scope.spawn(|| group.read(|_| panic!("on purpose")))).collect();
            let reading: Vec<_> = (0..3).map(|_| scope.spawn(|| group.profiles())).collect();
            group.wait_until_have_come(6);
            (panicking, reading)
        });
        let (panicking, reading) = waiting.unwrap();
        panicking.into_iter().for_each(|reader| drop(reader.join().unwrap_err()));
        reading.into_iter().for_each(|reader| drop(reader.join().unwrap().unwrap()));
    });
    assert!(group.vault.room.lock().unwrap_or_else(PoisonError::into_inner).open.is_none());
}
