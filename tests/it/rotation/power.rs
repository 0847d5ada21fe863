//! The power goes at any operation of a whole rotation, and the disk fails at any operation of its saves.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use aws_sim::Snapshot;
use rustix::io::Errno;

use super::stage::{Ran, Stage};
use crate::fault_disk::{Fault, FaultDisk, Image};

const CHANGES: [&str; 3] = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];

/// AWS as it was before one operation of the disk, and how many changes had been asked of it.
struct Before {
    aws: Snapshot,
    changes: usize,
}

/// What a power cut can leave, and AWS as it is then.
struct Cut<'a> {
    told: String,
    image: Image,
    aws: &'a Snapshot,
    /// Whether AWS was asked for a change right before or after.
    is_beside_a_change: bool,
}

/// A whole rotation, with the power cut before each of its operations that is chosen; says how many those are.
fn cut_a_rotation(chosen: impl Fn(&Stage, &Cut) -> bool, goes_on: impl Fn(&Stage, &FaultDisk)) -> usize {
    let stage = Stage::new();
    let disk = stage.fault_disk();
    cut_a_run(&stage, &disk, &[], chosen, goes_on)
}

fn cut_a_run(
    stage: &Stage,
    disk: &FaultDisk,
    flags: &[&str],
    chosen: impl Fn(&Stage, &Cut) -> bool,
    goes_on: impl Fn(&Stage, &FaultDisk),
) -> usize {
    let seen: Arc<Mutex<Vec<Before>>> = Arc::default();
    let (onlooker, seeing) = (stage.sim().onlooker(), Arc::clone(&seen));
    let look = move || {
        let changes = CHANGES.iter().map(|action| onlooker.count(action)).sum();
        Before { aws: onlooker.snapshot(), changes }
    };
    disk.watch(move |_| {
        seeing.lock().unwrap().push(look());
        None
    });
    stage.rotate_on(disk, flags).succeeds();
    let moments = std::mem::take(&mut *seen.lock().unwrap());
    disk.mend();
    let mut tried = 0;
    for cut in cuts(disk, &moments).into_iter().filter(|cut| chosen(stage, cut)) {
        stage.sim().go_back_to(cut.aws);
        println!("--- {}", cut.told);
        goes_on(stage, &FaultDisk::on(cut.image));
        tried += 1;
    }
    tried
}

/// Nothing that was unsynced survives, or all of it does. Where AWS was asked for something since the operation before,
/// the power may have gone before or after that.
fn cuts<'a>(disk: &FaultDisk, moments: &'a [Before]) -> Vec<Cut<'a>> {
    let mut cuts = Vec::new();
    for (number, moment) in moments.iter().enumerate().skip(1) {
        let (earlier, later) = (&moments[number - 1], moments.get(number + 1).unwrap_or(moment));
        let changed = earlier.changes != moment.changes;
        let is_beside_a_change = changed || later.changes != moment.changes;
        let crashes = disk.crashes_at(number);
        let ends = crashes.iter().take(2).map(|crash| (crash.to_string(), &crash.image));
        for (told, image) in ends {
            let cut =
                |aws, when: &str| Cut { told: told.clone() + when, image: image.clone(), aws, is_beside_a_change };
            cuts.push(cut(&moment.aws, ""));
            if changed {
                cuts.push(cut(&earlier.aws, ", and AWS was not asked yet"));
            }
        }
    }
    cuts
}

/// Resumes what is left on the disk, does what is said where that takes a person, and signs in.
fn goes_on(stage: &Stage, disk: &FaultDisk) {
    let ran = stage.rotate_on(disk, &["--resume"]);
    match ran.code() {
        0 => {}
        8 => drop(stage.follow_hint_on(disk, &ran).succeeds()),
        _ => panic!("{}", ran.shown()),
    }
    let state = stage.held_on(disk).state;
    assert!(matches!(state, None | Some("retired")), "{state:?}\n{}", ran.shown());
    stage.signs_in_on(disk);
}

#[test]
fn a_power_cut_beside_any_change_at_aws_is_recovered_from() {
    let tried = cut_a_rotation(|_, cut| cut.is_beside_a_change, goes_on);
    println!("{tried} power cuts");
    assert!(tried >= 10, "{tried}");
}

#[test]
#[ignore = "takes minutes"]
fn a_power_cut_at_any_operation_of_a_rotation_is_recovered_from() {
    let tried = cut_a_rotation(|_, _| true, goes_on);
    println!("{tried} power cuts");
    assert!(tried >= 200, "{tried}");
}

/// The secret of the new key is in what the killed save left, and nowhere else.
fn has_the_key_in_a_leftover(stage: &Stage, cut: &Cut) -> bool {
    let left = cut.image.leftovers();
    let documents = left.iter().filter_map(|file| stage.document_in(cut.image.file(file)?));
    let has_the_key = documents.into_iter().any(|document| Stage::held_in(&document).state == Some("created"));
    has_the_key && lacks_the_key(stage, cut)
}

fn lacks_the_key(stage: &Stage, cut: &Cut) -> bool {
    stage.held_on(&FaultDisk::on(cut.image.clone())).state == Some("intended")
}

