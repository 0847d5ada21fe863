//! Where it all comes to when nothing more goes wrong: a run that resumes, and whoever does what its end says, come to rest
//! in a few rounds, and resuming once more changes nothing.

use std::collections::HashSet;

use super::moves::WISHES;
use super::real::Real;
use super::runner;
use super::world::*;

/// So many steps of one run, and so many runs with what a person does between them.
const STEPS: usize = 60;
const ROUNDS: usize = 10;

#[derive(Default)]
pub struct Rest {
    checked: HashSet<World>,
}

type Wrong = (&'static str, Vec<String>);

/// How it came to the end of a run.
struct Ended {
    world: World,
    end: End,
}

impl Rest {
    pub fn checked(&self) -> usize {
        self.checked.len()
    }

    /// As if every run died here, once for all worlds that differ in nothing else.
    pub fn check(&mut self, world: &World, real: &mut Real) -> Option<Wrong> {
        let left = Left { crashes: 0, faults: 0, acts: 0, runs: 0 };
        let world = World { runs: [None; 2], left, shown: Keys::default(), taken: false, ..*world };
        if !self.checked.insert(world) {
            return None;
        }
        let mut trace = vec!["-- from here on nothing fails --".to_owned()];
        let machine = 0;
        ends(&world, machine, real, &mut trace)
            .or_else(|| twice(&world, machine, real, &mut trace))
            .or_else(|| undone_once(&world, machine, real, &mut trace))
            .or_else(|| comes_to_rest(&world, machine, real, &mut trace))
            .map(|wrong| (wrong, trace))
    }
}

/// Whatever is asked for.
fn ends(world: &World, machine: usize, real: &mut Real, trace: &mut Vec<String>) -> Option<&'static str> {
    for wish in WISHES {
        if let Err(wrong) = fair(world, machine, *wish, real, trace) {
            return Some(wrong);
        }
        trace.truncate(1);
    }
    None
}

/// I6: resuming twice is resuming once, after a first look where a list lags: what it hides may be what helps.
fn twice(world: &World, machine: usize, real: &mut Real, trace: &mut Vec<String>) -> Option<&'static str> {
    let lags = world.keys.iter().flatten().any(|key| key.hidden);
    let mut resume = |world: &World| fair(world, machine, Wish::Resume, real, trace);
    let first = if lags { resume(world).map(|ended| ended.world) } else { Ok(*world) };
    let both = first.and_then(|first| resume(&first)).and_then(|once| Ok((resume(&once.world)?, once)));
    let (again, once) = match both {
        Ok(both) => both,
        Err(wrong) => return Some(wrong),
    };
    let same = again.world.keys == once.world.keys && again.world.files == once.world.files;
    if !same || again.end != once.end {
        return Some("I6: resuming twice is not resuming once");
    }
    trace.truncate(1);
    None
}

/// An undo, which is the way from a key to the one before it, is not undone by another.
fn undone_once(world: &World, machine: usize, real: &mut Real, trace: &mut Vec<String>) -> Option<&'static str> {
    let both = fair(world, machine, Wish::Undo, real, trace)
        .and_then(|once| fair(&once.world, machine, Wish::Undo, real, trace).map(|again| (once, again)));
    let (once, again) = match both {
        Ok(both) => both,
        Err(wrong) => return Some(wrong),
    };
    let current = |world: &World| world.file(machine).live.current;
    if current(&once.world) < current(world) && current(&again.world) != current(&once.world) {
        return Some("an undo was undone by another");
    }
    trace.truncate(1);
    None
}

fn comes_to_rest(world: &World, machine: usize, real: &mut Real, trace: &mut Vec<String>) -> Option<&'static str> {
    let (mut world, mut wish) = (*world, Wish::Resume);
    for _ in 0..ROUNDS {
        let ended = match fair(&world, machine, wish, real, trace) {
            Ok(ended) => ended,
            Err(wrong) => return Some(wrong),
        };
        world = ended.world;
        let stand = world.file(machine).live;
        match ended.end {
            End::Done if stand.state == Journaled::Idle && world.is_active(stand.current) => return None,
            End::Done => return Some("done, and it is not"),
            end => match remedy(&mut world, machine, end, trace) {
                Ok(next) => wish = next,
                Err(Stuck(why)) => return Some(why),
            },
        }
    }
    Some("it does not come to rest")
}

/// One run from its first step to its end.
fn fair(
    world: &World,
    machine: usize,
    wish: Wish,
    real: &mut Real,
    trace: &mut Vec<String>,
) -> Result<Ended, &'static str> {
    let mut world = runner::begin(world, machine, wish, world.mfa);
    trace.push(format!("run {machine} begins: {wish:?}"));
    for _ in 0..STEPS {
        let next = runner::outcomes(&world, machine, real).swap_remove(0);
        trace.push(next.label.to_string());
        world = next.world;
        match (next.wrong, next.ended) {
            (Some(wrong), _) => return Err(wrong),
            (None, Some(end)) => return Ok(Ended { world, end }),
            (None, None) => {}
        }
    }
    Err("a run does not end")
}

struct Stuck(&'static str);

/// What the end of a run tells a person to do, and what to run then.
fn remedy(world: &mut World, machine: usize, end: End, trace: &mut Vec<String>) -> Result<Wish, Stuck> {
    let stand = world.file(machine).live;
    match end {
        End::Grace | End::GraceNotOver => world.pass(LONG, true),
        End::Orphan(key) => return Ok(Wish::ResumeDelete(key)),
        End::NewKeyOff(new) => switch_on(world, new),
        End::OldKeyOn => return Ok(Wish::ResumeNow),
        // The newer vault file is brought here, if there is one.
        End::RotatedElsewhere if newer_elsewhere(world) => world.files[0] = world.files[1],
        End::CurrentOff | End::NoWorkingKey | End::RotatedElsewhere | End::NoSigner | End::CurrentGone => {
            match stand.held().all().find(|key| world.exists(*key)) {
                Some(held) => switch_on(world, held),
                None => replace(world, machine)?,
            }
        }
        _ => return Err(Stuck("an end that no resuming run has")),
    }
    trace.push(format!("a person does what {end:?} says"));
    Ok(Wish::Resume)
}

fn switch_on(world: &mut World, key: Key) {
    if let Some(key) = world.key(key) {
        key.active = true;
    }
}

fn newer_elsewhere(world: &World) -> bool {
    world.files[1].is_some_and(|file| world.is_active(file.live.current))
}

/// A key made at the console comes into the vault by `add --replace`. An unfinished rotation bars that only while a key of
/// the vault works.
fn replace(world: &mut World, machine: usize) -> Result<(), Stuck> {
    if world.exists(LAST_KEY) {
        return Err(Stuck("a person has to put in a key twice"));
    }
    if world.listed() >= QUOTA
        && let Some(key) = world.keys.iter_mut().find(|key| key.is_some())
    {
        *key = None;
    }
    let new = AwsKey { active: true, maker: Maker::Person, age: 0, hidden: false, worked: true };
    world.keys[LAST_KEY as usize] = Some(new);
    let key = LAST_KEY;
    let file = world.file_mut(machine);
    let stand = Stand { current: key, state: Journaled::Idle };
    (file.live, file.durable) = (stand, stand);
    Ok(())
}
