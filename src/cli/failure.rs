//! Why a command did not do what it was asked for: one variant a cause, with what its words need. The words are in report.rs.

mod conversions;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::agent::{AgentError, ListenError, StillHeld, UnitError};
use crate::aws::{AwsError, CaBundleError};
use crate::aws_files::config::ConfigError;
use crate::aws_files::file::FileError;
use crate::disk::ReadError;
use crate::export::error::{ConfigureError, ExportError};
use crate::export::shell::ShellError;
use crate::names::{AccessKeyId, EndpointError, NameError, ProfileName, RoleArn};
use crate::paths::{Environment, PathsError};
use crate::process::{ProgramError, RunError};
use crate::session::{CacheError, ChainError, IssueError, LadderError};
use crate::store::document::Meta;
use crate::store::file::LoadError;
use crate::store::fingerprint::{Fingerprint, NotAFingerprint};
use crate::store::history::HistoryError;
use crate::store::passphrase::{DeriveError, PassphraseError};
use crate::store::pin::Distrust;
use crate::store::plugin::PluginError;
use crate::store::vault::{CreateError, NotCommitted, OpenError, ReopenError};

use super::access_key_source::KeySourceFailure;
use super::agent_access::HandOverError;
use super::console::ConsoleError;
use super::keys::KeyError;
use super::lock::Untold;
use super::log::LogFailure;
use super::mfa::MfaFailure;
pub use super::need::{Need, SerialBy};
use super::passphrase_source::SecretSource;
use super::recipient::RecipientFailure;
use super::refused_key::RefusedKey;
use super::restore::RestoreFailure;
use super::role_maximum::RoleMaximum;
use super::rotate::RotateFailure;
use super::schedule::ScheduleError;
use super::terminal::PromptError;
use super::way_back::Damaged;

pub enum Failure {
    Paths(PathsError),
    /// By a plugin or a configured command.
    StartedByUs,
    /// By the system's limit.
    TooFewOpenFiles {
        limit: u64,
    },

    // Talking with the person, or with who runs us.
    /// Whoever read our stdout has what it wanted.
    ReaderGone,
    Output(io::Error),
    Input(io::Error),
    /// There is nobody to ask for what is needed.
    NoTerminal(Need),
    /// The person ended the input instead of answering.
    NoAnswer(Need),
    Terminal(io::Error),
    Declined,

    // Unlocking.
    PassphraseCommand {
        flag: &'static str,
        error: RunError,
    },
    PassphraseDescriptor {
        number: i32,
        error: io::Error,
    },
    PassphraseNotText(SecretSource),
    PassphraseEmpty(SecretSource),
    PassphraseSeveralLines(SecretSource),
    /// Standard input can hold the passphrase or the secret access key, not both.
    OneInputForTwo,
    /// A passphrase or identity that can't be read.
    UnlockFile {
        path: PathBuf,
        error: ReadError,
    },
    /// A file that a person named: a CSV, a policy, another vault, one to write a secret to.
    NamedFile {
        path: PathBuf,
        error: ReadError,
    },
    /// It may be the very secret.
    NoPathInVariable {
        variable: &'static str,
    },
    SecretFileOpen {
        path: PathBuf,
        mode: u32,
    },
    NoIdentityIn {
        path: PathBuf,
    },
    /// An agent is to hold the vault, and none may be used.
    AgentNotWanted,
    HandOver(HandOverError),

    // The agent.
    AgentListen(ListenError),
    AgentEnded(io::Error),
    /// Its socket or folder is gone.
    AgentUnreachable,
    Agent(AgentError),
    AgentHolds(StillHeld),
    /// `lock` could not look for them.
    Untold(Untold, io::Error),
    AgentUnit(UnitError),

    // The vault.
    Load(LoadError),
    /// But keys in a file where the AWS tools look, as people are shown it.
    NoVaultBesideKeys {
        file: String,
    },
    TypedFingerprint(NotAFingerprint),
    /// A fingerprint, and not that of the vault.
    TypedAnother,
    /// An identity can't decide what is believed.
    TrustByPassphrase,
    /// Another vault in this place, which is known elsewhere and in another state.
    KnownElsewhere(Box<Refusal>),
    /// Not what this machine remembers.
    Distrusted(Box<Refusal>),
    OtherFingerprint {
        expected: Fingerprint,
        found: Fingerprint,
    },
    BadFingerprint {
        variable: &'static str,
        error: NotAFingerprint,
    },
    /// For the vault of this name, as it is shown.
    WrongPassphrase {
        vault: String,
    },
    Open(OpenError),
    Damaged(Box<Damaged>),
    Reopen(ReopenError),
    Create(CreateError),
    NewPassphrase(PassphraseError),
    /// The vault was opened by an identity.
    PassphraseNotAtHand,
    Derive(DeriveError),
    History(HistoryError),
    Restore(RestoreFailure),
    RotationUnfinished(ProfileName),
    /// Their keys are older than they should be, or have rotations that wait for somebody.
    KeysDue(Vec<ProfileName>),
    /// `doctor` found so many.
    Unwell {
        problems: usize,
    },
    Recipient(RecipientFailure),
    /// The age plugin of a recipient that is to be added, by its name.
    Plugin {
        plugin: String,
        error: PluginError,
    },
    PassphraseWeak,
    /// It is an access key id or has the shape of a secret access key.
    PassphraseOfAKey,
    Randomness(getrandom::Error),
    NotCommitted(NotCommitted),
    NotDurable(io::Error),
    FileExists {
        path: PathBuf,
    },

