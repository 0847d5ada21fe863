//! What is worth telling about a session beside the session itself.

use std::time::Duration;

use jiff::SignedDuration;

use crate::names::{MfaSerial, ProfileName};

/// Worth telling, and no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `aws:MultiFactorAuthPresent` will be absent.
    MfaAbsent { profile: ProfileName, because: NoMfa },
    /// The profile asks for more than AWS gives here.
    Capped { profile: ProfileName, asked: Duration, granted: Duration, by: Cap },
    /// AWS takes no code in a call that a session signs, so this role's own serial is left out.
    SerialUnused { profile: ProfileName, serial: MfaSerial },
    /// Some policies end such a session's use after 8 or 12 hours.
    LongMfaSession { duration: Duration },
    /// The session could not be kept for later callers.
    NotCached { cause: String },
    /// AWS's clock minus ours.
    ClockOff { offset: SignedDuration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMfa {
    Asked,
    NoSerial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    Chaining,
    Root,
}
