//! Remembers the last code of each MFA device that AWS accepted. AWS takes a code once and calls it wrong afterwards; who
//! knows that it was used can say when the next one comes, and spares the device a failed try.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, CacheError};
use crate::disk::replace;
use crate::names::{MfaCode, MfaSerial};

/// RFC 6238's step, which AWS's virtual and hardware devices share.
const STEP_SECONDS: i64 = 30;

/// A code may be accepted one step early and one late, so that it is past only when this many steps are.
const STEPS_OF_A_CODE: u64 = 2;

#[derive(Serialize, Deserialize)]
struct UsedCode {
    /// Keyed: six digits would be found by trying.
    hash: String,
    step: i64,
}

impl Cache<'_> {
    /// How long until the device shows another code, if this one was used.
    pub(super) fn code_was_used(&self, serial: &MfaSerial, code: &MfaCode, now: Timestamp) -> Option<Duration> {
        let (bytes, _) = self.folder().ok()?.read(&self.code_file(serial), 1024).ok()?;
        let used: UsedCode = serde_json::from_slice(&bytes).ok()?;
        let step = now.as_second().div_euclid(STEP_SECONDS);
        let same = used.hash == self.code_hash(serial, code) && step.abs_diff(used.step) <= STEPS_OF_A_CODE;
        let left = STEP_SECONDS - now.as_second().rem_euclid(STEP_SECONDS);
        same.then(|| Duration::from_secs(left.unsigned_abs()))
    }

    pub(super) fn remember_code(&self, serial: &MfaSerial, code: &MfaCode, now: Timestamp) -> Result<(), CacheError> {
        let used = UsedCode { hash: self.code_hash(serial, code), step: now.as_second().div_euclid(STEP_SECONDS) };
        let bytes = serde_json::to_vec(&used).map_err(io::Error::from)?;
        let name = self.code_file(serial);
        let temporary =
            format!("{name}.tmp-{}-{:08x}", std::process::id(), getrandom::u32().map_err(io::Error::other)?);
        Ok(replace(&*self.made_folder()?, &name, &temporary, 0o600, &bytes, || Ok(())).in_force()?)
    }

    fn code_file(&self, serial: &MfaSerial) -> String {
        format!("{}.code", &self.keyed_hash("device", serial.as_str())[..40])
    }

    fn code_hash(&self, serial: &MfaSerial, code: &MfaCode) -> String {
        self.keyed_hash("code", &format!("{serial}\0{}", code.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cache, now};
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_used_code_is_known_while_it_could_be_typed_again() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let (phone, other): (MfaSerial, MfaSerial) = ("GAHT12345678".parse().unwrap(), "GAHT87654321".parse().unwrap());
        let (code, next) = ("123456".parse().unwrap(), "654321".parse().unwrap());
        assert_eq!(cache.code_was_used(&phone, &code, now()), None);
        cache.remember_code(&phone, &code, now()).unwrap();
        for (later, next_in) in
            [(0, Some(30)), (13, Some(17)), (29, Some(1)), (89, Some(1)), (90, None), (86_400, None)]
        {
            let later = now() + SignedDuration::from_secs(later);
            assert_eq!(cache.code_was_used(&phone, &code, later), next_in.map(Duration::from_secs), "{later}");
        }
        assert_eq!(cache.code_was_used(&phone, &next, now()), None);
        assert_eq!(cache.code_was_used(&other, &code, now()), None);
    }

    #[test]
    fn the_code_is_not_to_be_found_in_what_is_remembered() {
        let state = tempfile::tempdir().unwrap();
        cache(state.path()).remember_code(&"GAHT12345678".parse().unwrap(), &"123456".parse().unwrap(), now()).unwrap();
        let entry = std::fs::read_dir(state.path().join("sessions")).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains("123456") && !entry.path().to_str().unwrap().contains("GAHT"), "{text}");
    }
}
