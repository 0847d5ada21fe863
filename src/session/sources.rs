//! The two sources of a profile, the vault and `~/.aws/config`, merged key by key, vault first. Every value keeps where it
//! came from, so that an error or a report can name the place.

use std::str::FromStr;

use thiserror::Error;

use crate::duration::{self, DurationError};
use crate::names::{NameError, ProfileName};
use crate::store::document::{Document, Profile};

/// The sections of `~/.aws/config`, as far as a chain reads them.
pub trait ConfigSections {
    fn has(&self, profile: &ProfileName) -> bool;

    /// A key of `[profile NAME]` (`[default]` for `default`) with the line that it stands on.
    fn value(&self, profile: &ProfileName, key: &str) -> Option<Located<'_>>;
}

/// A raw value and its line, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located<'a> {
    pub text: &'a str,
    pub line: usize,
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Vault,
    Config {
        line: usize,
    },
    /// The vault's settings, for all profiles.
    Setting,
    Default,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub origin: Origin,
}

impl<T> Sourced<T> {
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// A value that can't be what its key says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error("`{0}` is not a list of KEY=VALUE, separated by commas")]
    Tags(String),
}

/// A value in `~/.aws/config` that can't be used, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    pub profile: ProfileName,
    pub key: &'static str,
    pub line: usize,
    pub error: ValueError,
}

/// Both sources.
pub struct Sources<'a> {
    document: &'a Document,
    config: &'a dyn ConfigSections,
}

impl<'a> Sources<'a> {
    pub fn new(document: &'a Document, config: &'a dyn ConfigSections) -> Self {
        Self { document, config }
    }

    /// A profile that at least one of the two knows.
    pub fn profile(&self, name: &ProfileName) -> Option<Merged<'a>> {
        let vault = self.document.profiles.get(name);
        let known = vault.is_some() || self.config.has(name);
        known.then(|| Merged { name: name.clone(), vault, config: self.config })
    }

    pub fn session_duration(&self) -> Option<u32> {
        self.document.settings.session_duration
    }
}

/// One profile as the two sources together have it.
pub struct Merged<'a> {
    pub name: ProfileName,
    pub vault: Option<&'a Profile>,
    config: &'a dyn ConfigSections,
}

impl<'a> Merged<'a> {
    /// What the config file alone says; the first of several spellings that is there.
    pub fn config_text(&self, keys: &[&'static str]) -> Option<(&'static str, Located<'a>)> {
        keys.iter().find_map(|key| Some((*key, self.config.value(&self.name, key)?)))
    }

    /// The vault's value, else the config file's, read by its type.
    pub fn value<T: Clone + FromStr>(
        &self,
        vault: impl FnOnce(&'a Profile) -> Option<&'a T>,
        keys: &[&'static str],
    ) -> Result<Option<Sourced<T>>, BadValue>
    where
        ValueError: From<T::Err>,
    {
        self.either(self.vault.and_then(vault).cloned(), keys, |text| text.parse().map_err(ValueError::from))
    }

    pub fn text(
        &self,
        vault: impl FnOnce(&'a Profile) -> Option<&'a String>,
        keys: &[&'static str],
    ) -> Result<Option<Sourced<String>>, BadValue> {
        self.either(self.vault.and_then(vault).cloned(), keys, |text| Ok(text.to_owned()))
    }

    /// Other tools write `session_duration` or `duration` where the AWS tools read `duration_seconds`.
    pub fn duration(&self) -> Result<Option<Sourced<u32>>, BadValue> {
        let keys = ["duration_seconds", "session_duration", "duration"];
        self.either(self.vault.and_then(|profile| profile.duration_seconds), &keys, seconds)
    }

    /// What stands in the config file only: the vault has no such key, or it may not be taken from there.
    pub fn from_config<T>(
        &self,
        keys: &[&'static str],
        read: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Result<Option<Sourced<T>>, BadValue> {
        self.either(None, keys, read)
    }

    fn either<T>(
        &self,
        vault: Option<T>,
        keys: &[&'static str],
        read: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Result<Option<Sourced<T>>, BadValue> {
        if let Some(value) = vault {
            return Ok(Some(Sourced::new(value, Origin::Vault)));
        }
        let Some((key, Located { text, line })) = self.config_text(keys) else {
            return Ok(None);
        };
        match read(text.trim()) {
            Ok(value) => Ok(Some(Sourced::new(value, Origin::Config { line }))),
            Err(error) => Err(BadValue { profile: self.name.clone(), key, line, error }),
        }
    }
}

fn seconds(text: &str) -> Result<u32, ValueError> {
    let duration = duration::parse(text)?;
    duration.as_secs().try_into().map_err(|_| DurationError(text.to_owned()).into())
}

/// `key=value,key=value`, as other tools write session tags.
pub fn tags(text: &str) -> Result<Vec<(String, String)>, ValueError> {
    let pair = |part: &str| part.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    list(text)?.iter().map(|part| pair(part).ok_or_else(|| ValueError::Tags(text.to_owned()))).collect()
}

/// `a,b,c`; the items, none empty.
pub fn list(text: &str) -> Result<Vec<String>, ValueError> {
    let item = |part: &str| Some(part.trim().to_owned()).filter(|part| !part.is_empty());
    text.split(',').map(|part| item(part).ok_or_else(|| ValueError::Tags(text.to_owned()))).collect()
}
