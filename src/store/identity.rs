//! age X25519 identities as text: made at random or from a seed, and their public halves.

use secrecy::ExposeSecret;

use crate::secret::IdentityText;

/// How its text begins, and how many characters it has in all (<https://age-encryption.org/v1>, native X25519 identities: 32 bytes
/// in Bech32).
pub const START: &str = "AGE-SECRET-KEY-1";
pub const LENGTH: usize = 74;

/// A fresh one.
pub fn generate() -> IdentityText {
    IdentityText::new(age::x25519::Identity::generate().to_string().expose_secret().to_owned())
}

/// The one whose secret is this seed.
pub fn from_seed(seed: &[u8; 32]) -> IdentityText {
    let prefix = bech32::Hrp::parse_unchecked("age-secret-key-");
    IdentityText::new(bech32::encode_upper::<bech32::Bech32>(prefix, seed).expect("32 bytes fit into bech32"))
}

/// `age1...`; None where the text is not an identity of this kind.
pub fn recipient(identity: &IdentityText) -> Option<String> {
    Some(parse(identity)?.to_public().to_string())
}

pub(super) fn parse(identity: &IdentityText) -> Option<age::x25519::Identity> {
    identity.expose().parse().ok()
}

/// Whether a vault can be encrypted to this text.
pub fn is_recipient(text: &str) -> bool {
    text.parse::<age::x25519::Recipient>().is_ok()
}

/// A recipient as everybody writes it; None where the text is none.
pub fn canonical_recipient(text: &str) -> Option<String> {
    Some(text.parse::<age::x25519::Recipient>().ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_identity_is_like_no_other_and_has_a_recipient() {
        let (one, other) = (recipient(&generate()).unwrap(), recipient(&generate()).unwrap());
        assert_ne!(one, other);
        assert!(is_recipient(&one));
    }

    // The pair is from the age crate's own tests.
    #[test]
    fn a_seed_becomes_the_identity_that_every_age_reads() {
        let seed = [
            0x40, 0x0b, 0xef, 0x1d, 0x80, 0x36, 0xf7, 0x26, 0x64, 0xf0, 0xb7, 0xa5, 0xa6, 0x2c, 0xfc, 0x95, 0x6e, 0xd0,
            0x76, 0x5c, 0x64, 0x13, 0x87, 0x63, 0x6f, 0x53, 0x4e, 0x8c, 0xb8, 0x1e, 0x50, 0x58,
        ];
        let identity = from_seed(&seed);
        assert!(identity.expose().starts_with(START) && identity.expose().len() == LENGTH);
        assert_eq!(identity.expose(), "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33");
        let public = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
        assert_eq!(recipient(&identity).as_deref(), Some(public));
    }

    #[test]
    fn what_is_no_identity_has_no_recipient() {
        let public = recipient(&generate()).unwrap();
        for text in ["", "AGE-SECRET-KEY-1", "AGE-PLUGIN-YUBIKEY-1QQQ", &public] {
            assert_eq!(recipient(&IdentityText::new(text.to_owned())), None);
        }
        assert!(!is_recipient("age1nonsense"));
    }
}
