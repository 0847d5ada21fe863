//! What may come of a call that changes something at AWS.

use super::*;

impl Outcomes {
    pub(super) fn call(&mut self, step: Step, real: &mut Real) {
        match step {
            Step::Create => self.create(),
            Step::Switch(key, active) => self.switch(key, active),
            Step::Delete(key) => self.delete(key),
            // What follows on a refused CreateAccessKey, and is the end of the run: tried again, it would be refused again.
            Step::Save(save) => {
                self.save(save, real);
                for next in &mut self.all {
                    next.world.runs[self.machine] = None;
                    next.ended = Some(End::Stopped);
                }
            }
            _ => unreachable!("no other step is a call"),
        }
    }

    fn create(&mut self) {
        let machine = self.machine;
        let refused = |run: &mut Run| {
            run.memory.intent = OwnIntent::Sent;
            run.at = At::Call(Step::Save(Save::Finish));
        };
        let may = changes(&self.world, &self.run());
        for hidden in [false, true] {
            let mut made = self.world;
            let Some(key) = made.make_key(Maker::Run(machine as u8), hidden).filter(|_| may) else { continue };
            self.goes_on("done", |world, run| {
                *world = made;
                run.memory.intent = OwnIntent::Sent;
                run.at = At::Holding(key);
            });
            if self.fault() {
                self.goes_on("done, reply lost", |world, run| {
                    *world = made;
                    world.left.faults -= 1;
                    run.memory.intent = OwnIntent::Sent;
                    run.at = At::Look;
                });
            }
        }
        if self.all.is_empty() || self.fault() {
            let by_chance = !self.all.is_empty();
            self.goes_on("refused", |world, run| {
                world.left.faults -= u8::from(by_chance);
                refused(run);
            });
        }
        if self.fault() {
            self.goes_on("lost before AWS", |world, run| {
                world.left.faults -= 1;
                run.memory.intent = OwnIntent::Sent;
                run.at = At::Look;
            });
        }
    }

    fn switch(&mut self, key: Key, active: bool) {
        if !changes(&self.world, &self.run()) || !self.world.exists(key) {
            return self.ends("refused", End::Stopped, |_| {});
        }
        let wrong = if active { None } else { invariants::taken(&self.world, self.machine, key, false) };
        let apply = |world: &mut World| world.key(key).expect("it exists").active = active;
        self.goes_on("done", |world, run| {
            apply(world);
            run.at = At::Look;
        });
        self.failures(apply, wrong);
    }

    fn delete(&mut self, key: Key) {
        if !changes(&self.world, &self.run()) {
            return self.ends("refused", End::Stopped, |_| {});
        }
        let wrong = self.world.exists(key).then(|| invariants::taken(&self.world, self.machine, key, true)).flatten();
        let named = matches!(self.run().wish, Wish::Delete(named) | Wish::ResumeDelete(named) if named == key);
        let apply = |world: &mut World| {
            world.taken |= named && world.held().has(key);
            world.keys[key as usize] = None;
        };
        self.goes_on("done", |world, run| {
            apply(world);
            run.memory.deleted = run.memory.deleted.with(key);
            run.at = At::Look;
        });
        self.failures(apply, wrong);
    }

    /// Of a call that may be repeated: the run stops, and the next one finds out.
    fn failures(&mut self, apply: impl Fn(&mut World), wrong: Option<&'static str>) {
        if self.fault() {
            self.ends("done, reply lost", End::Stopped, |world| {
                apply(world);
                world.left.faults -= 1;
            });
            self.ends("not done", End::Stopped, |world| world.left.faults -= 1);
        }
        self.all.iter_mut().for_each(|next| next.wrong = next.wrong.or(wrong));
    }
}
