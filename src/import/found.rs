//! What the readers find: keys with their settings, what is no key for the vault, and settings that nobody but their owner
//! may put there.

use std::borrow::Cow;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::credentials::AccessKey;
use crate::store::document::Profile;

/// Whose layout it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Credentials,
    Stscreds,
    Awsmfa,
    AwsMfa,
    AwsRecipes,
    Csv,
    AwsVault,
    Vault,
}

impl Source {
    /// As `--from` and JSON call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Stscreds => "stscreds",
            Self::Awsmfa => "awsmfa",
            Self::AwsMfa => "aws-mfa",
            Self::AwsRecipes => "aws-recipes",
            Self::Csv => "csv",
            Self::AwsVault => "aws-vault",
            Self::Vault => "vault",
        }
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub source: Source,
    /// None where a program gave it.
    pub path: Option<PathBuf>,
    pub section: Option<String>,
    /// Counted from one.
    pub line: Option<usize>,
}

/// A profile as a source has it. No Debug: it holds a secret.
#[derive(Clone)]
pub struct Found {
    /// As the source has it: it may be no name for a profile of ours.
    pub name: String,
    /// None for a role.
    pub key: Option<FoundKey>,
    /// What goes along: never a key, a command or an endpoint.
    pub settings: Profile,
    pub origin: Origin,
    /// The line where its section, or a key of it, stands a second time.
    pub duplicate: Option<usize>,
}

#[derive(Clone)]
pub struct FoundKey {
    pub pair: AccessKey,
    /// Of another vault: when the key came into it, when AWS made it, and whose AWS said it is.
    pub added: Option<Timestamp>,
    pub created: Option<Timestamp>,
    pub user_arn: Option<String>,
}

impl From<AccessKey> for FoundKey {
    fn from(pair: AccessKey) -> Self {
        Self { pair, added: None, created: None, user_arn: None }
    }
}

/// Credentials that are not for the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub name: String,
    pub why: Why,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It ends by itself.
    Session,
    /// Half a pair, or not of the shape that AWS gives out.
    Unclear,
    /// No profile of ours can be called so.
    Name,
    /// Where it leads, there will be no profile.
    NoSource(String),
}

/// A setting that is not taken over: it runs something, leads elsewhere, can't be read, or the vault has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub setting: Cow<'static, str>,
    /// The profile it is of; None for the whole vault's.
    pub profile: Option<String>,
    pub value: Option<String>,
    /// What the vault itself says, and goes on to say.
    pub here: Option<String>,
    pub origin: Origin,
}

/// All that was found.
#[derive(Default)]
pub struct Reading {
    pub found: Vec<Found>,
    pub skipped: Vec<Skipped>,
    pub left: Vec<Left>,
}

impl Reading {
    pub fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
        self.skipped.extend(other.skipped);
        self.left.extend(other.left);
    }
}
