//! Files of format 1 that open, or are refused, for ever. They were written apart from this program and are never written
//! again; what is in them stands in `vectors.toml`, for whoever writes another program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use vault::secret::{IdentityText, Passphrase};
use vault::store::document::{Document, DocumentError};
use vault::store::header::{self, HeaderError};
use vault::store::kdf::KdfError;
use vault::store::seal::UnsealError;
use vault::store::vault::{Key, OpenError, peek};
use vault::store::{identity, passphrase};

const FOLDER: &str = "tests/vectors/v1";
const PAGE: &str = "vault-format.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    opens: Vec<Opens>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opens {
    #[serde(flatten)]
    vector: Vector,
    #[serde(default)]
    passphrases: Vec<String>,
    #[serde(default)]
    wrong_passphrases: Vec<String>,
    derived_identity: Option<String>,
    #[serde(default)]
    identities: Vec<String>,
    vault_id: String,
    fingerprint: String,
    generation: u64,
    payload_sha256: String,
    /// Name and access key id, empty where there is none.
    profiles: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    #[serde(flatten)]
    vector: Vector,
    identity: Option<String>,
    refusal: String,
}

#[derive(Deserialize)]
struct Vector {
    file: String,
    says: String,
    sha256: String,
}

impl Vector {
    /// The file, if it still is the one that was written.
    fn bytes(&self) -> Vec<u8> {
        let file = fs::read(Path::new(FOLDER).join(&self.file)).unwrap();
        assert_eq!(sha256(&file), self.sha256, "`{}` was changed; vectors are never made again", self.file);
        file
    }
}

