//! The whole of the simulated AWS at one moment, to be gone back to.

use crate::cloud::{Cloud, Shared, lock};
use crate::simulator::Simulator;

/// Looks at a simulator from wherever it is taken to.
#[derive(Clone)]
pub struct Onlooker(Shared);

pub struct Snapshot(Cloud);

impl Onlooker {
    pub(crate) fn new(shared: Shared) -> Onlooker {
        Onlooker(shared)
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot(lock(&self.0).clone())
    }

    /// How many requests named the action, however they ended.
    pub fn count(&self, action: &str) -> usize {
        lock(&self.0).log.iter().filter(|request| request.action == action).count()
    }
}

impl Simulator {
    /// Everything is again as it was then, the time included.
    pub fn go_back_to(&self, snapshot: &Snapshot) {
        let Onlooker(shared) = self.onlooker();
        *lock(&shared) = snapshot.0.clone();
    }
}
