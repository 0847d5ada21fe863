//! From a passphrase to the vault identity. The derived identity is an ordinary age X25519 identity, so that a vault is an
//! ordinary age file and nothing of ours is between a user and their keys.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

use super::identity;
use super::kdf::KdfParameters;
use super::lanes;
use crate::memory::Memory;
use crate::secret::{IdentityText, Passphrase};

/// Separates this derivation from every other use of the same passphrase; also the tag of the header's stanza.
pub const KDF_TAG: &str = "vault-format.v1/argon2id";

const STANDARD_KIB: u32 = 256 * 1024;
const SMALL_KIB: u32 = 64 * 1024;

/// Below this much memory `small` is the default.
const LITTLE_MEMORY: u64 = 2 * 1024 * 1024 * 1024;

/// How much work a guess of the passphrase is. Named and not measured on the machine: a vault made on a fast one must open
/// on a slow one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// 256 MiB.
    Standard,
    /// 64 MiB: the second choice of RFC 9106, section 4.
    Small,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a cost: standard or small")]
pub struct UnknownCost(String);

impl FromStr for Cost {
    type Err = UnknownCost;
    fn from_str(text: &str) -> Result<Self, UnknownCost> {
        match text {
            "standard" => Ok(Self::Standard),
            "small" => Ok(Self::Small),
            _ => Err(UnknownCost(text.to_owned())),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Small => "small",
        })
    }
}

impl Cost {
    /// What `init` takes when nobody says.
    pub fn default_for(memory: Memory) -> Self {
        match memory.total {
            Some(total) if total < LITTLE_MEMORY => Self::Small,
            _ => Self::Standard,
        }
    }

    /// The nearest to costs that a vault has: a new salt must not make it cheaper to guess.
    pub fn of(parameters: &KdfParameters) -> Self {
        if parameters.memory_kib() <= SMALL_KIB { Self::Small } else { Self::Standard }
    }

    /// These costs with a fresh salt.
    pub fn parameters(self) -> Result<KdfParameters, getrandom::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let memory_kib = match self {
            Self::Standard => STANDARD_KIB,
            Self::Small => SMALL_KIB,
        };
        Ok(KdfParameters::new(salt, memory_kib, 3, 4).expect("both costs are within the bounds"))
    }
}

/// Whether a vault of these parameters is easier to guess than any we make.
pub fn is_weak(parameters: &KdfParameters) -> bool {
    parameters.memory_kib() < SMALL_KIB || parameters.passes() < 3
}

/// Why a text can't be a new passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PassphraseError {
    #[error("the passphrase is empty")]
    Empty,
    /// A line break, an escape sequence of an arrow key: typed by accident, and not to be typed again.
    #[error("the passphrase has a control character")]
    Control,
    /// A later Unicode may give it a decomposition, and the passphrase would then normalise to other bytes.
    #[error("the passphrase has a character that is not in Unicode yet")]
    Unassigned,
}

