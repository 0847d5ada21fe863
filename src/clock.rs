//! What time it is. Decisions take the time as an argument; this is where they get it from.

use jiff::Timestamp;

/// A clock that tests can move.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
