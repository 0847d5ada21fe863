//! What two people read to each other to know that they mean the same vault.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Keeps this hash from being one of anything else.
const HASHED_AS: &[u8] = b"vault-fingerprint-v1\0";
/// 160 bits: nobody finds a second vault of the same fingerprint.
const BYTES: usize = 20;
const GROUP: usize = 4;

/// Of a vault's id and the key that signs it: `ABCD-EFGH-...`, 32 letters and digits. Public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; BYTES]);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a fingerprint is 32 letters and digits 2 to 7, in groups of four")]
pub struct NotAFingerprint;

impl Fingerprint {
    pub fn of(vault_id: &[u8], signing_key: &VerifyingKey) -> Self {
        let hash = Sha256::new().chain_update(HASHED_AS).chain_update(vault_id).chain_update(signing_key).finalize();
        let mut bytes = [0; BYTES];
        bytes.copy_from_slice(&hash[..BYTES]);
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (index, letter) in BASE32_NOPAD.encode(&self.0).chars().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

/// As people type it: in either case, grouped by hyphens, blanks or nothing.
impl FromStr for Fingerprint {
    type Err = NotAFingerprint;
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let letters: String = text.chars().filter(|c| *c != '-' && !c.is_whitespace()).collect();
        let bytes = BASE32_NOPAD.decode(letters.to_ascii_uppercase().as_bytes()).map_err(|_| NotAFingerprint)?;
        bytes.try_into().map(Self).map_err(|_| NotAFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    // Computed apart from this program, by Python's hashlib and base64 over the same bytes.
    #[test]
    fn a_fingerprint_is_what_the_format_says() {
        let fingerprint = Fingerprint::of(&[7; 16], &key(1));
        assert_eq!(fingerprint.to_string(), "7L6P-MM2B-4A7V-VOKS-ROWZ-GYZK-7JKC-ZGWM");
    }

    #[test]
    fn another_id_or_another_signing_key_has_another_fingerprint() {
        let base = Fingerprint::of(&[7; 16], &key(1));
        assert_ne!(base, Fingerprint::of(&[8; 16], &key(1)));
        assert_ne!(base, Fingerprint::of(&[7; 16], &key(2)));
    }

    #[test]
    fn a_fingerprint_is_read_as_people_type_it_and_nothing_else_is_one() {
        let fingerprint = Fingerprint::of(&[7; 16], &key(1));
        let shown = fingerprint.to_string();
        assert_eq!(shown.len(), 39);
        for typed in
            [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), format!(" {} \n", shown.replace('-', " "))]
        {
            assert_eq!(typed.parse(), Ok(fingerprint.clone()), "{typed}");
        }
        for bad in ["", "ABCD", &shown[1..], &format!("{shown}A"), &shown.replace(&shown[..1], "1")] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(NotAFingerprint), "{bad}");
        }
    }
}
