//! What time it is. Decisions take the time as an argument; this is where they get it from.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A clock that is this far from AWS's is worth a word; AWS itself refuses signatures from 5 minutes on.
pub const NOTABLE_OFFSET: Duration = Duration::from_secs(120);

/// A clock that tests can move.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Returns when so much time has passed.
    fn wait(&self, pause: Duration);
}

/// The machine's wall clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// A point in time by two clocks: the one that runs from the machine's start, its sleep included, and cannot be set; and the
/// wall clock, which goes on while a virtual machine is paused or carried elsewhere and the first one stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub boot: Duration,
    pub wall: Timestamp,
}

/// How far the wall clock may fall behind: corrections over the network are smaller.
const SET_BACK: SignedDuration = SignedDuration::from_secs(60);

impl Moment {
    pub fn now() -> Self {
        Self { boot: since_boot(), wall: Timestamp::now() }
    }

    /// How long ago `earlier` was, by the clock that says more. None where that can't be told: a wall clock that was set
    /// back is no witness any more for what the other clock did not see.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let boot = self.boot.checked_sub(earlier.boot)?;
        let wall = self.wall.duration_since(earlier.wall);
        let set_back = SignedDuration::try_from(boot).ok()? - wall > SET_BACK;
        (!set_back).then(|| boot.max(wall.try_into().unwrap_or_default()))
    }
}

/// Counts while the machine sleeps, as `CLOCK_MONOTONIC` does on macOS and not on Linux.
fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    // It never runs below zero.
    rustix::time::clock_gettime(clock).try_into().unwrap_or_default()
}

/// What this thread has computed so far, however many others had the processors meanwhile.
#[cfg(test)]
pub fn computed() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().expect("it counts from zero")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: u64, wall: i64) -> Moment {
        Moment { boot: Duration::from_secs(boot), wall: Timestamp::from_second(1_700_000_000 + wall).unwrap() }
    }

    #[test]
    fn the_clock_that_says_more_is_believed_and_one_that_was_set_back_makes_it_unknown() {
        for (boot, wall, since) in [
            (0, 0, Some(0)),
            (100, 100, Some(100)),
            // Paused, or set ahead.
            (100, 5000, Some(5000)),
            // Corrected by a little.
            (100, 40, Some(100)),
            (10, -30, Some(10)),
            // Set back.
            (100, 39, None),
            (0, -60, Some(0)),
            (0, -61, None),
            (61, -100, None),
        ] {
            let since = since.map(Duration::from_secs);
            assert_eq!(moment(1000 + boot, wall).since(moment(1000, 0)), since, "{boot} {wall}");
        }
        assert_eq!(moment(999, 5).since(moment(1000, 0)), None);
    }

    #[test]
    fn now_is_not_before_now() {
        let earlier = Moment::now();
        assert!(Moment::now().since(earlier).is_some_and(|passed| passed < Duration::from_secs(60)));
    }
}
