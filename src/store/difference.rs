//! What two states of a vault differ in. They are compared by the text that they have in the file, key by key: neither a setting
//! that is added to this program later nor one of a later version's can be forgotten.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::Table;

use super::document::{AgentSettings, Auth, Document, Meta, Profile, Recipient, Session, Settings, StoredAccessKey};
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::secret::SecretAccessKey;

/// What a state says, ready to be compared with others. No Debug: it holds secrets.
pub struct Content {
    vault: Table,
    profiles: BTreeMap<ProfileName, Entry>,
    /// By what they are encrypted to; names may change.
    recipients: BTreeMap<String, (String, Table)>,
}

struct Entry {
    key: Option<AccessKey>,
    settings: Table,
}

/// From one state to another, all of it by name: a value may be a secret of a later version's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Of the whole vault: as `vault set --vault` has them, and tables of a later version.
    pub settings: Vec<String>,
    pub profiles: Vec<(ProfileName, Change)>,
    pub recipients: Vec<(String, Change)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added,
    Removed,
    Changed {
        /// Whether it has another access key, or has one only on one side.
        key: bool,
        settings: Vec<String>,
    },
}

impl Content {
    pub fn of(document: &Document) -> Self {
        // Field by field, so that a new one is compared or left out by somebody who thought about it.
        let Document { meta, auth, session, settings, log: _, recipients, profiles, rest } = document;
        // What says which save it is, and the vault's own keys, are no content; nor is how the logs of machines stood.
        let (Meta { rest: meta, .. }, Auth { rest: auth, .. }, Session { rest: session, .. }) = (meta, auth, session);
        let mut vault = rest.clone();
        for (name, rest) in [("meta", meta), ("auth", auth), ("session", session)] {
            extend_below(&mut vault, name, rest.clone());
        }
        vault.extend(of_vault(settings));
        Self {
            vault,
            profiles: profiles.iter().map(|(name, profile)| (name.clone(), Entry::of(profile))).collect(),
            recipients: recipients.iter().map(recipient).collect(),
        }
    }

    /// What makes `later` of this.
    pub fn difference(&self, later: &Self) -> Difference {
        Difference {
            settings: differing(&self.vault, &later.vault),
            profiles: changes(&self.profiles, &later.profiles, ProfileName::clone, Entry::change),
            recipients: {
                let name = |recipient: &String| {
                    let (name, _) = later.recipients.get(recipient).unwrap_or_else(|| &self.recipients[recipient]);
                    name.clone()
                };
                changes(&self.recipients, &later.recipients, name, |(_, one), (_, other)| {
                    Change::of(false, differing(one, other))
                })
            },
        }
    }
}

impl Change {
    fn of(key: bool, settings: Vec<String>) -> Option<Self> {
        (key || !settings.is_empty()).then_some(Self::Changed { key, settings })
    }

    /// Of a profile, from one state of it to another.
    pub fn of_profile(one: &Profile, later: &Profile) -> Option<Self> {
        Entry::of(one).change(&Entry::of(later))
    }

    /// The names of the settings that changed; none of what is on one side only.
    pub fn settings(&self) -> &[String] {
        match self {
            Self::Changed { settings, .. } => settings,
            Self::Added | Self::Removed => &[],
        }
    }
}

impl Entry {
    fn of(profile: &Profile) -> Self {
        let mut settings = settings_of(profile);
        if let Some(key) = &profile.access_key {
            extend_below(&mut settings, KEY, facts(key));
        }
        Self { key: profile.access_key.as_ref().map(StoredAccessKey::access_key), settings }
    }

    fn change(&self, later: &Self) -> Option<Change> {
        let same_key = match (&self.key, &later.key) {
            (Some(one), Some(other)) => one.is_same_pair(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let mut settings = differing(&self.settings, &later.settings);
        if !same_key {
            // Another key has another history.
            settings.retain(|name| !name.starts_with(&format!("{KEY}.")));
        }
        Change::of(!same_key, settings)
    }
}

const KEY: &str = "access_key";

/// All of a profile but its access key, as it stands in the file.
pub fn settings_of(profile: &Profile) -> Table {
    table(&Profile { access_key: None, ..profile.clone() })
}

/// What is told of a key, but for the key itself.
fn facts(key: &StoredAccessKey) -> Table {
    let mut facts = table(&StoredAccessKey { secret: SecretAccessKey::new(String::new()), ..key.clone() });
    facts.remove("id");
    facts
}

fn of_vault(settings: &Settings) -> Table {
    let mut all = table(&Settings { agent: AgentSettings::default(), ..settings.clone() });
    extend_below(&mut all, "agent", table(&settings.agent));
    all
}

fn recipient(recipient: &Recipient) -> (String, (String, Table)) {
    (recipient.recipient.clone(), (recipient.name.clone(), table(recipient)))
}

fn table(of: &impl Serialize) -> Table {
    Table::try_from(of).expect("what was read from TOML, or is saved as TOML, can be written as that")
}

fn extend_below(table: &mut Table, name: &str, below: Table) {
    table.extend(below.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
}

fn differing(one: &Table, other: &Table) -> Vec<String> {
    let gone = one.keys().filter(|key| !other.contains_key(*key));
    let mut names: Vec<String> = gone.cloned().collect();
    names.extend(other.iter().filter(|(key, value)| one.get(*key) != Some(value)).map(|(key, _)| key.clone()));
    names.sort();
    names
}

/// In the order of the keys, those that are gone last.
fn changes<K: Ord, V, N>(
    one: &BTreeMap<K, V>,
    later: &BTreeMap<K, V>,
    name: impl Fn(&K) -> N,
    change: impl Fn(&V, &V) -> Option<Change>,
) -> Vec<(N, Change)> {
    let now = later.iter().filter_map(|(key, value)| {
        let change = one.get(key).map_or(Some(Change::Added), |before| change(before, value));
        Some((name(key), change?))
    });
    let gone = one.keys().filter(|key| !later.contains_key(key));
    now.chain(gone.map(|key| (name(key), Change::Removed))).collect()
}

#[cfg(test)]
mod tests;
