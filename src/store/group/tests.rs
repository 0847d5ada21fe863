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

pub(super) type Edit = Box<dyn FnMut(&mut Document) -> Result<(), &'static str> + Send>;
type Outcome = thread::Result<Result<(), GroupError<&'static str>>>;

pub(super) fn stamp() -> Stamp {
    Stamp { now: Timestamp::UNIX_EPOCH, writer: "laptop".into(), log: None }
}

pub(super) fn made() -> (tempfile::TempDir, PathBuf, Group<'static, 'static>) {
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
    (temporary, path, Group::new(vault.close()))
}

fn place(path: &Path) -> Place<'static> {
    Place::new(&RealDisk, path, &path.with_file_name("state"))
}

pub(super) fn add(name: &str) -> Edit {
    let name: ProfileName = name.parse().unwrap();
    Box::new(move |document| {
        document.profiles.insert(name.clone(), Profile::default());
        Ok(())
    })
}

/// As another program that has the same vault open.
pub(super) fn other_program(group: &Group, path: &Path) -> Group<'static, 'static> {
    let opener = group.read(|vault| vault.opener().clone()).unwrap();
    let opened = open(&place(path), &place(path).load().unwrap(), Key::Opener(&opener)).unwrap();
    Group::new(opened.known().unwrap().close())
}

fn saved(group: &Group) -> BTreeSet<String> {
    group.read(|vault| vault.document().profiles.keys().map(ToString::to_string).collect()).unwrap()
}

fn generation(group: &Group) -> u64 {
    group.read(|vault| vault.version().generation).unwrap()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Has the edits wait for one save, the second one: `meanwhile` comes to pass when all of them wait and the first save is
/// about to be written.
fn together(group: &Group, edits: Vec<Edit>, meanwhile: impl FnOnce()) -> Vec<Outcome> {
    together_keeping(group, edits.into_iter().map(|edit| (Keep::Nothing, edit)).collect(), meanwhile)
}

fn together_keeping(group: &Group, edits: Vec<(Keep, Edit)>, meanwhile: impl FnOnce()) -> Vec<Outcome> {
    let (started, has_started) = channel();
    let (go, may_go) = channel();
    let first = move |document: &mut Document| {
        started.send(()).unwrap();
        may_go.recv().unwrap();
        add("first")(document)
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| group.edit(Keep::Nothing, &stamp, first));
        has_started.recv().unwrap();
        let count = edits.len();
        let save = |(keep, edit)| scope.spawn(move || group.edit(keep, &stamp, edit));
        let members: Vec<_> = edits.into_iter().map(save).collect();
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
    let (_temporary, _path, group) = made();
    thread::scope(|scope| {
        for member in 0..64 {
            let group = &group;
            scope.spawn(move || {
                for change in 0..16 {
                    group.edit(Keep::Nothing, &stamp, add(&format!("{member}/{change}"))).unwrap();
                }
            });
        }
    });
    let saves = generation(&group) - 1;
    println!("1024 changes in {saves} saves");
    assert!(saves < 1024 / 8, "{saves} saves");
    let expected = (0..64).flat_map(|member| (0..16).map(move |change| format!("{member}/{change}")));
    assert_eq!(saved(&group), expected.collect());
}

#[test]
fn who_waits_for_the_same_save_is_in_it() {
    let (_temporary, _path, group) = made();
    let outcomes = together(&group, ["a", "b", "c"].map(add).into(), || ());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Ok(())))));
    assert_eq!(generation(&group), 3);
    assert_eq!(saved(&group), names(&["a", "b", "c", "first"]));
}

#[test]
fn a_refusal_fails_its_member_alone_and_leaves_nothing_of_it_behind() {
    let (_temporary, _path, group) = made();
    let refusing: Edit = Box::new(|document| {
        document.profiles.clear();
        Err("no")
    });
    let outcomes = together(&group, vec![add("a"), refusing, add("b")], || ());
    assert!(matches!(outcomes[..], [Ok(Ok(())), Ok(Err(GroupError::Refused("no"))), Ok(Ok(()))]));
    assert_eq!(generation(&group), 3);
    assert_eq!(saved(&group), names(&["a", "b", "first"]));
}

