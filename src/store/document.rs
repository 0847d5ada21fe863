//! What the vault holds, as TOML. Keys and tables that this version does not know survive a load and a save.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::kdf::KdfParameters;
pub use super::profile::{Profile, StoredAccessKey};
use crate::names::ProfileName;
use crate::secret::{IdentityText, SigningSeed, in_sealed_bytes};

/// What new vaults say; 1 once the format is frozen.
const FORMAT: u32 = 0;
/// The highest that is understood.
const MAX_FORMAT: u32 = 1;

/// 16 bytes of each hash stand in the list: enough to tell files apart, not to prove anything.
const ANCESTOR_BYTES: usize = 16;
const MAX_ANCESTORS: usize = 1024;

/// For who sees the payload without this program, by stock age or in an editor.
const WARNING: &str = "# The content of a vault: long-term AWS keys in plain text. If this was printed or stored anywhere, change the\n\
                       # passphrase with `vault passwd` and rotate every access key.\n\n";

/// Why a payload is not a document. Never with a piece of the text: it is full of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    #[error("the content is of format {found}, newer than {MAX_FORMAT}")]
    Newer { found: u64 },
    #[error("the content can't be read at line {line}")]
    Malformed { line: usize },
    #[error("the signing key is not 32 bytes in base64")]
    SigningKey,
    #[error("the content can't be written")]
    Unwritable,
    #[error("no randomness from the system")]
    Randomness,
}

/// The whole payload.
#[derive(Clone, Serialize, Deserialize)]
pub struct Document {
    pub meta: Meta,
    pub auth: Auth,
    pub session: Session,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default, rename = "recipient", skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    #[serde(default, rename = "profile", skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<ProfileName, Profile>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl Document {
    /// An empty vault with keys of its own.
    pub fn new(now: Timestamp, writer: String, session_identity: IdentityText) -> Result<Self, DocumentError> {
        let meta = Meta {
            format: FORMAT,
            vault_id: BASE64.encode(*random::<16>()?),
            generation: 0,
            rekeyed_at: now,
            written_at: now,
            writer,
            ancestors: String::new(),
            rest: toml::Table::new(),
        };
        let seed = BASE64.encode(*random::<32>()?);
        Ok(Self {
            meta,
            auth: Auth { ed25519_seed: SigningSeed::new(seed), rest: toml::Table::new() },
            session: Session { identity: session_identity, rest: toml::Table::new() },
            settings: Settings::default(),
            recipients: Vec::new(),
            profiles: BTreeMap::new(),
            rest: toml::Table::new(),
        })
    }

    pub fn decode(text: &[u8]) -> Result<Self, DocumentError> {
        let text = str::from_utf8(text).map_err(|error| malformed(text, error.valid_up_to()))?;
        let decoded = toml::from_str::<Self>(text);
        // A newer format may not fit our types: its number is looked for before the misfit is reported.
        let format = match &decoded {
            Ok(document) => Some(u64::from(document.meta.format)),
            Err(_) => toml::from_str::<FormatOnly>(text).ok().map(|found| found.meta.format),
        };
        match (format, decoded) {
            (Some(found), _) if found > u64::from(MAX_FORMAT) => Err(DocumentError::Newer { found }),
            (_, Ok(document)) => Ok(document),
            (_, Err(error)) => Err(malformed(text.as_bytes(), error.span().map_or(0, |span| span.start))),
        }
    }

    pub fn encode(&self) -> Result<Zeroizing<String>, DocumentError> {
        let body = Zeroizing::new(toml::to_string(self).map_err(|_| DocumentError::Unwritable)?);
        Ok(Zeroizing::new([WARNING, body.as_str()].concat()))
    }

    /// Salt and costs of the passphrase; None where only other identities open the vault.
    pub fn kdf(&self) -> Option<&KdfParameters> {
        let passphrase = self.recipients.iter().find(|recipient| recipient.kind == RecipientKind::Passphrase)?;
        passphrase.kdf.as_ref()
    }

    pub fn signing_key(&self) -> Result<SigningKey, DocumentError> {
        let seed = Zeroizing::new(BASE64.decode(self.auth.ed25519_seed.expose()).unwrap_or_default());
        let seed = seed.as_slice().try_into().map_err(|_| DocumentError::SigningKey)?;
        Ok(SigningKey::from_bytes(seed))
    }

    pub fn user_profiles(&self) -> impl Iterator<Item = (&ProfileName, &Profile, &StoredAccessKey)> {
        self.profiles.iter().filter_map(|(name, profile)| Some((name, profile, profile.access_key.as_ref()?)))
    }
}

