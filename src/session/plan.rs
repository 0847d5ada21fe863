//! What is still to be done of a ladder, by what is cached and how fresh it is. Pure.

use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::ladder::Ladder;

/// The skew that AWS itself puts up with.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// When a cached session is good enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// `--force`: only a session made since then, so that of many forced at once one renews and the others share it.
    pub made_since: Option<Timestamp>,
    /// `--min-ttl`
    pub min_ttl: Option<Duration>,
    /// An explicit `login`: a session of 4 h or more is renewed in its last hour, while the person is there.
    pub renew_in_last_hour: bool,
}

/// What is still to be done; `T` stands for a cached session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<T> {
    /// The last rung's cached session is good.
    Reuse(T),
    /// These rungs are missing. The first of them is signed by the cached session of the one before, else by the key.
    Issue { from: Option<T>, steps: Range<usize> },
}

/// When a session was made and ends, both by this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    pub made_at: Timestamp,
    pub expires: Timestamp,
}

/// `--min-ttl` asks for more than such a session ever has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the session lives for {} s in all", .life.as_secs())]
pub struct MinTtlTooLong {
    pub asked: Duration,
    pub life: Duration,
}

impl Ladder {
    /// Starts from the highest rung whose cached session is fresh. `cached` is asked from the top down and only until one is.
    pub fn plan<T>(
        &self,
        freshness: &Freshness,
        now: Timestamp,
        mut cached: impl FnMut(usize) -> Option<(Lifetime, T)>,
    ) -> Result<Plan<T>, MinTtlTooLong> {
        let last = self.last();
        let life = self.rungs[last].duration;
        if let Some(asked) = freshness.min_ttl.filter(|asked| *asked >= life) {
            return Err(MinTtlTooLong { asked, life });
        }
        let mut fresh = |rung: usize| {
            // What the caller demands of the session is no demand on those that only sign for it.
            let demands = if rung == last { *freshness } else { Freshness::default() };
            let (lifetime, session) = cached(rung)?;
            lifetime.is_fresh(&demands, now).then_some((rung, session))
        };
        Ok(match (0..=last).rev().find_map(&mut fresh) {
            Some((rung, session)) if rung == last => Plan::Reuse(session),
            Some((rung, session)) => Plan::Issue { from: Some(session), steps: rung + 1..last + 1 },
            None => Plan::Issue { from: None, steps: 0..last + 1 },
        })
    }
}

impl Lifetime {
    fn is_fresh(&self, demands: &Freshness, now: Timestamp) -> bool {
        let left = self.expires.duration_since(now);
        let life = self.expires.duration_since(self.made_at);
        // Made in the future: the clock was set back since, and nothing is known about how much is left.
        if now.duration_since(self.made_at) < -CLOCK_TOLERANCE {
            return false;
        }
        if demands.made_since.is_some_and(|since| self.made_at < since) {
            return false;
        }
        if demands.renew_in_last_hour && life >= SignedDuration::from_hours(4) && left <= SignedDuration::from_hours(1)
        {
            return false;
        }
        let enough = match demands.min_ttl {
            Some(asked) => SignedDuration::try_from(asked).unwrap_or(SignedDuration::MAX),
            // The SDKs take a session with less than 15 minutes left for expired.
            None => SignedDuration::from_mins(15).min(life / 4),
        };
        left > enough
    }
}
