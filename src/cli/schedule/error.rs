//! Why a schedule is not made, shown or taken back.

use std::io;
use std::path::PathBuf;

use crate::process::{ProgramError, RunError};
use crate::rotate::remembered::Unreadable;
use crate::rotate::units::UnitError;

pub enum ScheduleError {
    /// Neither systemd nor launchd nor cron is there.
    NoScheduler,
    Unit(UnitError),
    /// One that the schedule needs, by its name.
    Program {
        name: &'static str,
        error: ProgramError,
    },
    Run(RunError),
    /// The program did not do what it was asked for, and what it said.
    Refused {
        program: &'static str,
        said: String,
    },
    File {
        path: PathBuf,
        error: io::Error,
    },
    /// What is remembered of the identity.
    Unreadable {
        path: PathBuf,
        why: Unreadable,
    },
    /// Others could put their own command there.
    OthersCanWrite(PathBuf),
    /// Somebody else's file has the name of ours.
    NotOurs(PathBuf),
    /// The state folder is where the vault is.
    BesideTheVault(PathBuf),
    /// A recipient of this name is there, and its identity is not on this machine.
    RecipientWithoutIdentity(String),
    /// The Keychain does not give what was put in.
    NotKept,
}

impl ScheduleError {
    /// Whether whoever sets it up anew need not read it.
    pub fn is_made_anew(&self) -> bool {
        matches!(self, Self::Unreadable { why: Unreadable::Damaged | Unreadable::Later, .. })
    }
}

impl From<UnitError> for ScheduleError {
    fn from(error: UnitError) -> Self {
        Self::Unit(error)
    }
}
