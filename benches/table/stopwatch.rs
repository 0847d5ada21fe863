//! How long something takes: the median of several runs.

use std::process::Command;
use std::time::{Duration, Instant};

/// One of several things that take turns.
pub struct Entrant<'a> {
    runs: usize,
    run: Box<dyn FnMut() -> Duration + 'a>,
    times: Vec<Duration>,
}

impl<'a> Entrant<'a> {
    /// Something that takes its own time.
    pub fn new(runs: usize, run: impl FnMut() -> Duration + 'a) -> Self {
        Self { runs, run: Box::new(run), times: Vec::new() }
    }

    /// A whole program.
    pub fn program(runs: usize, mut command: Command) -> Self {
        Self::new(runs, move || finished(&mut command))
    }

    /// What so many tenths of the runs stay within.
    pub fn within(&self, tenths: usize) -> Duration {
        self.times[(self.times.len() - 1) * tenths / 10]
    }

    pub fn median(&self) -> Duration {
        self.within(5)
    }
}

/// One run of each after the other, so that whatever else the machine does meets all of them. The first of each warms up.
pub fn take_turns(entrants: &mut [Entrant]) {
    let rounds = entrants.iter().map(|entrant| entrant.runs).max().unwrap_or_default();
    for entrant in entrants.iter_mut() {
        (entrant.run)();
    }
    for round in 0..rounds {
        for entrant in entrants.iter_mut().filter(|entrant| round % (rounds / entrant.runs) == 0) {
            let took = (entrant.run)();
            entrant.times.push(took);
        }
    }
    entrants.iter_mut().for_each(|entrant| entrant.times.sort());
}

/// Of something in this process.
pub fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs).map(|_| timed(&mut run)).collect();
    times.sort();
    times[runs / 2]
}

pub fn timed(run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

/// Of a whole program, from its start to its exit.
pub fn finished(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().expect("the program starts");
    let took = started.elapsed();
    assert!(status.success(), "{status}: {:?} {:?}", command.get_program(), command.get_args());
    took
}
