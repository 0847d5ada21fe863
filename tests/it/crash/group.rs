//! Many threads that save together, on a disk that fails.

use std::collections::BTreeSet;
use std::thread;

use vault::names::ProfileName;
use vault::store::document::{Document, Profile};
use vault::store::group::{Group, GroupError};
use vault::store::kept::Keep;

use super::vault::{judge_folder, opened, stamp, vault_in_use};
use crate::fault_disk::{FaultDisk, Image};

const MEMBERS: usize = 3;
/// One after the other, by each member.
const CHANGES: usize = 2;
/// Who is refused, with its first change.
const REFUSED: &str = "2/0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Saved,
    Refused,
    NotCommitted,
    NotDurable,
    /// Not durable at first.
    Settled,
    Stopped,
}

impl Told {
    fn is_there(self) -> bool {
        matches!(self, Self::Saved | Self::NotDurable | Self::Settled)
    }

    fn is_there_for_good(self) -> bool {
        matches!(self, Self::Saved | Self::Settled)
    }
}

#[derive(Clone, Debug)]
struct Change {
    name: String,
    told: Told,
    /// How many operations the disk had seen by then.
    by: usize,
}

/// What to do about a change that is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsure {
    GoOn,
    Settle,
}

fn change(group: &Group, name: &str, keep: Keep, unsure: Unsure) -> Told {
    let profile: ProfileName = name.parse().unwrap();
    let refuses = name == REFUSED;
    let insert = move |document: &mut Document| {
        document.profiles.insert(profile.clone(), Profile::default());
        if refuses { Err(()) } else { Ok(()) }
    };
    match group.edit(keep, &stamp, insert) {
        Ok(()) => Told::Saved,
        Err(GroupError::Refused(())) => Told::Refused,
        Err(GroupError::NotCommitted(_)) => Told::NotCommitted,
        Err(GroupError::NotDurable(_)) if unsure == Unsure::Settle && group.settle().is_ok() => Told::Settled,
        Err(GroupError::NotDurable(_)) => Told::NotDurable,
        Err(GroupError::Stopped(_)) => Told::Stopped,
    }
}

/// What every member was told of its changes, in its order.
fn run(disk: &FaultDisk, unsure: Unsure) -> Vec<Vec<Change>> {
    // A disk that can't be read is no matter of the group's.
    let Ok(vault) = opened(disk) else { return Vec::new() };
    let group = Group::new(vault.close());
    let changes = |member: usize| {
        let one = |n| {
            let name = format!("{member}/{n}");
            let keep = if n == 0 { Keep::Nothing } else { Keep::Predecessor };
            let told = change(&group, &name, keep, unsure);
            Change { name, told, by: disk.operation_count() }
        };
        (0..CHANGES).map(one).collect()
    };
    thread::scope(|scope| {
        let members: Vec<_> = (0..MEMBERS).map(|member| scope.spawn(move || changes(member))).collect();
        members.into_iter().map(|member| member.join().unwrap()).collect()
    })
}

fn names(image: &Image) -> Result<BTreeSet<String>, String> {
    let disk = FaultDisk::on(image.clone());
    Ok(opened(&disk)?.document().profiles.keys().map(ToString::to_string).collect())
}

/// What was told must be true now, and what was told to be saved must be there after a power cut too.
fn judge(disk: &FaultDisk, changes: &[Change]) -> Result<(), String> {
    let now = names(&disk.image())?;
    if let Some(wrong) = changes.iter().find(|change| now.contains(&change.name) != change.told.is_there()) {
        return Err(format!("{wrong:?}, which is not so"));
    }
    for crash in disk.crashes_at_the_end() {
        let left = names(&crash.image)?;
        let lost = changes.iter().find(|change| change.told.is_there_for_good() && !left.contains(&change.name));
        if let Some(lost) = lost {
            return Err(format!("{lost:?}, and a power cut took it: {crash}"));
        }
    }
    Ok(())
}

/// What was told of every change, with each fault that a run can meet.
fn with_every_fault(unsure: Unsure, judge_member: fn(&[Change]) -> Result<(), String>) -> Vec<Told> {
    let undisturbed = FaultDisk::on(vault_in_use());
    assert!(run(&undisturbed, unsure).iter().flatten().all(|change| change.told == expected(&change.name)));
    let mut seen = Vec::new();
    for fault in undisturbed.faults() {
        let disk = FaultDisk::failing(vault_in_use(), fault);
        let members = run(&disk, unsure);
        let changes = members.concat();
        let judged = members.iter().try_for_each(|member| judge_member(member)).and_then(|()| judge(&disk, &changes));
        judged.unwrap_or_else(|wrong| panic!("{fault:?}: {wrong}\n{changes:?}\n{}", disk.told()));
        seen.extend(changes.into_iter().map(|change| change.told));
    }
    seen
}

fn expected(name: &str) -> Told {
    if name == REFUSED { Told::Refused } else { Told::Saved }
}

#[test]
fn whatever_fails_every_member_of_a_group_is_told_what_became_of_its_own_change() {
    let stops_for_good = |member: &[Change]| {
        let unsure = |change: &Change| matches!(change.told, Told::NotDurable | Told::Stopped);
        let later = member.iter().skip_while(|change| !unsure(change)).skip(1);
        let went_on = later.into_iter().find(|change| change.told != Told::Stopped);
        went_on.map_or(Ok(()), |change| Err(format!("went on: {change:?}")))
    };
    let seen = with_every_fault(Unsure::GoOn, stops_for_good);
    for outcome in [Told::Saved, Told::Refused, Told::NotCommitted, Told::NotDurable, Told::Stopped] {
        assert!(seen.contains(&outcome), "{outcome:?} was never met");
    }
}

#[test]
fn what_a_member_settled_no_power_cut_takes_and_the_group_goes_on() {
    // One fault stops a group once, and what a lasting one stops can't be settled.
    let goes_on = |member: &[Change]| match member {
        [first, second] if first.told == Told::Settled && second.told == Told::Stopped => Err("it stopped".to_owned()),
        _ => Ok(()),
    };
    let seen = with_every_fault(Unsure::Settle, goes_on);
    for outcome in [Told::Saved, Told::Settled, Told::NotDurable] {
        assert!(seen.contains(&outcome), "{outcome:?} was never met");
    }
}

#[test]
fn after_a_power_cut_at_any_moment_a_group_has_lost_nothing_that_it_said_was_saved() {
    let disk = FaultDisk::on(vault_in_use());
    let changes = run(&disk, Unsure::GoOn).concat();
    let crashes = disk.crashes_from(0);
    println!("a group: {} crash points, {} distinct states", crashes.tried, crashes.distinct.len());
    assert!(crashes.tried >= 500);
    for crash in crashes.distinct {
        let told = |wrong: String| format!("{wrong}: {crash}\n{}", disk.told_up_to(crash.before));
        judge_folder(&crash.image).map_err(told).unwrap();
        let left = names(&crash.image).map_err(told).unwrap();
        assert!(!left.contains(REFUSED), "{}", told("what was refused is there".to_owned()));
    }
    // From the moment at which it was told.
    for Change { name, by, .. } in changes.iter().filter(|change| change.told.is_there_for_good()) {
        for crash in disk.crashes_at(*by) {
            assert!(names(&crash.image).unwrap().contains(name), "{name} is lost: {crash}\n{}", disk.told_up_to(*by));
        }
    }
}
