//! From when on, as people say it.

use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::duration;

#[derive(Debug, Clone, PartialEq)]
pub enum Since {
    Ago(Duration),
    At(Timestamp),
    /// By the clock on the wall.
    On(DateTime),
    /// The last time that it showed this.
    Time(Time),
}

impl Since {
    pub fn parse(text: &str) -> Result<Self, String> {
        let duration = duration::parse(text).map(Self::Ago).ok();
        let date = || text.parse().map(Self::At).or_else(|_| text.parse().map(Self::On)).ok();
        let time = || text.parse().map(Self::Time).ok();
        duration.or_else(date).or_else(time).ok_or_else(|| {
            "it is neither a duration such as 2h or 7d, nor a date such as 2026-11-20, nor a time such as 09:30"
                .to_owned()
        })
    }

    pub fn before(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        // What no calendar has is before everything.
        let of = |time: DateTime| time.to_zoned(zone.clone()).map_or(Timestamp::MIN, |time| time.timestamp());
        match self {
            Self::Ago(duration) => {
                let ago = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
                now.checked_sub(ago).unwrap_or(Timestamp::MIN)
            }
            Self::At(time) => *time,
            Self::On(time) => of(*time),
            Self::Time(time) => {
                let today = now.to_zoned(zone.clone()).date();
                match of(today.to_datetime(*time)) {
                    later if later > now => of(today.yesterday().unwrap_or(today).to_datetime(*time)),
                    earlier => earlier,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_a_date_and_a_time_are_told_apart_and_mean_the_persons_own_clock() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, since) in [
            ("2h", "2026-11-22T10:00:00Z"),
            ("7d", "2026-11-15T12:00:00Z"),
            ("3600", "2026-11-22T11:00:00Z"),
            ("999999999999d", "-009999-01-02T01:59:59Z"),
            ("2026-11-20", "2026-11-19T22:00:00Z"),
            ("2026-11-20T09:30", "2026-11-20T07:30:00Z"),
            ("2026-11-20 09:30:15", "2026-11-20T07:30:15Z"),
            ("2026-11-20T09:30:15Z", "2026-11-20T09:30:15Z"),
            ("2026-11-20T09:30:15-05:00", "2026-11-20T14:30:15Z"),
            ("09:30", "2026-11-22T07:30:00Z"),
            ("14:00", "2026-11-22T12:00:00Z"),
            ("14:01", "2026-11-21T12:01:00Z"),
        ] {
            let found = Since::parse(text).unwrap().before("2026-11-22T12:00:00Z".parse().unwrap(), &zone);
            assert_eq!(found, since.parse().unwrap(), "{text}");
        }
        for wrong in ["", "yesterday", "7 d", "2026-13-01", "2026-11-31", "25:00", "-2h", "1.5h"] {
            assert!(Since::parse(wrong).is_err(), "{wrong}");
        }
    }
}
