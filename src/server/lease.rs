//! A session that is handed out, and when another is due. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::export::container;
use crate::session::{Lifetime, Record};

/// The SDKs ask for another session when theirs has 15 minutes left, and wait two seconds for it: by then it has to be there.
const AHEAD: Duration = Duration::from_secs(20 * 60);

/// What clients get, and how long. Holds secrets.
pub struct Lease {
    document: Zeroizing<String>,
    lifetime: Lifetime,
}

impl Lease {
    pub fn of(record: &Record) -> Self {
        Self { document: container::render(&record.credentials), lifetime: record.lifetime() }
    }

    /// What clients read, while the session lives.
    pub fn document(&self, now: Timestamp) -> Option<&str> {
        (now < self.lifetime.expires).then_some(&*self.document)
    }

    /// When it is time for another.
    pub fn due(&self) -> Timestamp {
        let ahead = SignedDuration::try_from(self.ahead()).unwrap_or(SignedDuration::MAX);
        self.lifetime.expires.saturating_sub(ahead).unwrap_or(Timestamp::MIN)
    }

    /// How long before its end that is. Of a short session the last third: else each would be due as soon as it is there.
    pub fn ahead(&self) -> Duration {
        let life = self.lifetime.expires.duration_since(self.lifetime.made_at);
        AHEAD.min(Duration::try_from(life / 3).unwrap_or_default())
    }

    #[cfg(test)]
    pub(super) fn lasting(document: &str, made_at: Timestamp, expires: Timestamp) -> Self {
        Self { document: document.to_owned().into(), lifetime: Lifetime { made_at, expires } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(minutes: i64) -> Lease {
        let made = Timestamp::UNIX_EPOCH;
        Lease::lasting("{}", made, made + SignedDuration::from_mins(minutes))
    }

    #[test]
    fn another_is_due_before_an_sdk_asks_for_it_and_not_as_soon_as_it_is_there() {
        for (life, due_at) in [(720, 700), (60, 40), (61, 41), (30, 20), (15, 10)] {
            assert_eq!(lease(life).due(), Timestamp::from_second(due_at * 60).unwrap(), "{life}");
        }
    }

    #[test]
    fn nothing_is_handed_out_that_is_over() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        assert_eq!(lease(15).document(at(899)), Some("{}"));
        assert_eq!(lease(15).document(at(900)), None);
        assert_eq!(lease(15).document(at(5000)), None);
    }
}
