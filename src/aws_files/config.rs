//! `~/.aws/config`: the profiles in it, read only when used and with the line each setting came from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::file::FileError;
use crate::disk::Disk;
use crate::duration::DurationError;
use crate::names::{MfaSerial, NameError, ProfileName, Region, RoleArn};

/// The profiles of one config file. Reading never fails on what a profile says: only using that setting does.
pub struct ConfigFile {
    path: PathBuf,
}

/// One `[profile NAME]` section. Holds no value of a key that we don't read, since some hold secrets.
pub struct ConfigProfile {
    name: String,
    line: usize,
}

/// A setting with where it came from, for `show` and for messages.
pub struct Setting<T> {
    pub value: T,
    pub key: &'static str,
    pub raw: String,
    pub line: usize,
}

#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("{}:{line}: `{key}` is given twice for this profile", path.display())]
    DuplicateKey { path: PathBuf, line: usize, key: String },
    #[error("{}:{line}: profile `{name}` stands here a second time", path.display())]
    DuplicateProfile { path: PathBuf, line: usize, name: String },
    #[error("{}:{line}: `{key}`: {reason}", path.display())]
    Name { path: PathBuf, line: usize, key: &'static str, reason: NameError },
    #[error("{}:{line}: `{key}`: {reason}", path.display())]
    Duration { path: PathBuf, line: usize, key: &'static str, reason: DurationError },
    #[error("{}:{line}: `{key}` must be one line of text", path.display())]
    NotOneLine { path: PathBuf, line: usize, key: &'static str },
}

impl ConfigFile {
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Self, FileError> {
        let _ = (disk, path);
        todo!()
    }

    pub fn parse(path: &Path, bytes: &[u8]) -> Self {
        let _ = bytes;
        Self { path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all profiles, as written, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// The profile to use. A second section or key of that name is an error, since tools differ in which they take.
    pub fn profile(&self, name: &ProfileName) -> Result<Option<&ConfigProfile>, ConfigError> {
        let _ = name;
        todo!()
    }

    /// Changes whenever something that we read of the profile does; whether it stands there at all included.
    pub fn digest(&self, name: &ProfileName) -> [u8; 32] {
        let _ = name;
        todo!()
    }
}

impl ConfigProfile {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of the section's header.
    pub fn line(&self) -> usize {
        self.line
    }

    pub fn role_arn(&self) -> Result<Option<Setting<RoleArn>>, ConfigError> {
        todo!()
    }
    pub fn source_profile(&self) -> Result<Option<Setting<ProfileName>>, ConfigError> {
        todo!()
    }
    pub fn mfa_serial(&self) -> Result<Option<Setting<MfaSerial>>, ConfigError> {
        todo!()
    }
    pub fn external_id(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn role_session_name(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    /// `duration_seconds`, or as other tools spell it `session_duration`, `duration`.
    pub fn duration(&self) -> Result<Option<Setting<Duration>>, ConfigError> {
        todo!()
    }
    pub fn region(&self) -> Result<Option<Setting<Region>>, ConfigError> {
        todo!()
    }
    pub fn output(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn destination_profile(&self) -> Result<Option<Setting<ProfileName>>, ConfigError> {
        todo!()
    }
    pub fn credential_process(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn credential_source(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn web_identity_token_file(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn endpoint_url(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }
    pub fn mfa_process(&self) -> Result<Option<Setting<String>>, ConfigError> {
        todo!()
    }

    /// Signs in through IAM Identity Center.
    pub fn is_sso(&self) -> bool {
        todo!()
    }

    /// The settings that stand here, in the order of the file: key, value as written, line.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &str, usize)> {
        std::iter::empty()
    }

    /// The key by which the SDKs get credentials for this profile before they look into `~/.aws/credentials`, with its line.
    pub fn outranks_credentials(&self) -> Option<(&'static str, usize)> {
        todo!()
    }
}