fn vectors() -> Vectors {
    toml::from_str(&fs::read_to_string(Path::new(FOLDER).join("vectors.toml")).unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn identity_text(text: &str) -> IdentityText {
    IdentityText::new(text.to_owned())
}

fn with_passphrase(file: &[u8], text: &str) -> Result<Document, OpenError> {
    peek(file, Key::Passphrase(&Passphrase::new(text.to_owned())))
}

/// By the age crate alone, so that the payload is the one that every age sees.
fn payload(file: &[u8], identity: &str) -> Vec<u8> {
    age::decrypt(&identity.parse::<age::x25519::Identity>().unwrap(), file).unwrap()
}

/// Without the line with the signature.
fn text(payload: &[u8]) -> &str {
    str::from_utf8(payload).unwrap().split_once('\n').unwrap().1
}

#[test]
fn every_vector_of_format_1_opens_by_all_that_may_open_it_and_is_what_it_was() {
    for vault in vectors().opens {
        let file = vault.vector.bytes();
        let by_passphrase = vault.passphrases.iter().map(|text| with_passphrase(&file, text));
        let identities: Vec<&String> = vault.derived_identity.iter().chain(&vault.identities).collect();
        let by_identity = identities.iter().map(|text| peek(&file, Key::Identity(&identity_text(text))));
        for opened in by_passphrase.chain(by_identity) {
            let name = &vault.vector.file;
            is_what_it_was(&vault, &opened.unwrap_or_else(|error| panic!("`{name}` no longer opens: {error}")));
        }
        for identity in identities {
            assert_eq!(sha256(&payload(&file, identity)), vault.payload_sha256, "`{}`", vault.vector.file);
        }
    }
}

fn is_what_it_was(vault: &Opens, document: &Document) {
    let name = &vault.vector.file;
    assert_eq!(document.meta.vault_id, vault.vault_id, "`{name}`");
    assert_eq!(document.fingerprint().unwrap().to_string(), vault.fingerprint, "`{name}`");
    assert_eq!(document.meta.generation, vault.generation, "`{name}`");
    let id = |profile: &vault::store::document::Profile| profile.access_key.as_ref().map(|key| key.id.to_string());
    let profiles = document.profiles.iter().map(|(name, profile)| (name.to_string(), id(profile).unwrap_or_default()));
    assert_eq!(profiles.collect::<BTreeMap<_, _>>(), vault.profiles, "`{name}`");
    let derived = vault.derived_identity.as_deref().and_then(|text| identity::recipient(&identity_text(text)));
    assert_eq!(document.passphrase_recipient().map(|recipient| &recipient.recipient), derived.as_ref(), "`{name}`");
}

#[test]
fn a_vector_opens_for_nobody_else() {
    let stranger = identity::generate();
    for vault in vectors().opens {
        let file = vault.vector.bytes();
        let by_identity = refusal(&peek(&file, Key::Identity(&stranger)).err().expect("opened"));
        assert_eq!(by_identity, "wrong-identity", "`{}`", vault.vector.file);
        for wrong in &vault.wrong_passphrases {
            let by_passphrase = refusal(&with_passphrase(&file, wrong).err().expect("opened"));
            assert_eq!(by_passphrase, "wrong-passphrase", "`{}`", vault.vector.file);
        }
    }
}

#[test]
fn what_a_vector_holds_survives_a_load_and_a_save_whether_known_or_not() {
    for vault in vectors().opens {
        let opener = vault.derived_identity.as_ref().or(vault.identities.first()).unwrap();
        let payload = payload(&vault.vector.bytes(), opener);
        let (before, document) =
            (table(text(&payload)), Document::decode(text(&payload).as_bytes()).unwrap_or_else(unreadable));
        let mut after = table(&document.encode().unwrap());
        // What may be absent is written with its meaning when it is.
        after.retain(|name, value| before.contains_key(name) || *value != toml::Value::Table(toml::Table::new()));
        let ancestors = |table: &toml::Table| table["meta"].get("ancestors").cloned();
        if ancestors(&before).is_none() {
            assert_eq!(ancestors(&after), Some("".into()), "`{}`", vault.vector.file);
            after["meta"].as_table_mut().unwrap().remove("ancestors");
        }
        assert!(before == after, "`{}` lost something", vault.vector.file);
    }
}

fn unreadable(error: DocumentError) -> Document {
    panic!("a vector's text no longer decodes: {error}")
}

fn table(text: &str) -> toml::Table {
    toml::from_str(text).unwrap()
}

#[test]
fn every_vector_that_is_no_vault_is_refused_for_its_own_reason() {
    for vector in vectors().refused {
        let file = vector.vector.bytes();
        let identity = vector.identity.map_or_else(identity::generate, |text| identity_text(&text));
        let error = peek(&file, Key::Identity(&identity)).err();
        let error = error.unwrap_or_else(|| panic!("`{}` opened: {}", vector.vector.file, vector.vector.says));
        assert_eq!(refusal(&error), vector.refusal, "`{}`: {}", vector.vector.file, vector.vector.says);
        let by_its_header = matches!(error, OpenError::Unseal(UnsealError::Header(_)));
        assert_eq!(header::scan(&file).is_err(), by_its_header, "`{}` is refused too late", vector.vector.file);
    }
}

/// The names that README.md in the folder explains.
fn refusal(error: &OpenError) -> &'static str {
    match error {
        OpenError::WrongPassphrase => "wrong-passphrase",
        OpenError::NoPassphrase => "no-passphrase",
        OpenError::Unseal(UnsealError::Header(error)) => refused_header(error),
        OpenError::Unseal(UnsealError::WrongIdentity) => "wrong-identity",
        OpenError::Unseal(UnsealError::HeaderDamaged) => "header-damaged",
        OpenError::Unseal(UnsealError::ContentDamaged) => "content-damaged",
        OpenError::Unseal(UnsealError::Signature) => "signature",
        OpenError::Unseal(UnsealError::HeaderDisagrees) => "header-disagrees",
        OpenError::Unseal(UnsealError::Document(DocumentError::Newer { .. })) => "newer-format",
        OpenError::Unseal(UnsealError::Document(DocumentError::Malformed { .. })) => "content-malformed",
        OpenError::Unseal(UnsealError::Document(DocumentError::SigningKey)) => "signing-key",
        other => panic!("a refusal without a name: {other}"),
    }
}

fn refused_header(error: &HeaderError) -> &'static str {
    match error {
        HeaderError::NotAge => "not-age",
        HeaderError::FileTooLarge => "file-too-large",
        HeaderError::TooLong => "header-too-long",
        HeaderError::TooManyStanzas => "too-many-stanzas",
        HeaderError::Malformed => "header-malformed",
        HeaderError::Newer => "newer-stanza",
        HeaderError::Kdf(KdfError::Salt) => "salt",
        HeaderError::Kdf(KdfError::Number(_)) => "number",
        HeaderError::Kdf(KdfError::OutOfBounds { .. }) => "costs",
        HeaderError::KdfShape => "kdf-shape",
        HeaderError::TwoKdf => "two-kdf",
    }
}

