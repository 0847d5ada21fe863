//! Access keys, and the ways in which AWS's copies of them lag: fresh keys that are not live yet, deactivated ones
//! that work on, and a last use that is reported late.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::signed;
use crate::service::Service;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Inactive,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "Active",
            Status::Inactive => "Inactive",
        }
    }
}

/// How slowly changes to access keys reach the services.
#[derive(Clone, Default)]
pub(crate) struct Propagation {
    pub live_after_sts: Duration,
    pub live_after_iam: Duration,
    pub flaps: u32,
    pub lingering: Duration,
    pub last_used_lag: Duration,
}

#[derive(Clone)]
pub(crate) struct AccessKey {
    pub id: String,
    pub secret: String,
    pub owner: String,
    pub status: Status,
    pub created: Timestamp,
    pub deleted: bool,
    /// Until then a deactivated or deleted key is still honoured.
    lingers_until: Option<Timestamp>,
    live: [Liveness; 2],
    uses: Vec<Use>,
}

#[derive(Clone)]
struct Liveness {
    from: Timestamp,
    refusals_left: u32,
    refused_last: bool,
}

#[derive(Clone)]
pub(crate) struct Use {
    pub at: Timestamp,
    pub service: &'static str,
    pub region: String,
}

impl AccessKey {
    pub fn new(id: String, secret: String, owner: &str, now: Timestamp) -> AccessKey {
        AccessKey {
            id,
            secret,
            owner: owner.to_owned(),
            status: Status::Active,
            created: now,
            deleted: false,
            lingers_until: None,
            live: [(); 2].map(|()| Liveness { from: Timestamp::MIN, refusals_left: 0, refused_last: false }),
            uses: Vec::new(),
        }
    }

    pub fn spread_by(&mut self, propagation: &Propagation) {
        for (live, after) in self.live.iter_mut().zip([propagation.live_after_sts, propagation.live_after_iam]) {
            live.from = self.created + signed(after);
            live.refusals_left = propagation.flaps;
        }
    }

    pub fn set_status(&mut self, status: Status, lingers_until: Option<Timestamp>) {
        self.lingers_until = if status == Status::Active { None } else { lingers_until };
        self.status = status;
    }

    pub fn delete(&mut self, lingers_until: Option<Timestamp>) {
        // A key that was off before it was deleted has nothing left to linger with.
        self.lingers_until = if self.status == Status::Active { lingers_until } else { self.lingers_until };
        self.deleted = true;
    }

    /// Whether `service` honours the key at this request. Asking counts: a flapping key refuses every other time.
    pub fn honoured_by(&mut self, service: Service, now: Timestamp) -> bool {
        let on = self.status == Status::Active && !self.deleted;
        if !on && self.lingers_until.is_none_or(|until| now >= until) {
            return false;
        }
        let live = &mut self.live[service as usize];
        if now < live.from {
            return false;
        }
        if live.refusals_left > 0 && !live.refused_last {
            live.refusals_left -= 1;
            live.refused_last = true;
            return false;
        }
        live.refused_last = false;
        true
    }

    pub fn used(&mut self, at: Timestamp, service: &'static str, region: &str) {
        self.uses.push(Use { at, service, region: region.to_owned() });
    }

    pub fn last_use_before(&self, latest: Timestamp) -> Option<&Use> {
        self.uses.iter().rev().find(|used| used.at <= latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key() -> AccessKey {
        AccessKey::new("AKIA".into(), "secret".into(), "arn", at(1000))
    }

    #[test]
    fn a_fresh_key_is_live_at_sts_before_iam_and_flaps_at_each() {
        let mut key = key();
        let lag = Propagation {
            live_after_sts: Duration::from_secs(10),
            live_after_iam: Duration::from_secs(20),
            flaps: 2,
            ..Propagation::default()
        };
        key.spread_by(&lag);
        assert!(!key.honoured_by(Service::Sts, at(1009)));
        let answers = |key: &mut AccessKey, service| [0; 5].map(|_| key.honoured_by(service, at(1015)));
        assert_eq!(answers(&mut key, Service::Sts), [false, true, false, true, true]);
        assert_eq!(answers(&mut key, Service::Iam), [false; 5]);
    }

    #[test]
    fn a_deactivated_key_works_until_the_word_has_spread() {
        let mut key = key();
        key.set_status(Status::Inactive, Some(at(1005)));
        assert!(key.honoured_by(Service::Iam, at(1004)));
        assert!(!key.honoured_by(Service::Iam, at(1005)));
    }
}
