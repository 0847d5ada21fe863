//! Every way that a rotation can go, small enough to be walked through to the last: the planner and the journal that the
//! program has, and around them an AWS, a disk, processes that die, replies that get lost, other machines and other people.

//!
//! What no rule of ours mends, found here and left:
//! - Somebody switches the new key off, or deletes it, in the moment between our list that shows it active and our call that
//!   switches the old one off. Both are in the vault still, or the old one is: the next run switches it on by a session with
//!   MFA, and without MFA a person does at the console.
//! - `--undo` on one machine while another one, with the same file or a copy, is between its list and its call: the lock that
//!   keeps two runs apart is a machine's own. Each takes away the key that the other counts on.
//! - A person names another machine's new key to `--delete-key`.
//! - Every key of the vault was deleted by others: a new one has to be put in, whatever journal stands.

mod invariants;
mod moves;
mod real;
mod rest;
mod runner;
mod search;
mod world;

use std::time::Instant;

use vault::names::ProfileName;
use vault::store::restoring::{Earlier, restored};

use moves::{FORWARD, Rules, Second, WISHES};
use real::Real;
use world::{Left, Wish, World};

#[track_caller]
fn holds(name: &str, second: Second, wishes: &'static [Wish], left: Left, limit: Option<usize>) {
    let mut real = Real::new();
    for mfa in [false, true] {
        let began = Instant::now();
        let rules = Rules { second, wishes };
        let mut start = World::new(mfa, left);
        start.second = u8::from(second == Second::Copy);
        let found = search::explore(start, &rules, limit, &mut real);
        let (states, resting, asked) = (found.states, found.resting, real.asked());
        println!("{name}, mfa {mfa}: {states} states, {resting} at rest, {asked:?} asked, {:.1?}", began.elapsed());
        if let Some((wrong, trace)) = found.violation {
            panic!("{wrong}, after {} steps:\n  {}", trace.len(), trace.join("\n  "));
        }
    }
}

/// What is small enough for every day.
const FEW: &[Wish] = &[Wish::Rotate, Wish::NowForce];
const BACK: &[Wish] = &[Wish::Rotate, Wish::Undo];
/// The nearest ones of many.
const SOME: Option<usize> = Some(40_000);

#[test]
fn one_machine_whatever_fails() {
    holds("one machine", Second::None, WISHES, Left { crashes: 2, faults: 1, acts: 0, runs: 2 }, None);
}

#[test]
fn one_machine_and_somebody_at_the_console() {
    holds("a person", Second::None, WISHES, Left { crashes: 1, faults: 0, acts: 2, runs: 1 }, None);
    holds("an undo", Second::None, BACK, Left { crashes: 1, faults: 0, acts: 1, runs: 2 }, None);
}

#[test]
fn two_machines_with_one_file() {
    holds("one file", Second::Shared, FEW, Left { crashes: 0, faults: 0, acts: 0, runs: 2 }, SOME);
}

#[test]
fn two_machines_with_a_copy_each() {
    holds("two copies", Second::Copy, FEW, Left { crashes: 0, faults: 0, acts: 0, runs: 2 }, SOME);
}

#[test]
fn an_old_copy_in_the_place_of_the_vault() {
    holds("an old copy", Second::Backup, FEW, Left { crashes: 1, faults: 0, acts: 0, runs: 2 }, SOME);
}

/// Of all states that a vault goes through: an earlier one, brought back over a later one, changes no key and no journal.
#[test]
fn restoring_an_earlier_generation_leaves_the_keys_of_a_rotation_alone() {
    let mut real = Real::new();
    let left = Left { crashes: 0, faults: 0, acts: 0, runs: 1 };
    search::explore(World::new(false, left), &Rules { second: Second::None, wishes: WISHES }, None, &mut real);
    let prod: ProfileName = "prod".parse().unwrap();
    let stands = real.stands();
    let states: Vec<_> = stands.iter().map(|stand| (stand, real.document(stand))).collect();
    assert!(states.len() > 8, "{} states", states.len());
    for (stand, standing) in &states {
        for (_, old) in &states {
            let newest = || Earlier { generation: 3, profile: &old.profiles[&prod] };
            let restored = restored(newest(), Some(&standing.profiles[&prod]), Some(newest()), false).ok().unwrap();
            let mut document = standing.clone();
            document.profiles.insert(prod.clone(), restored.profile);
            assert_eq!(real::read(&document), **stand);
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn one_machine_and_everything() {
    holds("failures", Second::None, WISHES, Left { crashes: 2, faults: 2, acts: 0, runs: 3 }, None);
    holds("people and failures", Second::None, WISHES, Left { crashes: 1, faults: 1, acts: 2, runs: 2 }, None);
}

#[test]
#[ignore = "takes minutes"]
fn two_machines_and_everything_but_an_undo() {
    holds("one file", Second::Shared, FORWARD, Left { crashes: 1, faults: 1, acts: 0, runs: 2 }, None);
    holds("two copies", Second::Copy, FORWARD, Left { crashes: 1, faults: 1, acts: 0, runs: 2 }, None);
    holds("an old copy", Second::Backup, WISHES, Left { crashes: 1, faults: 1, acts: 1, runs: 2 }, None);
}
