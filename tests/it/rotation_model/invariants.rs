//! What must hold: in every state of the world, of every decision, and of every key that is taken away.

use vault::rotate::plan::{Depth, OwnIntent};

use super::real::Listed;
use super::world::*;

/// A proof counts for two spans.
const FRESH: Span = 2;

/// I2: some vault has, durably, the secret of a key that works, as long as nobody but the program took a key away.
pub fn state(world: &World) -> Option<&'static str> {
    let works = |file: &File| file.durable.held().all().any(|key| world.is_active(key));
    let locked_out = !world.taken && !world.files.iter().flatten().any(works);
    locked_out.then_some("I2: no vault has a key that works")
}

/// Of what a run decided from a list: I3 and I5.
pub fn decided(world: &World, machine: usize, run: &Run, listed: &Listed, step: Step) -> Option<&'static str> {
    let current_listed = listed[run.stand.current as usize].is_some_and(|(active, _)| active);
    let proved = run.memory.proof.is_some_and(|(key, age, _)| key == run.stand.current && age <= FRESH);
    let durable = run.stale || world.file(machine).durable == run.stand;
    match step {
        Step::Create => {
            let alone = listed.iter().flatten().count() == 1;
            let soon = matches!(run.stand.state, Journaled::Intended { age: 0 });
            let once = run.memory.intent == OwnIntent::Unsent;
            (!(alone && soon && once && current_listed && durable))
                .then_some("I5: a key is made twice, late, or beside another")
        }
        Step::Save(Save::Prove) => {
            let proof = run.memory.proof.filter(|(_, age, depth)| *age <= FRESH && *depth == Depth::Full);
            let new = run.stand.other();
            (proof.map(|(key, ..)| key) != new).then_some("I3: a new key is the current one before it is fully proven")
        }
        // I4: whose secret nobody has any more, and who is named nowhere.
        Step::Save(Save::Finish) => {
            let lost = run.stand.other().is_some_and(|key| world.exists(key));
            (lost && !run.stale).then_some("I4: the secret of a key that exists is given up")
        }
        Step::Save(Save::Return) => {
            let lost = world.exists(run.stand.current);
            (lost && !run.stale).then_some("I4: the secret of a key that exists is given up")
        }
        Step::Switch(key, false) => {
            let old = run.stand.state == Journaled::Proven { old: key } || retired(&run.stand, key).is_some();
            (!(old && current_listed && proved && durable)).then_some("I3: switched off before its successor is proven")
        }
        Step::Delete(key) if named(run.wish, key) => {
            (key == run.stand.current).then_some("I3: the current key is to be deleted")
        }
        Step::Delete(key) => {
            let undone =
                run.wish == Wish::Undo && matches!(run.stand.state, Journaled::Created { new, .. } if new == key);
            let off = listed[key as usize].is_some_and(|(active, _)| !active);
            let over = retired(&run.stand, key).is_some_and(|over| over || run.wish == Wish::NowForce);
            let may = undone || (off && over && proved);
            (!(may && current_listed && durable))
                .then_some("I3: deleted before its time, or before its successor is proven")
        }
        _ => None,
    }
}

/// The grace is over.
fn retired(stand: &Stand, key: Key) -> Option<bool> {
    match stand.state {
        Journaled::Retired { old, over } if old == key => Some(over),
        _ => None,
    }
}

fn named(wish: Wish, key: Key) -> bool {
    matches!(wish, Wish::Delete(named) | Wish::ResumeDelete(named) if named == key)
}

/// Of a key that a run takes away at this moment: I3 and I4, by what is true and not by what the run saw.
pub fn taken(world: &World, machine: usize, key: Key, deleted: bool) -> Option<&'static str> {
    let run = world.runs[machine].expect("it runs");
    if deleted && named(run.wish, key) {
        return None;
    }
    let ours = run.stand.held().has(key);
    let made_by = world.keys[key as usize].map(|key| key.maker);
    if !ours || made_by == Some(Maker::Person) {
        return Some("I4: a key that is not ours is taken away unasked");
    }
    let worked = world.keys[run.stand.current as usize].is_none_or(|current| current.worked);
    (!worked).then_some("I3: the current key was never seen to work")
}
