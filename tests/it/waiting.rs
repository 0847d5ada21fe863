//! Waiting for what another process does and says nothing of: it comes, or the test fails instead of hanging.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Leaves the processors to who is waited for.
const POLL: Duration = Duration::from_millis(1);

#[track_caller]
pub fn until(what: impl Display, mut has_come: impl FnMut() -> bool) {
    until_some(what, || has_come().then_some(()));
}

#[track_caller]
pub fn until_some<T>(what: impl Display, mut come: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(come) = come() {
            return come;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(POLL);
    }
}
