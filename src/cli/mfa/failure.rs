//! Why nothing came of a command about MFA devices; the words are in report/mfa.rs.

use crate::aws::AwsError;
use crate::names::{MfaSerial, ProfileName};

pub enum MfaFailure {
    /// A role's profile, and the user profile that it starts from.
    NotAUser {
        profile: ProfileName,
        user: ProfileName,
    },
    /// IAM's calls on users are not for it.
    Root {
        profile: ProfileName,
    },
    NoDevice {
        profile: ProfileName,
        user: String,
    },
    /// By their serials.
    OnlyFido {
        profile: ProfileName,
        user: String,
        serials: Vec<String>,
    },
    /// The profile names none.
    NoSerial {
        profile: ProfileName,
    },
    /// A device of that name is in the account.
    NameTaken {
        profile: ProfileName,
        serial: String,
        /// Whether it is the very user's.
        is_enabled: bool,
    },
    /// Nothing came back for a device that may have been made.
    MadeOrNot {
        profile: ProfileName,
        serial: String,
        error: AwsError,
    },
    /// None of the user's devices, or not one alone, is the one to remove. `given` where none is what was named.
    NotChosen {
        given: Option<String>,
        user: String,
        serials: Vec<String>,
    },
    /// It was switched off, and could not be deleted.
    OffAndThere {
        profile: ProfileName,
        serial: MfaSerial,
        error: AwsError,
    },
    /// The two codes of `--finish`.
    NotEnabled {
        profile: ProfileName,
        serial: MfaSerial,
        error: AwsError,
    },
    /// What AWS says to the profile's user.
    Call {
        profile: ProfileName,
        error: AwsError,
    },
}
