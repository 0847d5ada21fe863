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
rekeyed_generation = 3
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
measured = { milliseconds = 71 }

[[recipient]]
name = "badge"
kind = "hologram"
recipient = "age1badge1x"
added = "2026-01-01T00:00:00Z"
plugin = "/usr/bin/age-plugin-badge"
touch = { policy = "cached" }

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
    assert_eq!(document.recipients[1].kind, RecipientKind::Other("hologram".into()));
    assert_eq!(document.kdf().unwrap().memory_kib(), 8192);
    let with_key = document.profiles.iter().filter(|(_, profile)| profile.access_key.is_some());
    assert_eq!(with_key.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["prod"]);
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
fn what_decides_which_vault_it_is_and_how_it_opens_is_never_overlooked() {
    let refused = |from: &str, to: &str| {
        assert!(FROM_THE_FUTURE.contains(from));
        Document::decode(FROM_THE_FUTURE.replace(from, to).as_bytes()).err()
    };
    assert_eq!(refused("format = 1", "format = 0"), Some(DocumentError::Unknown { found: 0 }));
    assert_eq!(refused("vault_id = \"AAAA", "vault_id = \""), Some(DocumentError::VaultId));
    assert_eq!(refused("kind = \"hologram\"", "kind = \"passphrase\""), Some(DocumentError::TwoPassphrases));
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
    assert_ne!(one.auth.signing_key().unwrap().to_bytes(), other.auth.signing_key().unwrap().to_bytes());
    assert_eq!((one.meta.format, one.meta.rekeyed_generation), (1, 1));
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
