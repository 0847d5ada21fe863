//! What opens a vault's cached sessions and finds them: its session identity, or another process that holds it.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::process::leaving_no_trace;
use crate::secret::IdentityText;
use crate::store::opener::{AtAge, HeldIdentity};

/// Names the records. Who has it learns which sessions there are, and opens none.
pub type NameKey = Zeroizing<[u8; 32]>;

/// The vault's session identity is not an age X25519 identity.
#[derive(Debug, Error)]
#[error("not an age identity")]
pub struct NoSessionIdentity;

pub struct SessionKey {
    pub(super) identity: Box<dyn age::Identity>,
    pub(super) recipient: age::x25519::Recipient,
    pub(super) names: NameKey,
    pub(super) vault_id: String,
}

impl SessionKey {
    pub fn of(identity: &IdentityText, vault_id: &str) -> Result<Self, NoSessionIdentity> {
        let parsed: age::x25519::Identity =
            leaving_no_trace(|| identity.expose().parse().ok()).ok_or(NoSessionIdentity)?;
        Ok(Self {
            recipient: parsed.to_public(),
            identity: Box::new(parsed),
            names: name_key(identity),
            vault_id: vault_id.to_owned(),
        })
    }

    /// Of an identity that another process holds, by its recipient (`age1...`).
    pub fn held(
        held: Arc<dyn HeldIdentity>,
        recipient: &str,
        names: NameKey,
        vault_id: &str,
    ) -> Result<Self, NoSessionIdentity> {
        let recipient = recipient.parse().map_err(|_| NoSessionIdentity)?;
        Ok(Self { identity: Box::new(AtAge(held)), recipient, names, vault_id: vault_id.to_owned() })
    }
}

/// What the names of an identity's records are made with.
pub fn name_key(identity: &IdentityText) -> NameKey {
    Zeroizing::new(hmac(identity.expose().as_bytes(), &[b"vault session names v1"]))
}

pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
