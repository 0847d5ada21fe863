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
use vault::rotate::journal::Journal;
use vault::rotate::plan::State;
use vault::secret::{IdentityText, Passphrase};
use vault::store::document::{Document, DocumentError, Profile};
use vault::store::header::{self, HeaderError};
use vault::store::kdf::KdfError;
use vault::store::plugin::Plugins;
use vault::store::seal::UnsealError;
use vault::store::vault::{Key, OpenError, peek};
use vault::store::{identity, passphrase};

const FOLDER: &str = "tests/vectors/v1";
/// As many as there were on the day the format was frozen.
const FIRST_VECTORS: usize = 63;
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

impl Opens {
    fn all_identities(&self) -> impl Iterator<Item = &String> {
        self.derived_identity.iter().chain(&self.identities)
    }

    /// What is signed.
    fn text(&self) -> String {
        let opener = self.all_identities().next().expect("a vector that somebody opens");
        let payload = String::from_utf8(payload(&self.vector.bytes(), opener)).unwrap();
        payload.split_once('\n').unwrap().1.to_owned()
    }
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
    peek(file, Key::Passphrase(&Passphrase::new(text.to_owned()), None), &Plugins::none())
}

/// By the age crate alone, so that the payload is the one that every age sees.
fn payload(file: &[u8], identity: &str) -> Vec<u8> {
    age::decrypt(&identity.parse::<age::x25519::Identity>().unwrap(), file).unwrap()
}

#[test]
fn every_vector_of_format_1_opens_by_all_that_may_open_it_and_is_what_it_was() {
    for vault in vectors().opens {
        let (name, file) = (&vault.vector.file, vault.vector.bytes());
        assert_eq!(vault.passphrases.is_empty(), vault.derived_identity.is_none(), "`{name}`");
        let by_passphrase = vault.passphrases.iter().map(|text| with_passphrase(&file, text));
        let by_identity =
            vault.all_identities().map(|text| peek(&file, Key::Identity(&identity_text(text)), &Plugins::none()));
        for opened in by_passphrase.chain(by_identity) {
            is_what_it_was(&vault, &opened.unwrap_or_else(|error| panic!("`{name}` no longer opens: {error}")));
        }
        for identity in vault.all_identities() {
            assert_eq!(sha256(&payload(&file, identity)), vault.payload_sha256, "`{name}`");
        }
    }
}

fn is_what_it_was(vault: &Opens, document: &Document) {
    let name = &vault.vector.file;
    assert_eq!(document.meta.vault_id, vault.vault_id, "`{name}`");
    assert_eq!(document.fingerprint().unwrap().to_string(), vault.fingerprint, "`{name}`");
    assert_eq!(document.meta.generation, vault.generation, "`{name}`");
    let id = |profile: &Profile| profile.access_key.as_ref().map(|key| key.id.to_string());
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
        let by_identity = refusal(&peek(&file, Key::Identity(&stranger), &Plugins::none()).err().expect("opened"));
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
        let name = &vault.vector.file;
        let document = Document::decode(vault.text().as_bytes());
        let document = document.unwrap_or_else(|error| panic!("`{name}` no longer decodes: {error}"));
        let saved = table(&document.encode().unwrap());
        assert!(saved == with_what_may_be_absent(table(&vault.text())), "`{name}` lost something");
    }
}

/// A save writes these in any case.
fn with_what_may_be_absent(mut text: toml::Table) -> toml::Table {
    text.entry("settings").or_insert_with(|| toml::Table::new().into());
    text["meta"].as_table_mut().unwrap().entry("ancestors").or_insert_with(|| "".into());
    text
}

fn table(text: &str) -> toml::Table {
    toml::from_str(text).unwrap()
}

#[test]
fn every_vector_that_is_no_vault_is_refused_for_its_own_reason() {
    let wrong: Vec<String> = vectors().refused.iter().filter_map(misjudged).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How a vector fares, where that is not as listed.
fn misjudged(vector: &Refused) -> Option<String> {
    let Vector { file: name, says, .. } = &vector.vector;
    let file = vector.vector.bytes();
    let identity = vector.identity.as_deref().map_or_else(identity::generate, identity_text);
    let Err(error) = peek(&file, Key::Identity(&identity), &Plugins::none()) else {
        return Some(format!("`{name}` opened: {says}"));
    };
    let by_its_header = matches!(error, OpenError::Unseal(UnsealError::Header(_)));
    match refusal(&error) {
        found if found != vector.refusal => Some(format!("`{name}` is refused as {found}: {says}")),
        _ if header::scan(&file).is_err() != by_its_header => Some(format!("`{name}` is refused too late: {says}")),
        _ => None,
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
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.symmetric_difference(&lying).collect::<Vec<_>>(), [""; 0], "listed and not there, or not listed");
    assert_eq!(listed.len(), once.len(), "a file is listed twice");
    assert!(listed.len() >= FIRST_VECTORS, "vectors are never taken away");
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
        keys(&toml::Value::Table(table(&vault.text())), &mut held);
    }
    let missing: Vec<&str> = named.into_iter().filter(|key| !held.contains(*key)).collect();
    assert!(missing.is_empty(), "no vector has {missing:?}; add a file with them, and leave those that are there");
}

#[test]
fn every_state_of_a_rotation_is_in_a_vector_and_one_of_a_later_version_is_kept_and_not_understood() {
    let vault = vectors().opens.into_iter().find(|vault| vault.vector.file == "rotation.age").unwrap();
    let document = Document::decode(vault.text().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let state = |journal: Journal| match journal.state() {
        State::Idle => "no journal has it",
        State::Intended { .. } => "intended",
        State::Created { .. } => "created",
        State::Proven { .. } => "proven",
        State::Retired { .. } => "retired",
        State::Undoing { .. } => "undoing",
    };
    for (name, profile) in &document.profiles {
        let expected = match name.as_str() {
            "idle" => Ok(None),
            "later" => Err(()),
            of_its_state => Ok(Some(of_its_state)),
        };
        assert_eq!(Journal::of(name, profile).map(|found| found.map(state)).map_err(|_| ()), expected, "`{name}`");
    }
    assert_eq!(document.profiles.len(), 7);
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
    assert!(fs::read(Path::new(FOLDER).join("worked-example.age")).unwrap() == file, "not the vector of that name");
    let kdf = header::scan(&file).unwrap().unwrap();
    let derived = passphrase::derive(&Passphrase::new(said("passphrase").to_owned()), &kdf, None).unwrap();
    let seed = HEXLOWER.decode(said("seed").as_bytes()).unwrap();
    assert_eq!(identity::from_seed(seed.as_slice().try_into().unwrap()).expose(), said("identity"));
    assert_eq!(derived.expose(), said("identity"));
    let document = peek(&file, Key::Identity(&derived), &Plugins::none())
        .unwrap_or_else(|error| panic!("it does not open: {error}"));
    assert_eq!(document.fingerprint().unwrap().to_string(), said("fingerprint"));
    assert_eq!(str::from_utf8(&payload(&file, said("identity"))), Ok(block("toml")));
}
