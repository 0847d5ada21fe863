//! Types for what must never be shown: no Debug, no Display, wiped when dropped. Getting at the text takes a call named
//! `expose`, so that every place that does can be found and read.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Bytes that are wiped when dropped: payloads, keys, what was read from a prompt.
pub type SecretBytes = Zeroizing<Vec<u8>>;

macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            pub fn new(text: String) -> Self {
                Self(text.into())
            }

            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }
    };
}

secret_text!(
    /// Opens the vault.
    Passphrase
);
secret_text!(
    /// The secret half of an access key, a long-term or a session's.
    SecretAccessKey
);
secret_text!(
    /// What makes temporary credentials temporary.
    SessionToken
);
secret_text!(
    /// Signs a browser in to the AWS console.
    SigninToken
);
secret_text!(
    /// What a virtual MFA device makes its codes of, in base32.
    MfaSeed
);
secret_text!(
    /// An age identity in its text form, `AGE-SECRET-KEY-1...`.
    IdentityText
);
secret_text!(
    /// The Ed25519 seed that signs payloads, in base64.
    SigningSeed
);

/// Serde for secrets, only by explicit `#[serde(with = "in_sealed_bytes")]`: a struct that holds one can't slip into JSON
/// by deriving Serialize. The bytes made with it must go straight into an encrypted file, or to the agent and nowhere else.
pub mod in_sealed_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    /// What the secret types share, for these two functions only.
    pub trait SecretText: Sized {
        fn from_text(text: String) -> Self;
        fn text(&self) -> &str;
    }

    macro_rules! secret_text_impl {
        ($($name:ident),*) => {$(
            impl SecretText for super::$name {
                fn from_text(text: String) -> Self {
                    Self::new(text)
                }
                fn text(&self) -> &str {
                    self.expose()
                }
            }
        )*};
    }
    secret_text_impl!(SecretAccessKey, SessionToken, IdentityText, SigningSeed);

    pub fn serialize<S: Serializer, T: SecretText>(secret: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.text())
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: SecretText>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer).map(T::from_text)
    }
}
