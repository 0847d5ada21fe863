//! The calls by a key that this machine's log tells of, and a use of the key that none of them explains.
//!
//! Such a use is told, and stops nothing. The log has what was issued and changed, and not the calls that only look; another
//! machine with this vault has a log of its own; a log can be cut, or lost with its folder. So a use that is not in it is
//! most often ours all the same, and a scheduled run that stopped for it would need a person on every second machine. Whoever
//! uses another service than STS and IAM does stop a rotation, without a look in here.

use jiff::{SignedDuration, Timestamp};

use crate::aws::{KeyUse, LastUse};
use crate::log::Entry;
use crate::names::AccessKeyId;
use crate::rotate::plan::Use;

/// AWS's clock and ours may say different days of one call.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

pub struct OwnCalls {
    /// When the log begins, if there is one.
    began: Option<Timestamp>,
    by_the_key: Vec<Timestamp>,
}

impl OwnCalls {
    /// Of a key's id the log has the last four.
    pub fn of(entries: &[Entry], key: &AccessKeyId) -> Self {
        let is_of_it = |entry: &&Entry| entry.access_key.as_deref().is_some_and(|end| key.as_str().ends_with(end));
        Self {
            began: entries.iter().map(|entry| entry.time).min(),
            by_the_key: entries.iter().filter(is_of_it).map(|entry| entry.time).collect(),
        }
    }

    /// A use of STS or IAM from a time that the log has, and in which it has no call by the key.
    pub fn unexplained<'u>(&self, used: &'u KeyUse, now: Timestamp) -> Option<&'u LastUse> {
        let last = match used {
            KeyUse::Last(last) if Use::of(used) == Use::Ours => last,
            _ => return None,
        };
        let near = |call: &Timestamp| call.duration_since(last.at).abs() < NEAR;
        let is_in_the_log = self.began.is_some_and(|began| last.at.duration_since(began) >= NEAR);
        // This very run calls too.
        let is_ours = self.by_the_key.iter().chain([&now]).any(near);
        (is_in_the_log && !is_ours).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn entry(second: i64, key: Option<&str>) -> Entry {
        Entry {
            time: at(second),
            act: "issued".to_owned(),
            profile: Some("prod".to_owned()),
            access_key: key.map(str::to_owned),
            role: None,
            caller_pid: None,
            caller: None,
        }
    }

    fn used(second: i64, service: &str) -> KeyUse {
        KeyUse::Last(LastUse { at: at(second), service: service.to_owned(), region: "us-east-1".to_owned() })
    }

    /// With a log that begins on day 0, and now on day 30.
    fn is_unexplained(used: &KeyUse, others: &[Entry]) -> bool {
        let entries: Vec<Entry> = [entry(0, None)].iter().chain(others).cloned().collect();
        let key = "AKIAIOSFODNN7EXAMPLE".parse().unwrap();
        OwnCalls::of(&entries, &key).unexplained(used, at(30 * DAY)).is_some()
    }

    #[test]
    fn a_use_from_a_day_without_a_call_of_ours_is_unexplained() {
        let used = used(10 * DAY, "sts");
        assert!(is_unexplained(&used, &[]));
        assert!(is_unexplained(&used, &[entry(10 * DAY, Some("MPLF")), entry(10 * DAY, None)]), "by another key");
        assert!(is_unexplained(&used, &[entry(11 * DAY, Some("MPLE")), entry(9 * DAY, Some("MPLE"))]));
        assert!(!is_unexplained(&used, &[entry(10 * DAY + 23 * HOUR, Some("MPLE"))]));
        assert!(!is_unexplained(&used, &[entry(10 * DAY - 23 * HOUR, Some("MPLE"))]));
    }

    #[test]
    fn what_no_log_could_tell_needs_no_explanation() {
        assert!(!is_unexplained(&used(-10 * DAY, "sts"), &[]), "before the log begins");
        assert!(!is_unexplained(&used(23 * HOUR, "iam"), &[]), "as it began");
        assert!(!is_unexplained(&used(30 * DAY - HOUR, "iam"), &[]), "perhaps by this run");
        let key = "AKIAIOSFODNN7EXAMPLE".parse().unwrap();
        assert!(OwnCalls::of(&[], &key).unexplained(&used(10 * DAY, "sts"), at(30 * DAY)).is_none(), "no log");
    }

    #[test]
    fn a_use_that_stops_a_rotation_is_not_told_here_and_one_that_never_was_neither() {
        for used in [used(10 * DAY, "s3"), KeyUse::Never, KeyUse::Unknown] {
            assert!(!is_unexplained(&used, &[]), "{used:?}");
        }
    }
}
