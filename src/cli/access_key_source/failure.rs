//! Why no access key came from where it was to come from; the words are in report/key_source.rs.

use std::path::PathBuf;

use crate::names::{AccessKeyId, ProfileName};

pub enum KeySourceFailure {
    SecretMalformed,
    VariableMissing(&'static str),
    /// Of a session.
    Temporary(AccessKeyId),
    TemporaryEnvironment,
    NoSuchSection {
        path: PathBuf,
        section: ProfileName,
    },
    NoKeyInSection {
        path: PathBuf,
        section: ProfileName,
    },
    NotAConsoleCsv {
        path: PathBuf,
    },
    SeveralInCsv {
        path: PathBuf,
    },
}
