//! Everything that may happen next.

use super::real::Real;
use super::runner::{self, Label, Next};
use super::world::*;

/// Which of all that is let happen.
#[derive(Clone, Copy)]
pub struct Rules {
    pub second: Second,
    pub wishes: &'static [Wish],
}

/// What else there is beside the first machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Second {
    None,
    /// Another machine with the very same file.
    Shared,
    /// Another machine with a copy, made at any time.
    Copy,
    /// No other machine, but a copy made at any time is put in the place of the vault later.
    Backup,
}

pub const WISHES: &[Wish] = &[Wish::Rotate, Wish::Resume, Wish::Undo, Wish::Now, Wish::NowForce, Wish::KeepOld];

/// Without an undo.
pub const FORWARD: &[Wish] = &[Wish::Rotate, Wish::Resume, Wish::Now, Wish::NowForce];

pub fn next(world: &World, rules: &Rules, real: &mut Real) -> Vec<Next> {
    let mut all = Vec::new();
    for machine in 0..2 {
        if world.runs[machine].is_some() {
            all.extend(runner::outcomes(world, machine, real));
            crashes(world, machine, &mut all);
        } else if may_begin(world, machine, rules) {
            begins(world, machine, rules, &mut all);
        }
    }
    copies(world, rules, &mut all);
    people(world, &mut all);
    time(world, &mut all);
    lists(world, &mut all);
    all
}

fn push(all: &mut Vec<Next>, label: Label, world: World) {
    all.push(Next { label, world, ended: None, wrong: None });
}

fn may_begin(world: &World, machine: usize, rules: &Rules) -> bool {
    let has_file = world.files[world.file_of(machine)].is_some();
    let is_there = machine == 0 || matches!(rules.second, Second::Shared | Second::Copy);
    world.left.runs > 0 && has_file && is_there
}

fn begins(world: &World, machine: usize, rules: &Rules, all: &mut Vec<Next>) {
    let named = world.shown.all().filter(|key| world.exists(*key));
    let named = named.flat_map(|key| [Wish::Delete(key), Wish::ResumeDelete(key)]);
    for wish in rules.wishes.iter().copied().chain(named) {
        for session in if world.mfa { &[true, false][..] } else { &[false] } {
            let mut world = runner::begin(world, machine, wish, *session);
            world.left.runs -= 1;
            let did = if *session { "begins, with a session" } else { "begins" };
            push(all, Label { step: None, ..Label::of(machine, wish_text(wish, did)) }, world);
        }
    }
}

fn wish_text(wish: Wish, begins: &'static str) -> &'static str {
    match wish {
        Wish::Rotate => begins,
        Wish::Resume => "begins: --resume",
        Wish::Undo => "begins: --undo",
        Wish::Now => "begins: --now",
        Wish::ResumeNow => "begins: --resume --now",
        Wish::NowForce => "begins: --now --force",
        Wish::KeepOld => "begins: --keep-old",
        Wish::Delete(_) => "begins: --delete-key",
        Wish::ResumeDelete(_) => "begins: --resume --delete-key",
    }
}

fn crashes(world: &World, machine: usize, all: &mut Vec<Next>) {
    if world.left.crashes == 0 {
        return;
    }
    let mut crashed = *world;
    crashed.left.crashes -= 1;
    crashed.runs[machine] = None;
    push(all, Label::of(machine, "dies"), crashed);
    let file = crashed.file_mut(machine);
    if file.live != file.durable {
        file.live = file.durable;
        let (place, other) = (crashed.file_of(machine), 1 - machine);
        if crashed.file_of(other) == place
            && let Some(other) = &mut crashed.runs[other]
        {
            other.stale = true;
        }
        push(all, Label::of(machine, "dies of a power loss"), crashed);
    }
}

fn copies(world: &World, rules: &Rules, all: &mut Vec<Next>) {
    let copied = matches!(rules.second, Second::Copy | Second::Backup);
    if copied && world.files[1].is_none() {
        let mut copy = *world;
        let file = copy.files[0].expect("the first machine has a file");
        copy.files[1] = Some(File { durable: file.live, ..file });
        push(all, Label::outside("the vault file is copied", None), copy);
    }
    if rules.second == Second::Backup
        && world.runs[0].is_none()
        && !world.taken
        && let Some(old) = world.files[1]
    {
        let mut back = *world;
        let file = back.file_mut(0);
        // What it replaces is kept beside it.
        file.kept = file.kept.and(file.held());
        (file.live, file.durable) = (old.live, old.live);
        back.taken = true;
        push(all, Label::outside("the copy is put in the place of the vault", None), back);
    }
}

/// Somebody at the console.
fn people(world: &World, all: &mut Vec<Next>) {
    if world.left.acts == 0 {
        return;
    }
    let mut world = *world;
    world.left.acts -= 1;
    let mut made = world;
    if let Some(key) = made.make_key(Maker::Person, false) {
        push(all, Label::outside("somebody makes a key", Some(key)), made);
    }
    for key in (0..KEYS as Key).filter(|key| world.exists(*key)) {
        let mut gone = world;
        gone.taken |= is_known(&world, key);
        gone.keys[key as usize] = None;
        push(all, Label::outside("somebody deletes a key", Some(key)), gone);
        let mut switched = world;
        let active = world.is_active(key);
        switched.taken |= active && is_known(&world, key);
        let key_there = switched.key(key).expect("it exists");
        // Whoever switches it has seen it in a list.
        (key_there.active, key_there.hidden) = (!active, false);
        let did = if active { "somebody switches a key off" } else { "somebody switches a key on" };
        push(all, Label::outside(did, Some(key)), switched);
    }
}

/// To a vault, or to a run that is about to save it.
fn is_known(world: &World, key: Key) -> bool {
    let in_hand = |run: &Run| matches!(run.at, At::Holding(held) | At::Dropping(held) if held == key);
    world.held().has(key) || world.runs.iter().flatten().any(in_hand)
}

fn time(world: &World, all: &mut Vec<Next>) {
    for (did, spans, grace_is_over) in [("half a minute passes", 1, false), ("the grace passes", LONG, true)] {
        let mut later = *world;
        later.pass(spans, grace_is_over);
        if later != *world {
            push(all, Label::outside(did, None), later);
        }
    }
}

/// The next list comes from another server, which has not heard of the youngest keys, or has.
fn lists(world: &World, all: &mut Vec<Next>) {
    for (did, hidden) in [("a list that has caught up", false), ("a list that lags", true)] {
        let mut other = *world;
        other.keys.iter_mut().flatten().for_each(|key| key.hidden = hidden && key.age < LAG);
        if other != *world {
            push(all, Label::outside(did, None), other);
        }
    }
}
