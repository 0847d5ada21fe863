//! `~/.aws/config`: the profiles in it, each setting with the line it came from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::file::{self, FileError};
use super::ini::{Ini, Section};
use super::our_process::is_our_credential_process;
use crate::disk::{Disk, Status};
use crate::duration::{self, DurationError};
use crate::names::{MfaSerial, NameError, ProfileName, Region, RoleArn, SessionTags, TextList};

/// The keys that we read; the values of all others are not even kept, since some are secrets.
const KEYS: [&str; 25] = [
    "role_arn",
    "source_profile",
    "mfa_serial",
    "external_id",
    "role_session_name",
    "source_identity",
    "session_tags",
    "transitive_session_tags",
    "duration_seconds",
    "session_duration",
    "duration",
    "region",
    "output",
    "destination_profile",
    "endpoint_url",
    "mfa_process",
    "credential_process",
    "credential_source",
    "web_identity_token_file",
    "login_session",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// The spellings of a session's duration: AWS's own goes before those of other tools.
pub const DURATIONS: [&str; 3] = ["duration_seconds", "session_duration", "duration"];

/// With all of `sso_*`: what makes SDKs pass over a session in the credentials file. botocore asks its providers for roles,
/// web identity and SSO before that file; the Rust SDK takes all of these before keys.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
const OUTRANKING: [&str; 4] = ["role_arn", "web_identity_token_file", "credential_source", "login_session"];

/// The profiles of one config file. What a profile says can be wrong without harm until that setting is used.
pub struct ConfigFile {
    path: Arc<Path>,
    status: Option<Status>,
    profiles: Vec<ConfigProfile>,
    /// Where in `profiles` each name stands.
    places: HashMap<String, Vec<usize>>,
}

/// One `[profile NAME]` section. No Debug: the commands in it may carry secrets.
pub struct ConfigProfile {
    path: Arc<Path>,
    name: String,
    line: usize,
    settings: Vec<Raw>,
    doubled: Option<(usize, String)>,
}

/// A setting as it stands in the file; no text where it is not one line of UTF-8.
struct Raw {
    key: &'static str,
    text: Option<String>,
    line: usize,
}

/// A setting with where it came from, to be shown.
#[derive(Clone)]
pub struct Setting<T> {
    pub value: T,
    pub line: usize,
}

#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("line {line} of {} has profile `{name}` a second time", path.display())]
    DuplicateProfile { path: PathBuf, line: usize, name: String },
    #[error("line {line} of {} has `{key}` a second time", path.display())]
    DuplicateKey { path: PathBuf, line: usize, key: String },
    #[error("line {line} of {}: `{key}`: {reason}", path.display())]
    Name { path: PathBuf, line: usize, key: &'static str, reason: NameError },
    #[error("line {line} of {}: `{key}`: {reason}", path.display())]
    Duration { path: PathBuf, line: usize, key: &'static str, reason: DurationError },
    #[error("line {line} of {}: `{key}` is not one line of text", path.display())]
    NotOneLine { path: PathBuf, line: usize, key: &'static str },
}

impl ConfigFile {
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Self, FileError> {
        let contents = file::read_whole(disk, path)?;
        Ok(Self { status: contents.status, ..Self::parse(path, &contents.bytes) })
    }

    pub fn parse(path: &Path, bytes: &[u8]) -> Self {
        let path: Arc<Path> = path.into();
        let ini = Ini::parse(bytes);
        let profile = |section: &Section<'_>| {
            let name = profile_name(section.header())?.to_owned();
            Some(ConfigProfile::read(path.clone(), name, section))
        };
        let profiles: Vec<ConfigProfile> = ini.sections().filter_map(profile).collect();
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, profile) in profiles.iter().enumerate() {
            places.entry(profile.name.clone()).or_default().push(place);
        }
        Self { path, status: None, profiles, places }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of the file when it was read; None where there was none.
    pub fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// The names of all profiles, once each, in the order of the file. Not all need be names that we take.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_first = |place: usize, name: &str| self.places[name].first() == Some(&place);
        let names = self.profiles.iter().map(ConfigProfile::name).enumerate();
        names.filter(move |(place, name)| is_first(*place, name)).map(|(_, name)| name)
    }

    /// The profile, to be used. A second section or key is an error: botocore refuses the file, others merge.
    pub fn profile(&self, name: &ProfileName) -> Result<Option<&ConfigProfile>, ConfigError> {
        let path = || self.path.to_path_buf();
        let mut found = self.all_named(name);
        let first = found.next();
        if let Some(second) = found.next() {
            return Err(ConfigError::DuplicateProfile { path: path(), line: second.line, name: second.name.clone() });
        }
        match first.and_then(|profile| profile.doubled.clone()) {
            Some((line, key)) => Err(ConfigError::DuplicateKey { path: path(), line, key }),
            None => Ok(first),
        }
    }

    /// Differs whenever a setting that we read differs, or the profile is there or not. Comments, order and other keys
    /// don't count.
    pub fn digest(&self, name: &ProfileName) -> [u8; 32] {
        let mut hash = Sha256::new();
        for profile in self.all_named(name) {
            hash.update(b"profile\0");
            let mut settings: Vec<_> = profile.settings.iter().map(|raw| (raw.key, raw.text.as_deref())).collect();
            settings.sort_unstable();
            for (key, text) in settings {
                // The length tells where the text ends, and zero that it can't be read.
                hash.update(format!("{key}\0{}\0", text.map_or(0, |text| text.len() + 1)));
                hash.update(text.unwrap_or_default());
            }
        }
        hash.finalize().into()
    }

    fn all_named(&self, name: &ProfileName) -> impl Iterator<Item = &ConfigProfile> {
        let places = self.places.get(name.as_str()).into_iter().flatten();
        places.map(|place| &self.profiles[*place])
    }
}

impl ConfigProfile {
    fn read(path: Arc<Path>, name: String, section: &Section<'_>) -> Self {
        let raw = |entry: &super::ini::Entry<'_>| {
            let key = KEYS.into_iter().find(|key| *key == entry.key())?;
            let text = if entry.is_empty() { Some(String::new()) } else { entry.text().map(str::to_owned) };
            Some(Raw { key, text, line: entry.line_number() })
        };
        Self {
            path,
            name,
            line: section.line_number(),
            settings: section.entries().filter_map(raw).collect(),
            doubled: section.doubled().map(|entry| (entry.line_number(), entry.key().to_owned())),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the section's header, counted from one.
    pub fn line(&self) -> usize {
        self.line
    }

    pub fn role_arn(&self) -> Result<Option<Setting<RoleArn>>, ConfigError> {
        self.parsed("role_arn")
    }

    pub fn source_profile(&self) -> Result<Option<Setting<ProfileName>>, ConfigError> {
        self.parsed("source_profile")
    }

    pub fn mfa_serial(&self) -> Result<Option<Setting<MfaSerial>>, ConfigError> {
        self.parsed("mfa_serial")
    }

    pub fn region(&self) -> Result<Option<Setting<Region>>, ConfigError> {
        self.parsed("region")
    }

    /// The profile whose section in the credentials file takes the sessions of this one.
    pub fn destination_profile(&self) -> Result<Option<Setting<ProfileName>>, ConfigError> {
        self.parsed("destination_profile")
    }

    pub fn duration(&self) -> Result<Option<Setting<Duration>>, ConfigError> {
        for key in DURATIONS {
            let Some(setting) = self.text(key)? else { continue };
            let (path, line) = (self.path.to_path_buf(), setting.line);
            let read = duration::parse(&setting.value);
            let value = read.map_err(|reason| ConfigError::Duration { path, line, key, reason })?;
            return Ok(Some(Setting { value, line }));
        }
        Ok(None)
    }

    pub fn external_id(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("external_id")
    }

    pub fn role_session_name(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("role_session_name")
    }

    pub fn source_identity(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("source_identity")
    }

    /// This and the next as aws-vault reads them; no AWS tool does.
    pub fn session_tags(&self) -> Result<Option<Setting<SessionTags>>, ConfigError> {
        self.parsed("session_tags")
    }

    pub fn transitive_session_tags(&self) -> Result<Option<Setting<TextList>>, ConfigError> {
        self.parsed("transitive_session_tags")
    }

    pub fn credential_process(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("credential_process")
    }

    pub fn credential_source(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("credential_source")
    }

    pub fn web_identity_token_file(&self) -> Result<Option<Setting<String>>, ConfigError> {
        self.text("web_identity_token_file")
    }

    /// Whether it has AWS tools ask this program for its credentials.
    pub fn asks_us(&self) -> bool {
        let (Ok(name), Ok(Some(process))) = (self.name.parse(), self.credential_process()) else { return false };
        is_our_credential_process(&process.value, &name)
    }

    /// Whether its credentials come from IAM Identity Center.
    pub fn is_sso(&self) -> bool {
        self.settings.iter().any(|raw| raw.key.starts_with("sso_"))
    }

    /// What stands here in keys that we read, in the order of the file: key, text, line. No text where it is not one line.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, Option<&str>, usize)> {
        self.settings.iter().map(|raw| (raw.key, raw.text.as_deref(), raw.line))
    }

    /// The line of a key, whatever its value: the SDKs go by its being there.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.settings.iter().find(|raw| raw.key == key).map(|raw| raw.line)
    }

    /// The key, with its line, for which the SDKs pass over a session that stands in the credentials file.
    pub fn outranks_credentials(&self) -> Option<(&'static str, usize)> {
        self.settings.iter().find(|raw| outranks_credentials(raw.key)).map(|raw| (raw.key, raw.line))
    }

    fn parsed<T: FromStr<Err = NameError>>(&self, key: &'static str) -> Result<Option<Setting<T>>, ConfigError> {
        let Some(Setting { value, line }) = self.text(key)? else { return Ok(None) };
        let name = |reason| ConfigError::Name { path: self.path.to_path_buf(), line, key, reason };
        Ok(Some(Setting { value: value.parse().map_err(name)?, line }))
    }

    /// A key without a value counts as none.
    fn text(&self, key: &'static str) -> Result<Option<Setting<String>>, ConfigError> {
        let Some(Raw { text, line, .. }) = self.settings.iter().find(|raw| raw.key == key) else { return Ok(None) };
        match text {
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => Ok(Some(Setting { value: text.clone(), line: *line })),
            None => Err(ConfigError::NotOneLine { path: self.path.to_path_buf(), line: *line, key }),
        }
    }
}

/// Whether the SDKs go by this key of a profile, in whichever of the two files, before they take a session from it.
pub fn outranks_credentials(key: &str) -> bool {
    OUTRANKING.contains(&key) || key.starts_with("sso_")
}

/// The header of a profile's section in the config file.
pub fn header(name: &ProfileName) -> String {
    if name.as_str() == "default" { name.to_string() } else { format!("profile {name}") }
}

/// The profile that a header of the config file names: `default`, `profile NAME`, quotes taken off. Other sections
/// (`sso-session`, `services`, a name alone) are none.
pub fn profile_name(header: &[u8]) -> Option<&str> {
    let header = std::str::from_utf8(header).ok()?;
    if header == "default" {
        return Some(header);
    }
    let name = header.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']))?.trim();
    let unquoted = ['"', '\''].into_iter().find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote));
    unquoted.or_else(|| (!name.contains([' ', '\t'])).then_some(name)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
