//! Why nothing came of `vault restore`; the words are in report/history.rs.

use jiff::Timestamp;

use crate::names::ProfileName;

pub enum RestoreFailure {
    /// None of that number among those that are kept.
    NoSuchGeneration {
        generation: u64,
        kept: Vec<u64>,
    },
    /// Two sides of a fork, one of which was trusted.
    SeveralOfGeneration {
        generation: u64,
        sides: Vec<Side>,
    },
    /// As it was named.
    NoSuchFile {
        generation: u64,
        file: String,
    },
    DoesNotOpen {
        generation: u64,
    },
    /// It has no such profile.
    NotInGeneration {
        generation: u64,
        name: ProfileName,
        suggestion: Option<String>,
    },
    /// AWS did not take their keys.
    KeysRefused {
        names: Vec<ProfileName>,
    },
}

/// One of the generations of a number.
pub struct Side {
    /// Its name, beside the vault.
    pub file: String,
    pub writer: String,
    pub written_at: Timestamp,
}
