//! A room's own error as the failure of a command, where it needs no further word.

use crate::agent::{AgentError, ListenError, StillHeld, UnitError};
use crate::aws::AwsError;
use crate::aws_files::config::ConfigError;
use crate::aws_files::file::FileError;
use crate::cli::access_key_source::KeySourceFailure;
use crate::cli::agent_access::HandOverError;
use crate::cli::console::ConsoleError;
use crate::cli::keys::KeyError;
use crate::cli::log::LogFailure;
use crate::cli::mfa::MfaFailure;
use crate::cli::recipient::RecipientFailure;
use crate::cli::restore::RestoreFailure;
use crate::cli::schedule::ScheduleError;
use crate::export::error::{ConfigureError, ExportError};
use crate::export::shell::ShellError;
use crate::names::{EndpointError, NameError};
use crate::session::{ChainError, LadderError};
use crate::store::file::LoadError;
use crate::store::header::HeaderError;
use crate::store::history::HistoryError;
use crate::store::passphrase::PassphraseError;
use crate::store::vault::{CreateError, EditError, OpenError, ReopenError};

use super::Failure;

macro_rules! from {
    ($($error:ty => $variant:ident,)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    LoadError => Load,
    OpenError => Open,
    HandOverError => HandOver,
    ReopenError => Reopen,
    CreateError => Create,
    PassphraseError => NewPassphrase,
    HistoryError => History,
    NameError => Name,
    AwsError => Aws,
    EndpointError => Endpoint,
    FileError => AwsFile,
    ConfigError => Config,
    ExportError => Export,
    ConfigureError => Configure,
    ChainError => Chain,
    LadderError => Ladder,
    AgentError => Agent,
    ListenError => AgentListen,
    StillHeld => AgentHolds,
    ConsoleError => Console,
    KeyError => Keys,
    ScheduleError => Schedule,
    LogFailure => Log,
    UnitError => AgentUnit,
    ShellError => Shell,
    MfaFailure => Mfa,
    RecipientFailure => Recipient,
    RestoreFailure => Restore,
    KeySourceFailure => KeySource,
}

impl From<HeaderError> for Failure {
    fn from(error: HeaderError) -> Self {
        Self::Open(error.into())
    }
}

/// An edit's own refusal is already a failure of ours.
impl From<EditError<Failure>> for Failure {
    fn from(error: EditError<Failure>) -> Self {
        match error {
            EditError::Refused(failure) => failure,
            EditError::NotCommitted(error) => Self::NotCommitted(error),
            EditError::NotDurable(error) => Self::NotDurable(error),
        }
    }
}
