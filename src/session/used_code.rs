//! Remembers the last code of each MFA device that AWS accepted. AWS takes a code once and calls it wrong afterwards; who
//! knows that it was used can say when the next one comes, and spares the device a failed try.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cache::{Cache, CacheError};
use crate::disk::{Replaced, replace};
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
        match replace(&*self.made_folder()?, &name, &temporary, 0o600, &bytes, || Ok(())) {
            Replaced::Committed | Replaced::CommittedNotDurable(_) => Ok(()),
            Replaced::NotCommitted(error) => Err(error.into()),
        }
    }

    fn code_file(&self, serial: &MfaSerial) -> String {
        format!("{}.code", &self.keyed_hash("device", serial.as_str())[..40])
    }

    fn code_hash(&self, serial: &MfaSerial, code: &MfaCode) -> String {
        self.keyed_hash("code", &format!("{serial}\0{}", code.as_str()))
    }
}
