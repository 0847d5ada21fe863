//! Many threads that save together, on a disk that fails.

use std::collections::BTreeSet;
use std::thread;

use vault::names::ProfileName;
use vault::store::document::{Document, Profile};
use vault::store::group::{Group, GroupError};

use super::vault::{opened, stamp, vault_in_use};
use crate::fault_disk::{FaultDisk, Image};

const MEMBERS: usize = 3;
/// One after the other, by each member.
const CHANGES: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Saved,
    NotCommitted,
    NotDurable,
    Stopped,
}

fn change(group: &Group, name: String) -> (String, Told) {
    let profile: ProfileName = name.parse().unwrap();
    let insert = move |document: &mut Document| -> Result<(), ()> {
        document.profiles.insert(profile.clone(), Profile::default());
        Ok(())
    };
    let told = match group.edit(&stamp(), insert) {
        Ok(()) => Told::Saved,
        Err(GroupError::NotCommitted(_)) => Told::NotCommitted,
        Err(GroupError::NotDurable(_)) => Told::NotDurable,
        Err(GroupError::Stopped(_)) => Told::Stopped,
        Err(GroupError::Refused(())) => unreachable!("it does not refuse"),
    };
    (name, told)
}

/// What every member was told of its changes, in its order.
fn run(disk: &FaultDisk) -> Vec<Vec<(String, Told)>> {
    // A disk that can't be read is no matter of the group's.
    let Ok(mut vault) = opened(disk) else { return Vec::new() };
    let group = Group::new(&mut vault);
    let changes = |member: usize| (0..CHANGES).map(|n| change(&group, format!("{member}/{n}"))).collect();
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
fn judge(disk: &FaultDisk, told: &[(String, Told)]) -> Result<(), String> {
    let now = names(&disk.image())?;
    for (name, told) in told {
        if now.contains(name) != matches!(told, Told::Saved | Told::NotDurable) {
            return Err(format!("{name} was told {told:?}, which is not so"));
        }
    }
    for crash in disk.crashes_at_the_end() {
        let left = names(&crash.image)?;
        let lost = told.iter().find(|(name, told)| *told == Told::Saved && !left.contains(name));
        if let Some((name, _)) = lost {
            return Err(format!("{name} was saved, and a power cut took it: {crash}"));
        }
    }
    Ok(())
}

#[test]
fn whatever_fails_every_member_of_a_group_is_told_what_became_of_its_own_change() {
    let undisturbed = FaultDisk::on(vault_in_use());
    assert!(run(&undisturbed).into_iter().flatten().all(|(_, told)| told == Told::Saved));
    let mut seen = Vec::new();
    for fault in undisturbed.faults() {
        let disk = FaultDisk::failing(vault_in_use(), fault);
        let members = run(&disk);
        for member in &members {
            let first_unsure = member.iter().position(|(_, told)| matches!(told, Told::NotDurable | Told::Stopped));
            let later = first_unsure.map_or(&[][..], |first| &member[first + 1..]);
            assert!(later.iter().all(|(_, told)| *told == Told::Stopped), "{fault:?}: went on after {member:?}");
        }
        let told: Vec<_> = members.into_iter().flatten().collect();
        judge(&disk, &told).unwrap_or_else(|wrong| panic!("{fault:?}: {wrong}\n{}", disk.told()));
        seen.extend(told.into_iter().map(|(_, told)| told));
    }
    for outcome in [Told::Saved, Told::NotCommitted, Told::NotDurable, Told::Stopped] {
        assert!(seen.contains(&outcome), "{outcome:?} was never met");
    }
}