    // Profiles and settings.
    Name(NameError),
    BadVariable {
        name: &'static str,
        error: NameError,
    },
    NameNeeded {
        names: Vec<ProfileName>,
    },
    UnknownProfile {
        name: ProfileName,
        suggestion: Option<String>,
        /// The variable that names it, where the command line does not.
        by: Option<&'static str>,
    },
    /// `exec` was given a command where the profile should be.
    NotAProfileToRunIn(ProfileName),
    /// A source_profile that is none, and whose it is.
    UnknownSource {
        profile: ProfileName,
        by: ProfileName,
        suggestion: Option<String>,
    },
    /// Its session is for `exec` alone.
    Protected(ProfileName),
    /// A flag that says something of one profile, and several were named.
    ForOneProfile {
        flag: &'static str,
    },
    /// Of several profiles some could not be served.
    Several(Vec<(ProfileName, Failure)>),
    /// Of so many keys some were not rotated. Why was said as it happened.
    NotAllRotated {
        failed: Vec<(ProfileName, Failure)>,
        all: usize,
    },
    ProfileExists(ProfileName),
    NameTaken(ProfileName),
    NoAccessKey(ProfileName),
    UnknownSetting {
        key: String,
        known: Vec<&'static str>,
    },
    BadSetting {
        key: String,
        why: String,
    },
    UnknownField {
        field: String,
        known: &'static [&'static str],
    },
    FieldMissing {
        field: &'static str,
        name: ProfileName,
    },
    /// About MFA devices.
    Mfa(MfaFailure),
    /// Of a policy template.
    UnknownPolicy(String),

    // Where an access key comes from.
    KeySource(KeySourceFailure),
    /// By what AWS calls its owner.
    NotAUsersKey {
        arn: String,
    },

    // Importing.
    /// Where it was looked, as people are shown it.
    NothingToImport {
        places: Vec<String>,
        /// Whether aws-vault is there and was not asked.
        beside_aws_vault: bool,
    },
    NotFoundToImport(Vec<ProfileName>),
    KeysRefused {
        refused: Vec<String>,
        imported: usize,
    },
    /// Conflicts that somebody has to decide.
    LeftOut {
        names: Vec<String>,
        imported: usize,
    },
    AwsVault(RunError),

    // AWS, its files, and sessions.
    Endpoint(EndpointError),
    /// AWS_CA_BUNDLE leads to it.
    CaBundleFile {
        path: PathBuf,
        error: ReadError,
    },
    CaBundle {
        path: PathBuf,
        error: CaBundleError,
    },
    KeyCheck {
        error: AwsError,
        id: AccessKeyId,
    },
    Aws(AwsError),
    AwsFile(FileError),
    Config(ConfigError),
    Export(ExportError),
    Configure(ConfigureError),
    /// The program itself, by the name it was started by, which is to be written into a file.
    OwnProgram {
        name: OsString,
        error: ProgramError,
    },
    /// Not one that all AWS tools read alike.
    OwnProgramPath(PathBuf),
    /// In the config file, by the name of a profile that has an access key in the vault.
    RoleBesideKey {
        path: PathBuf,
        line: usize,
        name: ProfileName,
        key: &'static str,
    },
    /// A setting in the config file that is to be taken over, where the vault has another.
    TakenDiffers {
        path: PathBuf,
        line: usize,
        name: ProfileName,
        key: &'static str,
    },
    Chain(ChainError),
    Ladder(LadderError),
    Issue {
        profile: ProfileName,
        error: IssueError,
    },
    Cache(CacheError),
    KeyRefused(RefusedKey),

    // The console, and IAM.
    Console(ConsoleError),
    Keys(KeyError),
    Rotate(Box<RotateFailure>),
    /// It was told to end, and did not.
    RotationGoesOn {
        pid: Option<u32>,
    },
    /// Another scheduled run is at it.
    OtherRun {
        pid: Option<u32>,
    },
    Schedule(ScheduleError),
    Log(LogFailure),
    /// Refused to a session whose MFA code was given some time ago.
    OldSession {
        profile: ProfileName,
        error: AwsError,
    },
    /// A role of another account than the profile's session works in.
    RoleElsewhere {
        role: RoleArn,
        profile: ProfileName,
        account: String,
    },
    RoleMaximum(Box<RoleMaximum>),

    // Handing over.
    Shell(ShellError),
    Exec {
        program: String,
        error: io::Error,
    },
    /// Of the endpoint itself.
    Serve(io::Error),
    /// Credentials that would win over an endpoint.
    DefaultFirst {
        path: PathBuf,
        line: usize,
    },
    /// A command that waits for an answer was told to end, and did not.
    AsksOn {
        pid: Option<u32>,
    },
    /// A server that was told to forget, and did not.
    ServedOn {
        pid: Option<u32>,
    },
}

/// A file that is not believed: what is remembered, and what it says of itself.
pub struct Refusal {
    pub distrust: Distrust,
    pub found: Meta,
}

impl Failure {
    /// A name that nobody typed is told with where it comes from.
    pub fn in_environment(self, environment: &Environment) -> Self {
        const VARIABLE: &str = "AWS_PROFILE";
        match self {
            Self::UnknownProfile { name, suggestion, .. } if environment.text(VARIABLE) == Some(name.as_str()) => {
                Self::UnknownProfile { name, suggestion, by: Some(VARIABLE) }
            }
            other => other,
        }
    }

    pub fn prompt(error: PromptError, need: Need) -> Self {
        match error {
            PromptError::NoTerminal => Self::NoTerminal(need),
            PromptError::Ended => Self::NoAnswer(need),
            PromptError::Io(error) => Self::Terminal(error),
        }
    }
}
