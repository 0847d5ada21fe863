//! Where AWS tools take a profile's credentials from: each place that has some, the one that they take first.
//!
//! The order is the AWS CLI's and boto3's, <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>;
//! other SDKs differ where a profile says more than one thing, which is a reason not to have it say that.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::config::{ConfigError, ConfigFile, ConfigProfile, profile_name};
use super::credentials::{CredentialsFile, CredentialsSection, Holds};
use super::file::{self, FileError};
use crate::disk::Disk;
use crate::names::ProfileName;
use crate::paths::{Environment, Paths};

/// The two files as they stand. Holds secrets: drop it early.
pub struct Files {
    config: ConfigFile,
    /// The config file, read for keys: by the name of the profile.
    config_keys: HashMap<String, CredentialsSection>,
    credentials: CredentialsFile,
}

pub enum Provider<'f> {
    /// Keys in the environment, which a profile on a tool's own command line goes before.
    Variables,
    /// A role, web identity or SSO by the profile's section of the config file.
    Config {
        key: &'static str,
        line: usize,
    },
    WebIdentityVariables,
    /// A section of the credentials file.
    Section(&'f CredentialsSection),
    /// With the program that is started, if the line can be read.
    Process {
        line: usize,
        is_ours: bool,
        program: Option<PathBuf>,
    },
    /// Keys in the config file.
    ConfigKeys(&'f CredentialsSection),
    /// An endpoint of a container.
    Container,
}

/// What the two files say of one profile.
#[derive(Clone, Copy, Default)]
pub struct Sections<'f> {
    pub config: Option<&'f ConfigProfile>,
    /// The same section, read for keys.
    pub config_keys: Option<&'f CredentialsSection>,
    pub credentials: Option<&'f CredentialsSection>,
}

impl Files {
    pub fn load(disk: &dyn Disk, paths: &Paths) -> Result<Self, FileError> {
        let config = file::read(disk, &paths.aws_config)?;
        let credentials = file::read(disk, &paths.aws_credentials)?;
        Ok(Self::parse(&paths.aws_config, &config, &credentials))
    }

    /// `path` is the config file's.
    pub fn parse(path: &Path, config: &[u8], credentials: &[u8]) -> Self {
        Self {
            config: ConfigFile::parse(path, config),
            config_keys: by_profile(CredentialsFile::parse(config)),
            credentials: CredentialsFile::parse(credentials),
        }
    }

    pub(super) fn config_names(&self) -> impl Iterator<Item = &str> {
        self.config.names()
    }

    /// Whether either of them has a section of the profile.
    pub fn know(&self, name: &ProfileName) -> bool {
        self.names().any(|known| known == name.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.config.names().chain(self.credentials.sections().map(|section| section.name.as_str()))
    }

    pub fn sections(&self, name: &ProfileName) -> Result<Sections<'_>, ConfigError> {
        Ok(Sections {
            config: self.config.profile(name)?,
            config_keys: self.config_keys.get(name.as_str()),
            credentials: self.credentials.section(name.as_str()),
        })
    }
}

/// The first section of each.
fn by_profile(config: CredentialsFile) -> HashMap<String, CredentialsSection> {
    let mut sections = HashMap::new();
    for section in config.into_sections() {
        if let Some(name) = profile_name(section.name.as_bytes()).map(str::to_owned) {
            sections.entry(name).or_insert(section);
        }
    }
    sections
}

/// The first is the one that they take.
pub fn providers<'f>(environment: &Environment, sections: Sections<'f>) -> Vec<Provider<'f>> {
    let set = |name: &str| environment.get(name).is_some();
    let variables = set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY");
    let web_identity = set("AWS_WEB_IDENTITY_TOKEN_FILE") && set("AWS_ROLE_ARN");
    let container = set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || set("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let with_keys = |section: &&CredentialsSection| !matches!(section.holds, Holds::Nothing);
    let outranking = sections.config.and_then(ConfigProfile::outranks_credentials);
    [
        variables.then_some(Provider::Variables),
        outranking.map(|(key, line)| Provider::Config { key, line }),
        web_identity.then_some(Provider::WebIdentityVariables),
        sections.credentials.filter(with_keys).map(Provider::Section),
        sections.config.and_then(process),
        sections.config_keys.filter(with_keys).map(Provider::ConfigKeys),
        container.then_some(Provider::Container),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn process<'f>(profile: &ConfigProfile) -> Option<Provider<'f>> {
    let line = profile.line_of("credential_process")?;
    let command = profile.credential_process().ok().flatten();
    let words = command.and_then(|command| shell_words::split(&command.value).ok());
    let program = words.and_then(|words| words.into_iter().next()).map(PathBuf::from);
    Some(Provider::Process { line, is_ours: profile.asks_us(), program })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";

    /// The places for `p`, in a word each.
    fn told(variables: &[&str], config: &str, credentials: &str) -> Vec<&'static str> {
        let environment: Environment = variables.iter().map(|name| (*name, "x")).collect();
        let config = format!("[profile p]\n{config}");
        let files = Files::parse(Path::new("/c"), config.as_bytes(), format!("[p]\n{credentials}").as_bytes());
        let sections = files.sections(&"p".parse().unwrap()).unwrap();
        let word = |provider: &Provider| match provider {
            Provider::Variables => "variables",
            Provider::Config { key, .. } => *key,
            Provider::WebIdentityVariables => "web identity",
            Provider::Section(_) => "section",
            Provider::Process { is_ours: true, .. } => "ours",
            Provider::Process { is_ours: false, .. } => "process",
            Provider::ConfigKeys(_) => "config keys",
            Provider::Container => "container",
        };
        providers(&environment, sections).iter().map(word).collect()
    }

    #[test]
    fn each_place_that_has_credentials_is_named_in_the_order_of_the_aws_tools() {
        let variables = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_ROLE_ARN",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        let config = format!("{KEYS}credential_process = /usr/bin/other\nrole_arn = r\n");
        let all = ["variables", "role_arn", "web identity", "section", "process", "config keys", "container"].to_vec();
        assert_eq!(told(&variables, &config, KEYS), all);
        assert_eq!(told(&[], "region = eu-west-1\n", ""), Vec::<&str>::new());
    }

    #[test]
    fn half_of_what_it_takes_is_nothing() {
        assert!(told(&["AWS_ACCESS_KEY_ID"], "", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n").is_empty());
        assert!(told(&["AWS_SECRET_ACCESS_KEY"], "", "").is_empty());
        assert!(told(&["AWS_ROLE_ARN"], "", "").is_empty());
        assert!(told(&["AWS_WEB_IDENTITY_TOKEN_FILE"], "", "").is_empty());
    }

    #[test]
    fn a_process_is_ours_where_it_asks_this_program_for_this_profile() {
        assert_eq!(told(&[], "credential_process = /usr/bin/vault credential-process p\n", ""), ["ours"]);
        assert_eq!(told(&[], "credential_process = /usr/bin/vault credential-process q\n", ""), ["process"]);
        assert_eq!(told(&[], "sso_session = s\n", KEYS), ["sso_session", "section"]);
    }
}
