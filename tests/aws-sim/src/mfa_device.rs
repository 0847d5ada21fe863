//! A virtual MFA device in the hand of its user.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;

use crate::cloud::{Shared, lock};
use crate::totp::{STEP_SECONDS, step_at};

#[derive(Clone)]
pub struct MfaDevice {
    shared: Shared,
    serial: String,
}

impl MfaDevice {
    pub(crate) fn new(shared: Shared, serial: String) -> MfaDevice {
        MfaDevice { shared, serial }
    }

    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// A code that AWS accepts now. Where this step's was accepted already, AWS's clock moves on to the next step, as
    /// a user would have waited.
    pub fn code(&self) -> String {
        let mut cloud = lock(&self.shared);
        let now = cloud.clock.now();
        if cloud.devices.get(&self.serial).is_some_and(|device| device.spent(now)) {
            let rest = (step_at(now) + 1) * STEP_SECONDS - now.as_second();
            cloud.clock.advance(Duration::from_secs(rest.unsigned_abs()));
        }
        let now = cloud.clock.now();
        let code = cloud.devices.get(&self.serial).and_then(|device| device.shows(now));
        code.expect("a handle is made only for virtual devices; the test deleted this one")
    }

    /// Whether nobody has deleted it.
    pub fn is_there(&self) -> bool {
        lock(&self.shared).devices.contains_key(&self.serial)
    }

    /// A code of six digits that no step nearby makes.
    pub fn wrong_code(&self) -> String {
        let cloud = lock(&self.shared);
        let here = step_at(cloud.clock.now());
        let device = cloud.devices.get(&self.serial);
        let near: Vec<_> =
            (-200..=200).filter_map(|step| device.and_then(|device| device.code_of(here + step))).collect();
        let unused = (0..1000).map(|n| format!("{n:06}")).find(|code| !near.contains(code));
        unused.expect("401 steps make fewer than 1000 codes")
    }

    pub fn seed_base32(&self) -> String {
        let cloud = lock(&self.shared);
        let seed = cloud.devices.get(&self.serial).and_then(|device| device.seed.as_deref());
        BASE32_NOPAD.encode(seed.unwrap_or_default())
    }

    /// Makes the device's own clock run so many 30-second steps ahead.
    pub fn drift(&self, steps: i64) {
        if let Some(device) = lock(&self.shared).devices.get_mut(&self.serial) {
            device.drift = steps;
        }
    }
}
