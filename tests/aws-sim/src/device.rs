//! MFA devices: virtual ones that make codes, and security keys that are listed and make none.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{random, totp};

#[derive(Clone)]
pub(crate) struct Device {
    pub serial: String,
    /// The user's ARN; none until the device is enabled.
    pub owner: Option<String>,
    pub enabled: Option<Timestamp>,
    /// None for a security key: it signs in at the console, and STS takes no code from it.
    pub seed: Option<Vec<u8>>,
    /// How many steps the device's own clock runs ahead, and how many of them AWS has learnt by a resync.
    pub drift: i64,
    pub known_drift: i64,
    accepted: BTreeSet<i64>,
}

impl Device {
    pub fn virtual_device(account: &str, name: &str) -> Device {
        // AWS hands out 64 base32 characters: 40 bytes.
        Device::new(format!("arn:aws:iam::{account}:mfa/{name}"), Some(random::bytes::<40>().to_vec()))
    }

    pub fn security_key(account: &str, user: &str, name: &str) -> Device {
        let suffix = random::id("");
        Device::new(format!("arn:aws:iam::{account}:u2f/user/{user}/{name}-{suffix}"), None)
    }

    fn new(serial: String, seed: Option<Vec<u8>>) -> Device {
        Device { serial, owner: None, enabled: None, seed, drift: 0, known_drift: 0, accepted: BTreeSet::new() }
    }

    pub fn enable(&mut self, owner: &str, now: Timestamp) {
        self.owner = Some(owner.to_owned());
        self.enabled = Some(now);
    }

    pub fn disable(&mut self) {
        self.owner = None;
        self.enabled = None;
    }

    /// What the device shows at `now`.
    pub fn shows(&self, now: Timestamp) -> Option<String> {
        self.code_of(totp::step_at(now) + self.drift)
    }

    pub fn spent(&self, now: Timestamp) -> bool {
        self.accepted.contains(&(totp::step_at(now) + self.drift))
    }

    /// One step of tolerance either way; a step that was accepted once is never accepted again.
    pub fn accept(&mut self, code: &str, now: Timestamp) -> bool {
        let here = totp::step_at(now) + self.known_drift;
        let step = (here - 1..=here + 1).find(|step| self.makes(code, *step));
        step.is_some_and(|step| self.accepted.insert(step))
    }

    /// Two codes of neighbouring steps within `reach`; both are spent, and the drift they show is learnt.
    pub fn accept_pair(&mut self, first: &str, second: &str, now: Timestamp, reach: i64) -> bool {
        let here = totp::step_at(now);
        let found = (here - reach..=here + reach)
            .find(|step| self.makes(first, *step) && self.makes(second, step + 1) && !self.accepted.contains(step));
        let Some(step) = found else { return false };
        self.accepted.extend([step, step + 1]);
        self.known_drift = if (here - 2..=here + 1).contains(&step) { 0 } else { step + 1 - here };
        true
    }

    fn makes(&self, code: &str, step: i64) -> bool {
        self.code_of(step).is_some_and(|made| made == code)
    }

    pub fn code_of(&self, step: i64) -> Option<String> {
        self.seed.as_ref().map(|seed| totp::code(seed, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_code_is_accepted_once_and_only_one_step_either_side() {
        let mut device = Device::virtual_device("123456789012", "phone");
        let code = device.shows(at(3000)).unwrap();
        assert!(!device.accept(&code, at(3060)));
        assert!(!device.accept(&code, at(2940)));
        assert!(device.accept(&code, at(3059)));
        assert!(!device.accept(&code, at(3000)));
    }

    #[test]
    fn a_drifting_device_is_understood_after_a_resync() {
        let mut device = Device::virtual_device("123456789012", "phone");
        device.drift = 10;
        let (first, second) = (device.shows(at(3000)).unwrap(), device.shows(at(3030)).unwrap());
        assert!(!device.accept(&first, at(3000)));
        assert!(device.accept_pair(&first, &second, at(3030), 100));
        let third = device.shows(at(3060)).unwrap();
        assert!(device.accept(&third, at(3060)));
    }
}
