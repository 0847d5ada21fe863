use super::*;
use crate::disk::RealDisk;
use crate::names::ProfileName;
use crate::secret::Passphrase;
use crate::store::document::Profile;
use crate::store::file::Place;
use crate::store::kdf::KdfParameters;
use crate::store::vault::{Key, NewVault, create, open};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

type Edit = Box<dyn FnMut(&mut Document) -> Result<(), &'static str> + Send>;
type Outcome = thread::Result<Result<(), GroupError<&'static str>>>;

fn stamp() -> Stamp {
    Stamp { now: Timestamp::UNIX_EPOCH, writer: "laptop".into() }
}

fn made() -> (tempfile::TempDir, PathBuf, Vault<'static>) {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let new = NewVault {
        passphrase: Passphrase::new("correct horse".into()),
        kdf: KdfParameters::new([1; 16], 8192, 1, 2).unwrap(),
        memory: None,
        recovery: None,
        now: Timestamp::UNIX_EPOCH,
        writer: "host".into(),
    };
    let vault = create(&place(&path), new).unwrap();
    (temporary, path, vault)
}

fn place(path: &Path) -> Place<'static> {
    Place::new(&RealDisk, path, &path.with_file_name("state"))
}

fn add(name: &str) -> Edit {
    let name: ProfileName = name.parse().unwrap();
    Box::new(move |document| {
        document.profiles.insert(name.clone(), Profile::default());
        Ok(())
    })
}

fn saved(path: &Path, vault: &Vault) -> BTreeSet<String> {
    let opened = open(&place(path), &place(path).load().unwrap(), Key::Opener(vault.opener())).unwrap();
    let vault = opened.known().unwrap();
    vault.document().profiles.keys().map(ToString::to_string).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Has the edits wait for one save, the second one: `meanwhile` comes to pass when all of them wait and the first save is
/// about to be written.
fn together(group: &Group, edits: Vec<Edit>, meanwhile: impl FnOnce()) -> Vec<Outcome> {
    let (started, has_started) = channel();
    let (go, may_go) = channel();
    let first = move |document: &mut Document| {
        started.send(()).unwrap();
        may_go.recv().unwrap();
        add("first")(document)
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| group.edit(&stamp(), first));
        has_started.recv().unwrap();
        let count = edits.len();
        let members: Vec<_> = edits.into_iter().map(|edit| scope.spawn(|| group.edit(&stamp(), edit))).collect();
        while group.queue().waiting.len() < count {
            thread::yield_now();
        }
        meanwhile();
        go.send(()).unwrap();
        first.join().unwrap().unwrap();
        members.into_iter().map(|member| member.join()).collect()
    })
}

#[test]
fn many_changes_share_few_saves_and_every_one_is_there() {
    let (_temporary, path, mut vault) = made();
    let group = Group::new(&mut vault);
    thread::scope(|scope| {
        for member in 0..64 {
            let group = &group;
            scope.spawn(move || {
                for change in 0..16 {
                    group.edit(&stamp(), add(&format!("{member}/{change}"))).unwrap();
                }
            });
        }
    });
    drop(group);
    let saves = vault.version().generation - 1;
    println!("1024 changes in {saves} saves");
    assert!(saves < 1024 / 8, "{saves} saves");
    let expected = (0..64).flat_map(|member| (0..16).map(move |change| format!("{member}/{change}")));
    assert_eq!(saved(&path, &vault), expected.collect());
}

#[test]
fn who_waits_for_the_same_save_is_in_it() {
    let (_temporary, path, mut vault) = made();
    let outcomes = together(&Group::new(&mut vault), ["a", "b", "c"].map(add).into(), || ());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Ok(())))));
    assert_eq!(vault.version().generation, 3);
    assert_eq!(saved(&path, &vault), names(&["a", "b", "c", "first"]));
}

#[test]
fn a_refusal_fails_its_member_alone_and_leaves_nothing_of_it_behind() {
    let (_temporary, path, mut vault) = made();
    let refusing: Edit = Box::new(|document| {
        document.profiles.clear();
        Err("no")
    });
    let outcomes = together(&Group::new(&mut vault), vec![add("a"), refusing, add("b")], || ());
    assert!(matches!(outcomes[..], [Ok(Ok(())), Ok(Err(GroupError::Refused("no"))), Ok(Ok(()))]));
    assert_eq!(vault.version().generation, 3);
    assert_eq!(saved(&path, &vault), names(&["a", "b", "first"]));
}

#[test]
fn where_everybody_refuses_nothing_is_saved() {
    let (_temporary, path, mut vault) = made();
    let before = fs::read(&path).unwrap();
    let refused = Group::new(&mut vault).edit(&stamp(), |_| Err::<(), _>("no"));
    assert!(matches!(refused, Err(GroupError::Refused("no"))));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_panic_is_its_callers_alone_and_nobody_hangs() {
    let (_temporary, path, mut vault) = made();
    let group = Group::new(&mut vault);
    let panicking: Edit = Box::new(|document| {
        document.profiles.clear();
        panic!("on purpose")
    });
    let outcomes = together(&group, vec![add("a"), panicking, add("b")], || ());
    let [Ok(Ok(())), Err(panic), Ok(Ok(()))] = &outcomes[..] else { panic!("others heard of it") };
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    group.edit(&stamp(), add("later")).unwrap();
    drop(group);
    assert_eq!(saved(&path, &vault), names(&["a", "b", "first", "later"]));
}

#[test]
fn a_save_that_comes_to_nothing_is_told_to_everybody_in_it_and_to_nobody_else() {
    let (temporary, path, mut vault) = made();
    let group = Group::new(&mut vault);
    let mode = |mode| fs::set_permissions(temporary.path(), Permissions::from_mode(mode)).unwrap();
    let outcomes = together(&group, ["a", "b", "c"].map(add).into(), || mode(0o777));
    for outcome in outcomes {
        let Ok(Err(GroupError::NotCommitted(why))) = outcome else { panic!("told something else") };
        assert!(matches!(*why, NotCommitted::Save(_)), "{why}");
    }
    mode(0o700);
    group.edit(&stamp(), add("later")).unwrap();
    drop(group);
    assert_eq!(saved(&path, &vault), names(&["first", "later"]));
}

#[test]
fn an_edit_gives_back_what_it_said() {
    let (_temporary, _path, mut vault) = made();
    let group = Group::new(&mut vault);
    let generation = group.edit(&stamp(), |document| Ok::<_, ()>(document.meta.generation)).unwrap();
    assert_eq!(generation, 1);
}