impl Meta {
    /// Makes the file with this hash the newest ancestor and forgets the oldest beyond the limit.
    pub fn descend_from(&mut self, hash: &[u8; 32]) {
        // A list that isn't ours to read is begun anew: it tells about the past, nothing in the vault rests on it.
        let mut ancestors = BASE64.decode(&self.ancestors).unwrap_or_default();
        ancestors.extend_from_slice(&hash[..ANCESTOR_BYTES]);
        let excess = ancestors.len().saturating_sub(MAX_ANCESTORS * ANCESTOR_BYTES);
        self.ancestors = BASE64.encode(&ancestors[excess..]);
    }

    pub fn has_ancestor(&self, hash: &[u8; 32]) -> bool {
        let ancestors = BASE64.decode(&self.ancestors).unwrap_or_default();
        ancestors.chunks(ANCESTOR_BYTES).any(|ancestor| ancestor == &hash[..ANCESTOR_BYTES])
    }
}

/// As much of a newer document as tells that it is one.
#[derive(Deserialize)]
struct FormatOnly {
    meta: FormatMeta,
}

#[derive(Deserialize)]
struct FormatMeta {
    format: u64,
}

fn malformed(text: &[u8], offset: usize) -> DocumentError {
    let before = &text[..offset.min(text.len())];
    DocumentError::Malformed { line: 1 + before.iter().filter(|b| **b == b'\n').count() }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, DocumentError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|_| DocumentError::Randomness)?;
    Ok(bytes)
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Meta {
    /// 0 until format 1 is frozen.
    pub format: u32,
    /// 16 random bytes in base64; tells vaults apart.
    pub vault_id: String,
    /// Counts saves.
    pub generation: u64,
    pub rekeyed_at: Timestamp,
    pub written_at: Timestamp,
    /// Host name of who wrote this generation.
    pub writer: String,
    /// First 16 bytes of the SHA-256 of each of the last 1,024 ciphertexts, oldest first, as one base64 string.
    #[serde(default)]
    pub ancestors: String,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Auth {
    #[serde(with = "in_sealed_bytes")]
    pub ed25519_seed: SigningSeed,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// Opens cached sessions.
    #[serde(with = "in_sealed_bytes")]
    pub identity: IdentityText,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<ProfileName>,
    /// Seconds; for GetSessionToken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_duration: Option<u32>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

/// Who may open the vault.
#[derive(Clone, Serialize, Deserialize)]
pub struct Recipient {
    pub name: String,
    pub kind: RecipientKind,
    /// `age1...`
    pub recipient: String,
    pub added: Timestamp,
    /// How the passphrase derives this recipient's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<KdfParameters>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RecipientKind {
    /// Derived from the passphrase.
    Passphrase,
    /// An age identity kept elsewhere.
    Recovery,
    /// Of a later version; kept, and encrypted to as long as it is an X25519 recipient.
    Other(String),
}

impl From<String> for RecipientKind {
    fn from(text: String) -> Self {
        match text.as_str() {
            "passphrase" => Self::Passphrase,
            "recovery" => Self::Recovery,
            _ => Self::Other(text),
        }
    }
}

impl From<RecipientKind> for String {
    fn from(kind: RecipientKind) -> String {
        match kind {
            RecipientKind::Passphrase => "passphrase".to_owned(),
            RecipientKind::Recovery => "recovery".to_owned(),
            RecipientKind::Other(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Something unknown in every table, of every kind that TOML has.
    const FROM_THE_FUTURE: &str = r#"
top = "scalar"
days = [1979-05-27, 1979-05-28]

[meta]
format = 1
vault_id = "AAAAAAAAAAAAAAAAAAAAAA"
generation = 7
rekeyed_at = "2026-01-01T00:00:00Z"
written_at = "2026-01-02T00:00:00.5Z"
writer = "laptop"
ancestors = "AAAAAAAAAAAAAAAAAAAAAA"
sealed_by = { name = "x", nested = { deep = [1, { deeper = true }] } }

[auth]
ed25519_seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
second = "seed"

[session]
identity = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"
made = 1979-05-27T07:32:00Z

[settings]
default_profile = "prod"
grace = "7d"
ratio = 0.5

[[recipient]]
name = "passphrase"
kind = "passphrase"
recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
added = "2026-01-01T00:00:00Z"
label = "mine"
[recipient.kdf]
salt = "AAECAwQFBgcICQoLDA0ODw"
memory_kib = 8192
passes = 3
lanes = 4

[[recipient]]
name = "yubikey"
kind = "plugin"
recipient = "age1yubikey1x"
added = "2026-01-01T00:00:00Z"
plugin = { path = "/usr/bin/age-plugin-yubikey" }

[profile.prod]
region = "eu-central-1"
session_tags = { team = "a" }
odd = [[1], [2]]
[profile.prod.access_key]
id = "AKIAIOSFODNN7EXAMPLE"
secret = "s3cret"
added = "2026-01-01T00:00:00Z"
last_used = 2026-01-01
[profile.prod.rotation]
state = "created"

[profile."team/ci.x"]
role_arn = "arn:aws:iam::123456789012:role/ci"
source_profile = "prod"

[[watcher]]
every = 1
[[watcher]]
every = 2
"#;

    fn table(text: &str) -> toml::Table {
        toml::from_str(text).unwrap()
    }

    fn new() -> Document {
        Document::new("2026-01-01T00:00:00Z".parse().unwrap(), "host".into(), IdentityText::new("x".into())).unwrap()
    }

    #[test]
    fn what_this_version_does_not_know_survives_a_load_and_a_save() {
        let document = Document::decode(FROM_THE_FUTURE.as_bytes()).ok().unwrap();
        assert_eq!(document.recipients[1].kind, RecipientKind::Other("plugin".into()));
        assert_eq!(document.kdf().unwrap().memory_kib(), 8192);
        assert_eq!(document.user_profiles().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["prod"]);
        let encoded = document.encode().unwrap();
        assert!(encoded.starts_with("# The content of a vault"));
        assert_eq!(table(&encoded), table(FROM_THE_FUTURE));
        let again = Document::decode(encoded.as_bytes()).ok().unwrap().encode().unwrap();
        assert_eq!(*again, *encoded, "re-encoding is a fixed point");
    }

    #[test]
    fn a_newer_format_is_named_even_where_nothing_else_fits() {
        let newer = FROM_THE_FUTURE.replace("format = 1", "format = 2");
        assert_eq!(Document::decode(newer.as_bytes()).err(), Some(DocumentError::Newer { found: 2 }));
        let alien = b"profile = 3\n[meta]\nformat = 99\n";
        assert_eq!(Document::decode(alien).err(), Some(DocumentError::Newer { found: 99 }));
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line_and_never_quoted() {
        for (from, to) in [
            ("id = \"AKIAIOSFODNN7EXAMPLE\"", "id = \"a secret\""),
            ("secret = \"s3cret\"", "secret = s3cret"),
            ("generation = 7", "generation = \"s3cret\""),
            ("memory_kib = 8192", "memory_kib = 4294967295"),
            ("format = 1", "format = -1"),
            ("[profile.prod]", "[profile.\"a b\"]"),
        ] {
            let text = FROM_THE_FUTURE.replace(from, to);
            assert_ne!(text, FROM_THE_FUTURE);
            let Err(error) = Document::decode(text.as_bytes()) else { panic!("{to} was accepted") };
            assert!(matches!(error, DocumentError::Malformed { .. }), "{to}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("cret"));
        }
        let error = Document::decode(b"[meta]\n\nx = \xff").err();
        assert_eq!(error, Some(DocumentError::Malformed { line: 3 }));
    }

    #[test]
    fn every_new_document_has_keys_of_its_own() {
        let (one, other) = (new(), new());
        assert_ne!(one.meta.vault_id, other.meta.vault_id);
        assert_eq!(BASE64.decode(&one.meta.vault_id).unwrap().len(), 16);
        assert_ne!(one.signing_key().unwrap().to_bytes(), other.signing_key().unwrap().to_bytes());
        assert_eq!(one.meta.format, 0);
    }

    #[test]
    fn a_generation_knows_its_last_1024_ancestors() {
        let mut meta = new().meta;
        let hash = |n: u32| {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&n.to_be_bytes());
            hash
        };
        for n in 0..1030 {
            assert!(!meta.has_ancestor(&hash(n)));
            meta.descend_from(&hash(n));
            assert!(meta.has_ancestor(&hash(n)));
        }
        assert!(!meta.has_ancestor(&hash(5)) && meta.has_ancestor(&hash(6)));
        assert_eq!(meta.ancestors.len(), (1024 * 16_usize * 4).div_ceil(3));
    }

    proptest! {
        #[test]
        fn any_text_in_an_entry_comes_back_as_it_was(
            external_id in ".*", secret in ".*", key in "[^\0]{1,8}", value in any::<i64>(), text in any::<String>()
        ) {
            let prod: ProfileName = "prod".parse().unwrap();
            let mut document = Document::decode(FROM_THE_FUTURE.as_bytes()).ok().unwrap();
            let profile = document.profiles.get_mut(&prod).unwrap();
            profile.external_id = Some(external_id.clone());
            profile.rest.insert(format!("future {key}"), toml::Value::String(text.clone()));
            profile.access_key.as_mut().unwrap().secret = crate::secret::SecretAccessKey::new(secret.clone());
            document.rest.insert(format!("future {key}"), toml::Value::Integer(value));
            let encoded = document.encode().unwrap();
            let decoded = Document::decode(encoded.as_bytes()).ok().unwrap();
            let profile = &decoded.profiles[&prod];
            prop_assert_eq!(profile.external_id.as_ref(), Some(&external_id));
            prop_assert_eq!(profile.access_key.as_ref().unwrap().secret.expose(), &secret);
            prop_assert_eq!(profile.rest[&format!("future {key}")].as_str(), Some(text.as_str()));
            prop_assert_eq!(&*decoded.encode().unwrap(), &*encoded);
        }
    }
}
