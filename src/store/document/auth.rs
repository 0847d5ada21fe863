//! The key that signs a vault's payload.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DocumentError, random};
use crate::process::leaving_no_trace;
use crate::secret::{SigningSeed, in_sealed_bytes};

#[derive(Clone, Serialize, Deserialize)]
pub struct Auth {
    #[serde(with = "in_sealed_bytes")]
    ed25519_seed: SigningSeed,
    /// Of that seed, which stays as it is: to derive it takes a tenth of a millisecond, and whoever opens a vault compares it
    /// three times.
    #[serde(skip)]
    verifying_key: OnceLock<VerifyingKey>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl Auth {
    /// With a key that nobody had before.
    pub fn fresh(rest: toml::Table) -> Result<Self, DocumentError> {
        let ed25519_seed = leaving_no_trace(|| random::<32>().map(|seed| SigningSeed::new(BASE64.encode(*seed))))?;
        Ok(Self { ed25519_seed, verifying_key: OnceLock::new(), rest })
    }

    pub fn seed(&self) -> &SigningSeed {
        &self.ed25519_seed
    }

    pub fn verifying_key(&self) -> Result<VerifyingKey, DocumentError> {
        if let Some(key) = self.verifying_key.get() {
            return Ok(*key);
        }
        let key = leaving_no_trace(|| self.signing_key().map(|key| key.verifying_key()))?;
        Ok(*self.verifying_key.get_or_init(|| key))
    }

    /// To be used within [`leaving_no_trace`] only: it is moved through every frame on its way.
    pub fn signing_key(&self) -> Result<SigningKey, DocumentError> {
        let seed = Zeroizing::new(BASE64.decode(self.ed25519_seed.expose()).unwrap_or_default());
        let seed = seed.as_slice().try_into().map_err(|_| DocumentError::SigningKey)?;
        Ok(SigningKey::from_bytes(seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_half_is_that_of_the_seed_also_of_a_copy_and_of_a_new_key() {
        let mut auth = Auth::fresh(toml::Table::new()).unwrap();
        let of_its_seed = |auth: &Auth| auth.signing_key().unwrap().verifying_key();
        let first = auth.verifying_key().unwrap();
        assert_eq!(first, of_its_seed(&auth));
        assert_eq!(auth.clone().verifying_key().unwrap(), first);
        auth = Auth::fresh(auth.rest).unwrap();
        assert_ne!(auth.verifying_key().unwrap(), first);
        assert_eq!(auth.verifying_key().unwrap(), of_its_seed(&auth));
    }
}