#[test]
fn where_everybody_refuses_nothing_is_saved() {
    let (_temporary, path, group) = made();
    let before = fs::read(&path).unwrap();
    let refused = group.edit(Keep::Nothing, &stamp, |_| Err::<(), _>("no"));
    assert!(matches!(refused, Err(GroupError::Refused("no"))));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_panic_is_its_callers_alone_and_nobody_hangs() {
    let (_temporary, _path, group) = made();
    let panicking: Edit = Box::new(|document| {
        document.profiles.clear();
        panic!("on purpose")
    });
    let outcomes = together(&group, vec![add("a"), panicking, add("b")], || ());
    let [Ok(Ok(())), Err(panic), Ok(Ok(()))] = &outcomes[..] else { panic!("others heard of it") };
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    group.edit(Keep::Nothing, &stamp, add("later")).unwrap();
    assert_eq!(saved(&group), names(&["a", "b", "first", "later"]));
}

#[test]
fn a_save_that_comes_to_nothing_is_told_to_everybody_in_it_and_to_nobody_else() {
    let (temporary, _path, group) = made();
    let mode = |mode| fs::set_permissions(temporary.path(), Permissions::from_mode(mode)).unwrap();
    let outcomes = together(&group, ["a", "b", "c"].map(add).into(), || mode(0o777));
    for outcome in outcomes {
        let Ok(Err(GroupError::NotCommitted(why))) = outcome else { panic!("told something else") };
        assert!(matches!(*why, NotCommitted::Save(_)), "{why}");
    }
    mode(0o700);
    group.edit(Keep::Nothing, &stamp, add("later")).unwrap();
    assert_eq!(saved(&group), names(&["first", "later"]));
}

#[test]
fn an_edit_gives_back_what_it_said() {
    let (_temporary, _path, group) = made();
    let generation = group.edit(Keep::Nothing, &stamp, |document| Ok::<_, ()>(document.meta.generation)).unwrap();
    assert_eq!(generation, 1);
}

fn refuse() -> Edit {
    Box::new(|_| Err("no"))
}

fn kept(path: &Path) -> usize {
    place(path).kept_files().unwrap().len()
}

#[test]
fn the_file_that_is_replaced_is_kept_if_any_change_in_the_save_asks_for_that() {
    use Keep::{Nothing, Predecessor};
    let ways = [([Nothing, Nothing], 0), ([Nothing, Predecessor], 1), ([Predecessor, Nothing], 1)];
    for (keeps, expected) in ways {
        let (_temporary, path, group) = made();
        let edits = keeps.into_iter().zip(["a", "b"].map(add)).collect();
        together_keeping(&group, edits, || ());
        assert_eq!((kept(&path), generation(&group)), (expected, 3), "{keeps:?}");
    }
}

#[test]
fn who_is_refused_has_no_say_in_what_is_kept() {
    let (_temporary, path, group) = made();
    together_keeping(&group, vec![(Keep::Nothing, add("a")), (Keep::Predecessor, refuse())], || ());
    assert_eq!((kept(&path), generation(&group)), (0, 3));
}

#[test]
fn between_its_saves_other_programs_save_and_a_file_that_was_put_back_is_not_built_on() {
    let (_temporary, path, group) = made();
    other_program(&group, &path).edit(Keep::Nothing, &stamp, add("others")).unwrap();
    group.edit(Keep::Nothing, &stamp, add("ours")).unwrap();
    assert_eq!(saved(&group), names(&["others", "ours"]));
    let older = fs::read(&path).unwrap();
    group.edit(Keep::Nothing, &stamp, add("later")).unwrap();
    fs::write(&path, older).unwrap();
    let Err(GroupError::NotCommitted(why)) = group.edit(Keep::Nothing, &stamp, add("last")) else { panic!("saved") };
    assert!(matches!(*why, NotCommitted::Diverged), "{why}");
    assert!(matches!(group.read(|_| ()), Err(ReopenError::Diverged)));
    assert!(matches!(group.settle(), Err(ReopenError::Diverged)));
    assert!(matches!(group.keep_standing(), Err(NotCommitted::Diverged)));
}

#[test]
fn what_stands_is_kept_by_a_group_as_by_a_vault() {
    let (_temporary, path, group) = made();
    group.edit(Keep::Nothing, &stamp, add("a")).unwrap();
    group.keep_standing().unwrap();
    group.keep_standing().unwrap();
    let kept = || place(&path).kept_files().unwrap().into_iter().map(|(number, _)| number).collect::<BTreeSet<_>>();
    assert_eq!(kept(), [2].into());
    group.edit(Keep::Nothing, &stamp, add("b")).unwrap();
    group.keep_standing().unwrap();
    assert_eq!(kept(), [2, 3].into());
}

#[test]
fn who_panics_while_reading_is_alone_with_it() {
    let (_temporary, _path, group) = made();
    let panicked = catch_unwind(AssertUnwindSafe(|| group.read(|_| panic!("on purpose"))));
    assert!(panicked.is_err());
    group.edit(Keep::Nothing, &stamp, add("later")).unwrap();
    assert_eq!(saved(&group), names(&["later"]));
}
