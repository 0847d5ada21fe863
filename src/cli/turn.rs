//! Whose turn it is to ask: of two prompts at one terminal nobody knows which of them is answered, and the first that is would have
//! the other's answer shown. The processes of one job ask one after the other; another job at the same terminal is in the
//! background, and asks nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{LockError, PassingLock, RealDisk};

use super::asking::{self, Asking};

const FOLDER: &str = "turns";

/// Nobody thinks about an answer for longer; a prompt too many is better than none ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// Of this process: how many prompts have the turn, one within the other, and the lock that says so.
struct Held {
    prompts: usize,
    lock: Option<PassingLock>,
}

static HELD: Mutex<Held> = Mutex::new(Held { prompts: 0, lock: None });

/// As long as it lives no other process of this job asks.
pub struct Turn {
    /// Whether another one was asking: what it was told may be known now.
    pub was_waited_for: bool,
    _asking: Asking,
}

impl Turn {
    /// Waits for it. Where the state folder takes no lock, a person is asked all the same.
    pub fn take() -> Self {
        // Whoever waits for its turn is to be found like whoever asks.
        let asking = Asking::say();
        let mut held = held();
        held.prompts += 1;
        let mut was_waited_for = false;
        if held.prompts == 1 {
            (held.lock, was_waited_for) = claim().unwrap_or_default();
        }
        Self { was_waited_for, _asking: asking }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut held = held();
        held.prompts -= 1;
        if held.prompts == 0 {
            held.lock = None;
        }
    }
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock, and whether somebody had it.
fn claim() -> Option<(Option<PassingLock>, bool)> {
    let folder = asking::state()?.join(FOLDER);
    // By the job, as the terminal knows it.
    let name = format!("{}.lock", rustix::process::getpgrp().as_raw_nonzero());
    let claimed = |patience| PassingLock::take(&RealDisk, &folder, name.clone(), patience);
    let (lock, was_waited_for) = match claimed(Duration::ZERO) {
        Err(LockError::Held { .. }) => (claimed(PATIENCE), true),
        lock => (lock, false),
    };
    let lock = lock.ok()?;
    // What processes left behind that were ended while they asked.
    lock.sweep();
    Some((Some(lock), was_waited_for))
}
