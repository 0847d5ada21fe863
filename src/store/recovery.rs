//! A recovery key: an age identity that opens the vault when the passphrase is forgotten. It is shown once, to be printed
//! or stored elsewhere; the vault keeps its public half only.

use crate::secret::IdentityText;

pub struct RecoveryKey {
    pub identity: IdentityText,
    /// `age1...`
    pub recipient: String,
}

impl RecoveryKey {
    pub fn generate() -> Self {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let text = secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        Self { identity: IdentityText::new(text), recipient }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipient_belongs_to_the_identity_and_no_two_keys_are_alike() {
        let (one, other) = (RecoveryKey::generate(), RecoveryKey::generate());
        let identity: age::x25519::Identity = one.identity.expose().parse().unwrap();
        assert_eq!(identity.to_public().to_string(), one.recipient);
        assert_ne!(one.recipient, other.recipient);
    }
}