/// Resumes with the key that AWS made, and asks for no other.
fn goes_on_with_the_key(stage: &Stage, disk: &FaultDisk) {
    let [_, made] = &stage.sim().access_keys(&stage.user)[..] else { panic!("no new key") };
    let ran = stage.rotate_on(disk, &["--resume"]);
    ran.succeeds().says("is saved in a file beside the vault; going on with it");
    assert_eq!((ran.count("CreateAccessKey"), ran.count("DeleteAccessKey")), (0, 0));
    let held = stage.held_on(disk);
    assert_eq!((held.current.id.as_str(), held.state), (&*made.access_key_id, Some("retired")));
    assert_eq!(disk.image().leftovers(), [] as [String; 0]);
    stage.signs_in_on(disk);
}

#[test]
fn a_kill_before_the_save_of_the_new_key_has_its_name_goes_on_with_that_key() {
    let tried = cut_a_rotation(has_the_key_in_a_leftover, goes_on_with_the_key);
    println!("{tried} kills");
    assert!(tried >= 4, "{tried}");
}

/// Until the next save has the key, nothing takes away what the killed one left.
#[test]
fn a_second_kill_before_the_key_is_in_the_vault_goes_on_with_it_too() {
    let first = Cell::new(true);
    let is_first = |stage: &Stage, cut: &Cut| has_the_key_in_a_leftover(stage, cut) && first.replace(false);
    cut_a_rotation(is_first, |stage, disk| {
        let tried = cut_a_run(stage, disk, &["--resume"], lacks_the_key, goes_on_with_the_key);
        println!("{tried} kills");
        assert!(tried >= 20, "{tried}");
    });
    assert!(!first.get());
}

/// The nth operation on the disk after AWS was asked for the action this often fails. Gives all that was told; None where there
/// are fewer.
fn a_failure_after(action: &'static str, times: usize, nth: usize, error: Errno, lasting: bool) -> Option<String> {
    let stage = Stage::new();
    let disk = stage.fault_disk();
    let (onlooker, struck) = (stage.sim().onlooker(), Arc::new(Mutex::new(false)));
    let (mut since, striking) = (0, Arc::clone(&struck));
    disk.watch(move |at| {
        since += usize::from(onlooker.count(action) >= times);
        *striking.lock().unwrap() |= since == nth;
        (since == nth).then_some(Fault { at, error, lasting })
    });
    let ran = stage.rotate_on(&disk, &[]);
    disk.mend();
    if !*struck.lock().unwrap() {
        return None;
    }
    println!("--- operation {nth} after {action}: {error}, lasting: {lasting}\n{}", ran.shown());
    tells_where_it_stands(&stage, &disk, &ran);
    if ran.code() != 0 {
        assert!(matches!(ran.code(), 1 | 7), "{}", ran.shown());
    }
    goes_on(&stage, &disk);
    Some(ran.shown())
}

/// What is told of how far it came is what the vault says.
fn tells_where_it_stands(stage: &Stage, disk: &FaultDisk, ran: &Ran) {
    let told = [
        ("stopped before a new key was made", Some("intended")),
        ("stopped after the new key was saved", Some("created")),
        ("stopped after the new key was put to use", Some("proven")),
        ("stopped after the old key was switched off", Some("retired")),
        ("stopped at its end", None),
    ];
    let (message, state) = (ran.shown(), stage.held_on(&FaultDisk::on(disk.image())).state);
    let told = told.into_iter().find(|(words, _)| message.contains(words));
    assert!(told.is_none_or(|(_, told)| told == state), "{state:?}\n{message}");
}

/// A save that is in force but may be undone is neither nothing nor all.
#[test]
fn a_disk_that_stops_the_save_of_the_new_key_is_told_with_where_the_rotation_stands() {
    let after = |nth| a_failure_after("CreateAccessKey", 1, nth, Errno::IO, true);
    let told: Vec<String> = (25..=40).filter_map(after).collect();
    let undone = told.iter().filter(|told| told.contains("was deleted again")).count();
    let saved: Vec<_> = told.iter().filter(|told| told.contains("a power cut now may undo the last save")).collect();
    assert!(undone > 0 && !saved.is_empty(), "{told:?}");
    for told in saved {
        assert!(told.contains("rotation of `prod` stopped after the new key was saved; both keys work"), "{told}");
        assert!(told.contains(" is made and saved"), "{told}");
    }
}

/// Every operation of the save that holds the new key.
#[test]
fn a_disk_that_is_full_at_any_operation_of_the_save_of_the_new_key_loses_nothing() {
    let tried = (1..=20).map_while(|nth| a_failure_after("CreateAccessKey", 1, nth, Errno::NOSPC, true)).count();
    assert_eq!(tried, 20, "the save has more operations than that");
}

#[test]
#[ignore = "takes minutes"]
fn a_disk_that_fails_at_any_operation_of_any_save_loses_nothing() {
    for (action, times) in [("UpdateAccessKey", 1), ("CreateAccessKey", 1), ("UpdateAccessKey", 2)] {
        for (error, lasting) in [(Errno::NOSPC, true), (Errno::NOSPC, false), (Errno::IO, true), (Errno::IO, false)] {
            let tried = (1..=60).map_while(|nth| a_failure_after(action, times, nth, error, lasting)).count();
            println!("{tried} failures by {error} after {action} {times}");
            assert!(tried >= 10, "{tried}");
        }
    }
}