#[test]
fn every_file_of_the_folder_is_listed_once_and_every_refusal_is_explained() {
    let vectors = vectors();
    let listed = vectors.opens.iter().map(|one| &one.vector).chain(vectors.refused.iter().map(|one| &one.vector));
    let listed: Vec<String> = listed.map(|vector| vector.file.clone()).collect();
    let lying = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let lying: BTreeSet<String> = lying.filter(|name| name != "README.md" && name != "vectors.toml").collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), lying);
    assert_eq!(listed.len(), lying.len(), "a file is listed twice");
    let readme = fs::read_to_string(Path::new(FOLDER).join("README.md")).unwrap();
    for refused in vectors.refused {
        assert!(readme.contains(&format!("| `{}` |", refused.refusal)), "`{}` is not explained", refused.refusal);
    }
}

#[test]
fn every_key_that_the_page_of_the_format_names_is_in_a_vector() {
    let page = fs::read_to_string(PAGE).unwrap();
    let tables = page.split_once("\n### Tables\n").unwrap().1.split("\n#").next().unwrap();
    let first_cells = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    // What stands between backticks; the heads of the tables are in brackets.
    let named = first_cells.flat_map(|cell| cell.split('`').step_by(2)).filter(|key| !key.starts_with('['));
    let named: BTreeSet<&str> = named.filter_map(|key| key.rsplit('.').next()).collect();
    assert!(named.len() > 30, "the tables were not found: {named:?}");
    let mut held = BTreeSet::new();
    for vault in vectors().opens {
        let opener = vault.derived_identity.as_ref().or(vault.identities.first()).unwrap();
        keys(&toml::Value::Table(table(text(&payload(&vault.vector.bytes(), opener)))), &mut held);
    }
    let missing: Vec<&str> = named.into_iter().filter(|key| !held.contains(*key)).collect();
    assert!(missing.is_empty(), "no vector has {missing:?}; add a file with them, and leave those that are there");
}

fn keys(value: &toml::Value, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            keys(value, found);
        }),
        toml::Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_worked_example_of_the_page_is_true() {
    let page = fs::read_to_string(PAGE).unwrap();
    let example = page.split_once("\n## A worked example\n").expect("the page has an example").1;
    let block =
        |language: &str| example.split_once(&format!("```{language}\n")).unwrap().1.split("```").next().unwrap();
    let said = |name: &str| example.split_once(&format!("\n| {name} | `")).unwrap().1.split('`').next().unwrap();
    let file = BASE64.decode(block("base64").replace('\n', "")).unwrap();
    assert_eq!(fs::read(Path::new(FOLDER).join("worked-example.age")).unwrap(), file, "of another vector");
    let kdf = header::scan(&file).unwrap().unwrap();
    let derived = passphrase::derive(&Passphrase::new(said("passphrase").to_owned()), &kdf).unwrap();
    let seed = HEXLOWER.decode(said("seed").as_bytes()).unwrap();
    assert_eq!(identity::from_seed(seed.as_slice().try_into().unwrap()).expose(), said("identity"));
    assert_eq!(derived.expose(), said("identity"));
    let document = peek(&file, Key::Identity(&derived)).unwrap_or_else(|error| panic!("it does not open: {error}"));
    assert_eq!(document.fingerprint().unwrap().to_string(), said("fingerprint"));
    assert_eq!(payload(&file, said("identity")), block("toml").as_bytes());
}
