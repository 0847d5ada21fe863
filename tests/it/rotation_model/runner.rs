//! What a run does beside the planner, and all that may come of each of its steps. The first outcome is always the one
//! without trouble.

mod calls;

use vault::rotate::plan::{Mfa, OwnIntent, Secret, Use};

use super::invariants;
use super::real::{Real, Seen, remember};
use super::world::*;

/// A step of the world.
pub struct Next {
    pub label: Label,
    pub world: World,
    /// The run ended, and so.
    pub ended: Option<End>,
    pub wrong: Option<&'static str>,
}

#[derive(Clone, Copy)]
pub struct Label {
    pub machine: Option<usize>,
    pub did: &'static str,
    pub step: Option<Step>,
    pub key: Option<Key>,
}

impl Label {
    pub fn of(machine: usize, did: &'static str) -> Self {
        Self { machine: Some(machine), did, step: None, key: None }
    }

    pub fn outside(did: &'static str, key: Option<Key>) -> Self {
        Self { machine: None, did, step: None, key }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.machine {
            Some(machine) => write!(f, "run {machine}: ")?,
            None => write!(f, "outside: ")?,
        }
        if let Some(step) = self.step {
            write!(f, "{step:?} ")?;
        }
        write!(f, "{}", self.did)?;
        self.key.map_or(Ok(()), |key| write!(f, " (key {key})"))
    }
}

/// Reads the file, and makes durable what it read.
pub fn begin(world: &World, machine: usize, wish: Wish, session: bool) -> World {
    let mut world = *world;
    let file = world.file_mut(machine);
    file.durable = file.live;
    let stand = file.live;
    world.runs[machine] = Some(Run { at: At::Look, wish, memory: Memory::default(), stand, stale: false, session });
    world
}

pub fn outcomes(world: &World, machine: usize, real: &mut Real) -> Vec<Next> {
    let run = world.runs[machine].expect("it runs");
    let mut outcomes = Outcomes { world: *world, machine, step: None, all: Vec::new() };
    match run.at {
        At::Look => outcomes.look(real),
        At::Call(step) => {
            outcomes.step = Some(step);
            outcomes.call(step, real);
        }
        At::Holding(key) => outcomes.hold(key, real),
        At::Dropping(key) => outcomes.drop_key(key),
        At::Settling => outcomes.settle(),
    }
    outcomes.all
}

/// Whether something the vault has signs: a session does whatever became of the keys.
fn lists(world: &World, run: &Run) -> bool {
    run.session || run.stand.held().all().any(|key| world.is_active(key))
}

fn changes(world: &World, run: &Run) -> bool {
    if world.mfa { run.session } else { world.is_active(run.stand.current) }
}

struct Outcomes {
    world: World,
    machine: usize,
    step: Option<Step>,
    all: Vec<Next>,
}

impl Outcomes {
    fn run(&self) -> Run {
        self.world.runs[self.machine].expect("it runs")
    }

    fn goes_on(&mut self, did: &'static str, change: impl FnOnce(&mut World, &mut Run)) {
        let (mut world, mut run) = (self.world, self.run());
        change(&mut world, &mut run);
        world.runs[self.machine] = Some(run);
        self.push(did, world, None);
    }

    fn ends(&mut self, did: &'static str, end: End, change: impl FnOnce(&mut World)) {
        let mut world = self.world;
        change(&mut world);
        world.runs[self.machine] = None;
        self.push(did, world, Some(end));
    }

    fn push(&mut self, did: &'static str, world: World, ended: Option<End>) {
        let label = Label { step: self.step, ..Label::of(self.machine, did) };
        self.all.push(Next { label, world, ended, wrong: None });
    }

    /// Something that goes wrong only so often.
    fn fault(&mut self) -> bool {
        self.world.left.faults > 0
    }

    fn look(&mut self, real: &mut Real) {
        let run = self.run();
        if !lists(&self.world, &run) {
            return self.ends("nothing signs", End::NoSigner, |_| {});
        }
        let mut listed = [None; KEYS];
        for (listed, key) in listed.iter_mut().zip(&self.world.keys) {
            *listed = key.filter(|key| !key.hidden).map(|key| (key.active, key.age));
        }
        let mfa = match (self.world.mfa, run.session) {
            (false, _) => Mfa::None,
            (true, true) => Mfa::Session,
            (true, false) => Mfa::Missing,
        };
        let hidden = self.world.keys.map(|key| key.filter(|key| key.hidden).map(|key| key.age));
        let step = real.next(&Seen { stand: run.stand, listed, hidden, mfa, memory: run.memory, wish: run.wish });
        self.step = Some(step);
        self.follow(step, real);
        let wrong = invariants::decided(&self.world, self.machine, &run, &listed, step);
        self.all.iter_mut().for_each(|next| next.wrong = next.wrong.or(wrong));
    }

