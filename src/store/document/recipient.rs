//! Who may open the vault.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::kdf::KdfParameters;

#[derive(Clone, Serialize, Deserialize)]
pub struct Recipient {
    pub name: String,
    pub kind: RecipientKind,
    /// `age1...`
    pub recipient: String,
    pub added: Timestamp,
    /// Host name of who added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<String>,
    /// The age plugin that was trusted when this was added, by its absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PathBuf>,
    /// How the passphrase derives this recipient's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<Derivation>,
    #[serde(flatten)]
    pub rest: toml::Table,
}

/// Salt and costs as a recipient has them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Derivation {
    #[serde(flatten)]
    pub parameters: KdfParameters,
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl From<KdfParameters> for Derivation {
    fn from(parameters: KdfParameters) -> Self {
        Self { parameters, rest: toml::Table::new() }
    }
}

impl Recipient {
    pub fn new(name: &str, kind: RecipientKind, recipient: String, added: Timestamp, by: &str) -> Self {
        let (name, added_by) = (name.to_owned(), Some(by.to_owned()));
        Self { name, kind, recipient, added, added_by, plugin: None, kdf: None, rest: toml::Table::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RecipientKind {
    /// Derived from the passphrase.
    Passphrase,
    /// A recovery key, made by this program and kept elsewhere.
    Recovery,
    /// Another age identity: of another machine, another person.
    X25519,
    /// Of an age plugin, most often hardware.
    Plugin,
    /// Of a later version; kept, and encrypted to as long as it is an X25519 recipient.
    Other(String),
}

impl From<String> for RecipientKind {
    fn from(text: String) -> Self {
        match text.as_str() {
            "passphrase" => Self::Passphrase,
            "recovery" => Self::Recovery,
            "x25519" => Self::X25519,
            "plugin" => Self::Plugin,
            _ => Self::Other(text),
        }
    }
}

impl From<RecipientKind> for String {
    fn from(kind: RecipientKind) -> String {
        match kind {
            RecipientKind::Passphrase => "passphrase".to_owned(),
            RecipientKind::Recovery => "recovery".to_owned(),
            RecipientKind::X25519 => "x25519".to_owned(),
            RecipientKind::Plugin => "plugin".to_owned(),
            RecipientKind::Other(text) => text,
        }
    }
}
