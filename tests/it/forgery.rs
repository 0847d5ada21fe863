//! Vault files as others can make them: with the age library and a signing key, by the words of vault-format.md, and without
//! the program's own sealing.

use std::collections::HashSet;
use std::io::{Read, Write};

use age::{Decryptor, Encryptor};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

const TAG: &str = "vault-format.v1/argon2id";

/// The content of a vault, to be changed and sealed again.
#[derive(Clone)]
pub struct Forgery {
    pub payload: Table,
    /// How often the line about the passphrase stands in the header.
    pub kdf_lines: usize,
}

impl Forgery {
    /// Of a vault that the forger can open.
    pub fn of(file: &[u8], identity: &str) -> Self {
        let identity: age::x25519::Identity = identity.trim().parse().unwrap();
        let opened = Decryptor::new_buffered(file).unwrap().decrypt(std::iter::once(&identity as &dyn age::Identity));
        let mut text = String::new();
        opened.unwrap().read_to_string(&mut text).unwrap();
        let (signature, text) = text.split_once('\n').unwrap();
        assert!(signature.starts_with("#sig "));
        Self { payload: text.parse().unwrap(), kdf_lines: 1 }
    }

    pub fn section(&mut self, name: &str) -> &mut Table {
        self.payload[name].as_table_mut().unwrap()
    }

    pub fn set(mut self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        self.section(section).insert(key.to_owned(), value.into());
        self
    }

    /// With a signing key of the forger's own.
    pub fn with_own_key(self) -> Self {
        self.set("auth", "ed25519_seed", BASE64_STANDARD_NO_PAD.encode([0x42; 32]))
    }

    pub fn generation(&self) -> i64 {
        self.payload["meta"]["generation"].as_integer().unwrap()
    }

    pub fn recipients(&mut self) -> &mut Vec<Value> {
        self.payload["recipient"].as_array_mut().unwrap()
    }

    /// The next generation, as if saved over this file.
    pub fn saved_over(self, file: &[u8]) -> Self {
        let ancestors = self.payload["meta"].get("ancestors").and_then(Value::as_str).unwrap_or_default();
        let mut ancestors = BASE64_STANDARD_NO_PAD.decode(ancestors).unwrap();
        ancestors.extend_from_slice(&Sha256::digest(file)[..16]);
        let generation = self.generation() + 1;
        self.set("meta", "ancestors", BASE64_STANDARD_NO_PAD.encode(ancestors)).set("meta", "generation", generation)
    }

    /// Signed with the key it names, and encrypted to the recipients it names.
    pub fn seal(&self) -> Vec<u8> {
        let text = toml::to_string(&self.payload).unwrap();
        let seed = BASE64_STANDARD_NO_PAD.decode(self.payload["auth"]["ed25519_seed"].as_str().unwrap()).unwrap();
        let key = SigningKey::from_bytes(seed.as_slice().try_into().unwrap());
        let signature = key.sign(&[b"vault-payload-v1\0", text.as_bytes()].concat());
        let payload = format!("#sig {}\n{text}", BASE64_STANDARD.encode(signature.to_bytes()));
        let mut recipients: Vec<Box<dyn age::Recipient>> = Vec::new();
        for recipient in self.payload["recipient"].as_array().unwrap() {
            let line = || KdfLine(["salt", "memory_kib", "passes", "lanes"].map(|key| word(&recipient["kdf"][key])));
            if recipient.get("kdf").is_some() {
                (0..self.kdf_lines).for_each(|_| recipients.push(Box::new(line())));
            }
            let recipient: age::x25519::Recipient = recipient["recipient"].as_str().unwrap().parse().unwrap();
            recipients.push(Box::new(recipient));
        }
        let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| &**recipient)).unwrap();
        let mut file = Vec::new();
        let mut writer = encryptor.wrap_output(&mut file).unwrap();
        writer.write_all(payload.as_bytes()).unwrap();
        writer.finish().unwrap();
        file
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

struct KdfLine([String; 4]);

impl age::Recipient for KdfLine {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let stanza = Stanza { tag: TAG.to_owned(), args: self.0.to_vec(), body: Vec::new() };
        Ok((vec![stanza], HashSet::new()))
    }
}