    fn follow(&mut self, step: Step, real: &mut Real) {
        match step {
            Step::NeedCode => self.code(),
            Step::LookAtUse(key) => {
                for used in [Use::Never, Use::Others] {
                    self.goes_on("answered", |_, run| run.memory.uses[key as usize] = Some(used));
                }
            }
            Step::LookAtKey(key) => self.try_key(key),
            Step::LookForSecret(key) => {
                let kept = self.world.file(self.machine).kept.has(key);
                let secret = if kept { Secret::Found } else { Secret::NotFound };
                self.goes_on("looked", |_, run| run.memory.secrets[key as usize] = Some(secret));
            }
            Step::Preflight if changes(&self.world, &self.run()) => {
                self.goes_on("permitted", |_, run| run.memory.preflighted = true);
            }
            Step::Preflight => self.ends("refused", End::Stopped, |_| {}),
            Step::Prove(key, depth) => self.prove(key, depth),
            Step::Save(save) => self.save(save, real),
            Step::Create | Step::Switch(..) | Step::Delete(_) => {
                self.goes_on("decided", |_, run| run.at = At::Call(step));
            }
            Step::Wait(_) if self.run().stale => self.ends("changed meanwhile", End::Stopped, |_| {}),
            Step::Wait(spans) => {
                let machine = self.machine;
                self.goes_on("waited", |world, run| {
                    world.pass(spans, false);
                    *run = *world.run(machine);
                });
            }
            Step::End(end) => self.ends("", end, |world| world.shown = world.shown.and(shown(world, end))),
        }
    }

    /// AWS takes a code only with a key that works.
    fn code(&mut self) {
        if self.run().stand.held().all().any(|key| self.world.is_active(key)) {
            self.goes_on("given", |_, run| run.session = true);
        }
        self.ends("not given", End::Stopped, |_| {});
    }

    /// While a key works that the list does not have, lists are asked for until they have it or patience ends.
    fn try_key(&mut self, key: Key) {
        if !self.world.is_active(key) {
            return self.goes_on("refused", |_, run| run.memory.refused = run.memory.refused.with(key));
        }
        let machine = self.machine;
        self.goes_on("works", |world, run| {
            world.pass(LAG, false);
            *run = *world.run(machine);
        });
        self.ends("works", End::Stopped, |_| {});
    }

    fn prove(&mut self, key: Key, depth: vault::rotate::plan::Depth) {
        if self.world.is_active(key) {
            self.goes_on("works", |world, run| {
                run.memory.proof = Some((key, 0, depth));
                world.key(key).expect("it is active").worked = true;
            });
        }
        self.ends("does not work", End::Stopped, |_| {});
    }

    fn save(&mut self, save: Save, real: &mut Real) {
        let run = self.run();
        if run.stale {
            return self.ends("changed meanwhile", End::Stopped, |_| {});
        }
        let saved = real.save(run.stand, save);
        let memory = remember(&run, save);
        self.commit(saved, memory, save == Save::Prove);
        if self.fault() {
            self.ends("not committed", End::Stopped, |world| world.left.faults -= 1);
        }
    }

    fn commit(&mut self, saved: Stand, memory: Memory, keeps: bool) {
        let machine = self.machine;
        let keep = move |world: &mut World, run: &Run| {
            let file = world.file_mut(machine);
            file.live = saved;
            if keeps {
                file.kept = file.kept.and(run.stand.held());
            }
            let place = world.file_of(machine);
            let other = 1 - machine;
            if world.file_of(other) == place
                && let Some(other) = &mut world.runs[other]
            {
                other.stale = true;
            }
        };
        let step = move |world: &mut World, run: &mut Run| {
            keep(world, run);
            (run.stand, run.memory, run.at) = (saved, memory, At::Look);
        };
        self.goes_on("committed", |world, run| {
            step(world, run);
            world.file_mut(machine).durable = saved;
        });
        if self.fault() {
            self.goes_on("committed, not durable", |world, run| {
                step(world, run);
                run.at = At::Settling;
                world.left.faults -= 1;
            });
        }
    }

    /// Saved again until it is durable, else there is nothing more to do.
    fn settle(&mut self) {
        let machine = self.machine;
        if self.run().stale {
            return self.ends("changed meanwhile", End::Stopped, |_| {});
        }
        self.goes_on("settled", |world, run| {
            let file = world.file_mut(machine);
            file.durable = file.live;
            run.at = At::Look;
        });
        self.ends("not settled", End::Stopped, |_| {});
    }

    /// The new key's secret is nowhere but here.
    fn hold(&mut self, key: Key, real: &mut Real) {
        let run = self.run();
        if run.stale {
            return self.goes_on("changed meanwhile", |_, run| run.at = At::Dropping(key));
        }
        let saved = real.save(run.stand, Save::Adopt(key));
        self.commit(saved, Memory { turned: true, ..run.memory }, false);
        if self.fault() {
            self.goes_on("not committed", |world, run| {
                run.at = At::Dropping(key);
                world.left.faults -= 1;
            });
        }
    }

    fn drop_key(&mut self, key: Key) {
        if changes(&self.world, &self.run()) {
            self.ends("took the key back", End::Stopped, |world| world.keys[key as usize] = None);
        }
        self.ends("could not take the key back", End::Stopped, |world| world.shown = world.shown.with(key));
    }
}

/// The keys that an end names to a person, for `--delete-key`.
fn shown(world: &World, end: End) -> Keys {
    match end {
        End::Orphan(key) => Keys::default().with(key),
        End::TwoKeys => (0..KEYS as Key).filter(|key| world.exists(*key)).fold(Keys::default(), Keys::with),
        _ => Keys::default(),
    }
}