/// Before a vault is made with it, or gets it. Opening never refuses: whatever the vault was made with must open it.
pub fn check_new(passphrase: &Passphrase) -> Result<(), PassphraseError> {
    let text = passphrase.expose();
    if text.is_empty() {
        return Err(PassphraseError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(PassphraseError::Control);
    }
    if text.chars().any(|c| c.general_category() == GeneralCategory::Unassigned) {
        return Err(PassphraseError::Unassigned);
    }
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeriveError {
    /// In bytes.
    #[error("opening needs {needed} bytes of memory and {available} are available")]
    Memory { needed: u64, available: u64 },
    /// The system said no, or doesn't say how much there is.
    #[error("{needed} bytes of memory could not be allocated")]
    Allocation { needed: u64 },
}

/// Derives the vault identity; refuses at once what is more than the available memory, instead of being killed for it. None
/// tries whatever it takes.
pub fn derive(
    passphrase: &Passphrase,
    parameters: &KdfParameters,
    available: Option<u64>,
) -> Result<IdentityText, DeriveError> {
    let needed = u64::from(parameters.memory_kib()) * 1024;
    if let Some(available) = available.filter(|available| *available < needed) {
        return Err(DeriveError::Memory { needed, available });
    }
    lanes::on_threads(parameters.lanes(), || run_argon2(passphrase, parameters))
        .ok_or(DeriveError::Allocation { needed })
}

/// None where there is no memory for it.
fn run_argon2(passphrase: &Passphrase, parameters: &KdfParameters) -> Option<IdentityText> {
    let normalised = normalise(passphrase);
    let salt = format!("{KDF_TAG}{}", parameters.salt_text());
    let mut seed = Zeroizing::new([0; 32]);
    // Argon2 does not wipe its working memory, any part of which lets the seed be computed on; our allocator does when it
    // is freed. Every length and cost is within Argon2's bounds, so that memory is all that can be missing.
    argon2id(parameters).hash_password_into(normalised.as_bytes(), salt.as_bytes(), seed.as_mut()).ok()?;
    Some(identity::from_seed(&seed))
}

/// The same passphrase typed on another keyboard or system may come as other code points for the same characters; NFC makes
/// them one.
fn normalise(passphrase: &Passphrase) -> Zeroizing<String> {
    // NFC makes a text at most three times as long in UTF-8 (Unicode FAQ on normalisation): it never moves while it grows.
    let mut normalised = Zeroizing::new(String::with_capacity(3 * passphrase.expose().len()));
    normalised.extend(passphrase.expose().nfc());
    normalised
}

fn argon2id(parameters: &KdfParameters) -> Argon2<'static> {
    let params = Params::new(parameters.memory_kib(), parameters.passes(), parameters.lanes(), Some(32))
        .expect("the bounds of KdfParameters are within Argon2's");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn cheap() -> KdfParameters {
        KdfParameters::new([7; 16], 64, 1, 2).unwrap()
    }

    #[test]
    fn the_derived_identity_is_one_that_age_takes_and_depends_on_every_input() {
        let derived = |text: &str, parameters: KdfParameters| {
            let identity = derive(&passphrase(text), &parameters, None).unwrap();
            assert!(identity::recipient(&identity).is_some());
            identity.expose().to_owned()
        };
        let base = derived("correct horse", cheap());
        assert_eq!(base, derived("correct horse", cheap()));
        assert_ne!(base, derived("correct horsf", cheap()));
        for other in [
            KdfParameters::new([8; 16], 64, 1, 2),
            KdfParameters::new([7; 16], 65, 1, 2),
            KdfParameters::new([7; 16], 64, 2, 2),
            KdfParameters::new([7; 16], 64, 1, 1),
        ] {
            assert_ne!(base, derived("correct horse", other.unwrap()));
        }
    }

    #[test]
    fn composed_and_decomposed_characters_are_the_same_passphrase() {
        let composed = derive(&passphrase("caf\u{e9}"), &cheap(), None).unwrap();
        let decomposed = derive(&passphrase("cafe\u{301}"), &cheap(), None).unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn a_new_passphrase_is_one_that_can_be_typed_again_in_years() {
        assert_eq!(check_new(&passphrase("correct horse batterie é 🐴")), Ok(()));
        assert_eq!(check_new(&passphrase("")), Err(PassphraseError::Empty));
        for control in ["a\nb", "a\u{1b}[A", "\u{7f}", "\u{85}", "\0"] {
            assert_eq!(check_new(&passphrase(control)), Err(PassphraseError::Control), "{control:?}");
        }
        assert_eq!(check_new(&passphrase("a\u{378}")), Err(PassphraseError::Unassigned));
    }

    #[test]
    fn more_memory_than_there_is_is_refused_before_it_is_allocated() {
        let parameters = KdfParameters::new([0; 16], 2 * 1024 * 1024, 1, 1).unwrap();
        let needed = 2 * 1024 * 1024 * 1024;
        assert_eq!(
            derive(&passphrase("x"), &parameters, Some(needed - 1)).err(),
            Some(DeriveError::Memory { needed, available: needed - 1 })
        );
    }

    #[test]
    fn a_cost_has_a_name_and_a_fresh_salt_every_time_and_little_memory_makes_it_small() {
        for (name, cost, memory_kib) in [("standard", Cost::Standard, 262_144), ("small", Cost::Small, 65_536)] {
            assert_eq!(name.parse(), Ok(cost));
            assert_eq!(cost.to_string(), name);
            let parameters = cost.parameters().unwrap();
            assert_eq!((parameters.memory_kib(), parameters.passes(), parameters.lanes()), (memory_kib, 3, 4));
            assert_ne!(parameters.salt_text(), cost.parameters().unwrap().salt_text());
            assert!(!is_weak(&parameters));
        }
        assert!("Standard".parse::<Cost>().is_err());
        assert!(is_weak(&cheap()));
        let total = |total| Memory { total, available: None };
        assert_eq!(Cost::default_for(total(Some(LITTLE_MEMORY - 1))), Cost::Small);
        assert_eq!(Cost::default_for(total(Some(LITTLE_MEMORY))), Cost::Standard);
        assert_eq!(Cost::default_for(total(None)), Cost::Standard);
    }
}
