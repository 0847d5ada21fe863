//! What is asked of a person, and is told where nobody can be asked.

use crate::names::{MfaSerial, ProfileName};
use crate::session::NeedsVault;
use crate::store::fingerprint::Fingerprint;

/// What a person would have been asked for.
#[derive(Debug, Clone)]
pub enum Need {
    Passphrase,
    /// The same, though an agent holds the vault: what is asked for is not its to give.
    PassphraseItself,
    /// The passphrase, since no cached session of this profile would do.
    Unlock(ProfileName, Option<NeedsVault>),
    NewPassphrase {
        flag: &'static str,
    },
    GeneratedPassphrase {
        flag: &'static str,
    },
    RecoveryKeyChoice {
        /// What can be said instead of a file.
        instead: &'static str,
    },
    AccessKey,
    /// One of several MFA devices.
    DeviceChoice(Vec<MfaSerial>, SerialBy),
    /// Whether the usual serial is right.
    SerialGuess(String, SerialBy),
    MfaCode(ProfileName),
    /// Somebody to scan a QR code and type codes.
    NewDevice(Option<ProfileName>),
    /// Two codes, one after the other.
    TwoCodes(ProfileName),
    /// A code, where nothing can be passed along.
    SignIn(ProfileName),
    Confirmation {
        flag: &'static str,
    },
    /// Whether a new vault is to stand where one that this machine knows is missing.
    MissingVault {
        generation: u64,
    },
    /// A fingerprint or a yes, for `trust`.
    Trust,
    /// Whether a vault that this machine has not seen is the right one.
    FirstSight(Fingerprint),
}

/// How an MFA device is said where nobody can be asked.
#[derive(Debug, Clone)]
pub enum SerialBy {
    Flag,
    Setting(ProfileName),
}
