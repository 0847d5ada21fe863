//! The two sources of a profile, the vault and `~/.aws/config`, merged key by key, vault first. Every value keeps where it
//! came from, so that an error or a report can name the place.

use std::time::Duration;

use crate::aws_files::config::{ConfigError, ConfigFile, ConfigProfile, Setting};
use crate::names::ProfileName;
use crate::store::document::{Document, Profile};

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

    pub fn is_from_config(&self) -> bool {
        matches!(self.origin, Origin::Config { .. })
    }
}

/// Both sources.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    document: &'a Document,
    config: &'a ConfigFile,
}

impl<'a> Sources<'a> {
    pub fn new(document: &'a Document, config: &'a ConfigFile) -> Self {
        Self { document, config }
    }

    /// A profile that at least one of the two knows.
    pub fn profile(&self, name: &ProfileName) -> Result<Option<Merged<'a>>, ConfigError> {
        let vault = self.document.profiles.get(name);
        let config = self.config.profile(name)?;
        let known = vault.is_some() || config.is_some();
        Ok(known.then(|| Merged { name: name.clone(), vault, config }))
    }

    /// The vault's setting for user profiles that say nothing themselves.
    pub fn session_duration(&self) -> Option<Sourced<Duration>> {
        let seconds = self.document.settings.session_duration?;
        Some(Sourced::new(Duration::from_secs(seconds.into()), Origin::Setting))
    }
}

/// One profile as the two sources together have it.
pub struct Merged<'a> {
    pub name: ProfileName,
    pub vault: Option<&'a Profile>,
    pub config: Option<&'a ConfigProfile>,
}

type ConfigValue<T> = Result<Option<Setting<T>>, ConfigError>;

impl<'a> Merged<'a> {
    /// The vault's value, else the config file's; the latter is not even read where the former stands.
    pub fn value<T: Clone + 'a>(
        &self,
        vault: impl FnOnce(&'a Profile) -> Option<&'a T>,
        config: impl FnOnce(&'a ConfigProfile) -> ConfigValue<T>,
    ) -> Result<Option<Sourced<T>>, ConfigError> {
        match self.vault.and_then(vault) {
            Some(value) => Ok(Some(Sourced::new(value.clone(), Origin::Vault))),
            None => self.from_config(config),
        }
    }

    pub fn duration(&self) -> Result<Option<Sourced<Duration>>, ConfigError> {
        match self.vault.and_then(|profile| profile.duration_seconds) {
            Some(seconds) => Ok(Some(Sourced::new(Duration::from_secs(seconds.into()), Origin::Vault))),
            None => self.from_config(ConfigProfile::duration),
        }
    }

    /// What the config file says, whatever stands in the vault.
    pub fn from_config<T>(
        &self,
        config: impl FnOnce(&'a ConfigProfile) -> ConfigValue<T>,
    ) -> Result<Option<Sourced<T>>, ConfigError> {
        let setting = self.config.map(config).transpose()?.flatten();
        Ok(setting.map(|setting| Sourced::new(setting.value, Origin::Config { line: setting.line })))
    }
}
