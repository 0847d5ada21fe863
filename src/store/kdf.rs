//! What turns a passphrase into the vault identity: Argon2id's salt and costs, as the header and the payload carry them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// 2 GiB in KiB. The costs stand in a header that anybody may have written, so they are bounded before a byte is allocated.
const MAX_MEMORY_KIB: u32 = 2 * 1024 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
/// Memory times passes is what the derivation costs in time; 8 GiB takes about ten seconds.
const MAX_WORK_KIB: u64 = 8 * 1024 * 1024;

/// Salt and costs within the bounds; nothing else can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct KdfParameters {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KdfError {
    #[error("the salt is not 16 bytes in canonical base64")]
    Salt,
    #[error("`{0}` is not a decimal number without leading zeros")]
    Number(String),
    #[error("the costs are out of bounds: {memory_kib} KiB, {passes} passes, {lanes} lanes")]
    OutOfBounds { memory_kib: u32, passes: u32, lanes: u32 },
}

impl KdfParameters {
    pub fn new(salt: [u8; 16], memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KdfError> {
        let fits = (1..=MAX_PASSES).contains(&passes)
            && (1..=MAX_LANES).contains(&lanes)
            && (8 * lanes..=MAX_MEMORY_KIB).contains(&memory_kib)
            && u64::from(memory_kib) * u64::from(passes) <= MAX_WORK_KIB;
        if fits {
            Ok(Self { salt, memory_kib, passes, lanes })
        } else {
            Err(KdfError::OutOfBounds { memory_kib, passes, lanes })
        }
    }

    /// From the four arguments of the header's stanza.
    pub fn from_words([salt, memory_kib, passes, lanes]: [&str; 4]) -> Result<Self, KdfError> {
        Self::new(parse_salt(salt)?, parse_decimal(memory_kib)?, parse_decimal(passes)?, parse_decimal(lanes)?)
    }

    /// The four arguments of the header's stanza.
    pub fn words(&self) -> [String; 4] {
        [self.salt_text(), self.memory_kib.to_string(), self.passes.to_string(), self.lanes.to_string()]
    }

    /// The 22 characters that go into the derivation.
    pub fn salt_text(&self) -> String {
        BASE64.encode(self.salt)
    }

    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    pub fn passes(&self) -> u32 {
        self.passes
    }

    pub fn lanes(&self) -> u32 {
        self.lanes
    }
}

fn parse_salt(text: &str) -> Result<[u8; 16], KdfError> {
    // The engine refuses padding and stray bits in the last character: one salt has one spelling.
    BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(KdfError::Salt)
}

fn parse_decimal(text: &str) -> Result<u32, KdfError> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(KdfError::Number(text.chars().take(16).collect())),
    }
}

/// The table in the payload.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl TryFrom<Stored> for KdfParameters {
    type Error = KdfError;
    fn try_from(stored: Stored) -> Result<Self, KdfError> {
        Self::new(parse_salt(&stored.salt)?, stored.memory_kib, stored.passes, stored.lanes)
    }
}

impl From<KdfParameters> for Stored {
    fn from(parameters: KdfParameters) -> Self {
        let KdfParameters { memory_kib, passes, lanes, .. } = parameters;
        Self { salt: parameters.salt_text(), memory_kib, passes, lanes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "AAECAwQFBgcICQoLDA0ODw";

    #[test]
    fn words_and_parameters_are_each_others_inverse() {
        let parameters = KdfParameters::from_words([SALT, "262144", "3", "4"]).unwrap();
        assert_eq!(parameters.words(), [SALT, "262144", "3", "4"]);
        assert_eq!(
            parameters,
            KdfParameters::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 262144, 3, 4).unwrap()
        );
    }

    #[test]
    fn a_number_or_a_salt_has_one_spelling() {
        for bad in ["", "0", "08192", "+8192", "8192 ", "8_192", "4294967296", "-1", "٣"] {
            let refused = KdfParameters::from_words([SALT, bad, "3", "4"]);
            assert!(matches!(refused, Err(KdfError::Number(_))), "{bad}");
        }
        // Padded, a stray bit in the last character, too short, too long, the other alphabet.
        for bad in [
            "AAECAwQFBgcICQoLDA0ODw==",
            "AAECAwQFBgcICQoLDA0ODx",
            "AAECAwQFBgcICQoLDA0O",
            "AAECAwQFBgcICQoLDA0ODxAR",
            "__ECAwQFBgcICQoLDA0ODw",
        ] {
            assert_eq!(KdfParameters::from_words([bad, "8192", "3", "4"]), Err(KdfError::Salt), "{bad}");
        }
    }

    #[test]
    fn costs_over_the_bounds_cannot_be_built() {
        let built = |memory, passes, lanes| KdfParameters::new([0; 16], memory, passes, lanes).is_ok();
        assert!(built(8, 1, 1) && built(128, 1, 16) && built(2 * 1024 * 1024, 4, 16) && built(512 * 1024, 16, 1));
        assert!(!built(7, 1, 1) && !built(127, 1, 16), "less than 8 KiB a lane");
        assert!(!built(2 * 1024 * 1024 + 1, 1, 1) && !built(u32::MAX, 1, 1), "more than 2 GiB");
        assert!(!built(8192, 0, 1) && !built(8192, 17, 1), "passes");
        assert!(!built(8192, 1, 0) && !built(8192, 1, 17) && !built(8192, 1, u32::MAX), "lanes");
        assert!(!built(2 * 1024 * 1024, 5, 1), "memory times passes over 8 GiB");
    }
}
