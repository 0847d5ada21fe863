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
    /// Starts from the highest rung that has a cached session which is fresh. `cached` gives those of a rung, and is asked from
    /// the top down and only until one is.
    pub fn plan<T, I: IntoIterator<Item = (Lifetime, T)>>(
        &self,
        freshness: &Freshness,
        now: Timestamp,
        mut cached: impl FnMut(usize) -> I,
    ) -> Result<Plan<T>, MinTtlTooLong> {
        let last = self.last();
        let life = self.rungs[last].duration;
        if let Some(asked) = freshness.min_ttl.filter(|asked| *asked >= life) {
            return Err(MinTtlTooLong { asked, life });
        }
        let mut fresh = |rung: usize| {
            // What the caller demands of the session is no demand on those that only sign for it.
            let demands = if rung == last { *freshness } else { Freshness::default() };
            let (_, session) = cached(rung).into_iter().find(|(lifetime, _)| lifetime.is_fresh(&demands, now))?;
            Some((rung, session))
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

#[cfg(test)]
mod tests {
    use super::super::ladder::Rung;
    use super::super::request::{Asked, Slot};
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(NOW + seconds).unwrap()
    }

    fn lifetime(made: i64, left: i64) -> Lifetime {
        Lifetime { made_at: at(made), expires: at(left) }
    }

    fn ladder(hours: &[u64]) -> Ladder {
        let rung = |hours: &u64| Rung {
            protected: false,
            slot: Slot { profile: "p".parse().unwrap(), asked: Asked::default(), serial: None },
            region: None,
            role: None,
            duration: Duration::from_secs(hours * 3600),
            device: None,
            notes: Vec::new(),
        };
        Ladder {
            user: "p".parse().unwrap(),
            user_arn: None,
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            endpoint: None,
            endpoint_url: None,
            call_region: crate::names::Region::fallback(),
            rungs: hours.iter().map(rung).collect(),
            duration_asked: false,
        }
    }

    /// The plan for cached sessions, rung by rung; what stands for one is its rung.
    fn plan(cached: &[Option<Lifetime>], demands: Freshness) -> Plan<usize> {
        let hours: Vec<u64> = cached.iter().map(|_| 12).collect();
        ladder(&hours).plan(&demands, at(0), |rung| Some((cached[rung]?, rung))).unwrap()
    }

    #[test]
    fn the_highest_fresh_session_is_where_the_calls_start() {
        let (fresh, old) = (Some(lifetime(-60, 3540)), Some(lifetime(-3600, 60)));
        let demands = Freshness::default();
        let issue = |from, steps| Plan::Issue { from, steps };
        for (cached, expected) in [
            (vec![None], issue(None, 0..1)),
            (vec![fresh], Plan::Reuse(0)),
            (vec![old], issue(None, 0..1)),
            (vec![None, fresh], Plan::Reuse(1)),
            (vec![fresh, None], issue(Some(0), 1..2)),
            (vec![fresh, old], issue(Some(0), 1..2)),
            (vec![old, old], issue(None, 0..2)),
            (vec![fresh, None, None], issue(Some(0), 1..3)),
            (vec![None, fresh, None], issue(Some(1), 2..3)),
            (vec![old, None, fresh], Plan::Reuse(2)),
        ] {
            assert_eq!(plan(&cached, demands), expected, "{cached:?}");
        }
    }

    #[test]
    fn a_session_is_fresh_while_it_has_fifteen_minutes_or_a_quarter_of_its_life_left() {
        for (made, left, fresh) in [
            (-11 * 3600, 16 * 60, true),
            (-11 * 3600, 15 * 60 + 1, true),
            (-11 * 3600, 15 * 60, false),
            (-11 * 3600, 14 * 60, false),
            (-675, 225, false),
            (-674, 226, true),
            (-900, 0, false),
            (-7200, -3600, false),
        ] {
            let expected = if fresh { Plan::Reuse(0) } else { Plan::Issue { from: None, steps: 0..1 } };
            assert_eq!(plan(&[Some(lifetime(made, left))], Freshness::default()), expected, "{made} {left}");
        }
    }

    #[test]
    fn what_is_demanded_of_the_session_is_not_demanded_of_those_that_sign_for_it() {
        let cached = [Some(lifetime(-10 * 3600, 7200)), Some(lifetime(-60, 3540))];
        let from_first = Plan::Issue { from: Some(0), steps: 1..2 };
        let force = Freshness { made_since: Some(at(0)), ..Freshness::default() };
        let long = Freshness { min_ttl: Some(Duration::from_secs(3540)), ..Freshness::default() };
        let short = Freshness { min_ttl: Some(Duration::from_secs(3539)), ..Freshness::default() };
        assert_eq!(plan(&cached, force), from_first);
        assert_eq!(plan(&cached, long), from_first);
        assert_eq!(plan(&cached, short), Plan::Reuse(1));
    }

    #[test]
    fn forced_callers_share_what_was_made_since_they_began() {
        let force = Freshness { made_since: Some(at(-5)), ..Freshness::default() };
        assert_eq!(plan(&[Some(lifetime(-5, 3595))], force), Plan::Reuse(0));
        assert_eq!(plan(&[Some(lifetime(-6, 3594))], force), Plan::Issue { from: None, steps: 0..1 });
    }

    #[test]
    fn a_login_renews_long_sessions_in_their_last_hour_and_short_ones_not() {
        let login = Freshness { renew_in_last_hour: true, ..Freshness::default() };
        let renewed = Plan::Issue { from: None, steps: 0..1 };
        for (made, left, expected) in [
            (-11 * 3600, 3600, renewed.clone()),
            (-11 * 3600, 3601, Plan::Reuse(0)),
            (-3 * 3600, 3600, renewed),
            (-3 * 3600 + 1, 3600, Plan::Reuse(0)),
            (-60, 3540, Plan::Reuse(0)),
        ] {
            assert_eq!(plan(&[Some(lifetime(made, left))], login), expected, "{made} {left}");
        }
    }

    #[test]
    fn a_session_made_in_the_future_is_not_trusted_to_live() {
        assert_eq!(plan(&[Some(lifetime(299, 7200))], Freshness::default()), Plan::Reuse(0));
        let renewed = Plan::Issue { from: None, steps: 0..1 };
        assert_eq!(plan(&[Some(lifetime(301, 7200))], Freshness::default()), renewed);
    }

    #[test]
    fn more_time_left_than_a_session_ever_has_is_refused() {
        let demands = |seconds| Freshness { min_ttl: Some(Duration::from_secs(seconds)), ..Freshness::default() };
        let cold = |seconds| ladder(&[1]).plan(&demands(seconds), at(0), |_| None::<(Lifetime, ())>);
        let life = Duration::from_secs(3600);
        assert_eq!(cold(3600), Err(MinTtlTooLong { asked: life, life }));
        assert!(cold(3599).is_ok());
    }
}
