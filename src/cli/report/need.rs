//! Words for what a person would have been asked for.

use crate::cli::escape::escape;
use crate::cli::need::{Need, SerialBy};
use crate::names::ProfileName;

use super::{Report, Status, session};

/// Nobody is there to be asked.
pub fn no_terminal(need: &Need) -> Report {
    let (status, what, hint) = match need {
        Need::Passphrase => (
            Status::Locked,
            "the vault is locked and there is no terminal to ask for the passphrase".to_owned(),
            "run `vault unlock` at a terminal, or pass `--passphrase-file FILE`".to_owned(),
        ),
        Need::PassphraseItself => (
            Status::Locked,
            "this takes the passphrase itself, also while the vault is unlocked, and there is no terminal to ask on"
                .to_owned(),
            "pass `--passphrase-file FILE`".to_owned(),
        ),
        Need::Unlock(name, why) => {
            (Status::Locked, session::locked(name, *why), format!("run `vault login {name}` at a terminal"))
        }
        Need::NewPassphrase { flag } => (
            Status::PersonNeeded,
            "the vault needs a new passphrase and there is no terminal to ask on".to_owned(),
            format!("pass `{flag} FILE`"),
        ),
        Need::GeneratedPassphrase { flag } => (
            Status::PersonNeeded,
            "there is no terminal to show the generated passphrase on".to_owned(),
            format!("pass `{flag} FILE` with the name of a new file; it is written there"),
        ),
        Need::RecoveryKeyChoice { instead } => (
            Status::PersonNeeded,
            "there is no terminal to show the recovery key on".to_owned(),
            format!("pass `--recovery-key FILE` to write it there, or {instead}"),
        ),
        Need::AccessKey => (
            Status::PersonNeeded,
            "there is no terminal to ask for the access key".to_owned(),
            "pass `--access-key-id ID --secret-stdin`, `--from-env`, `--from-csv FILE` or `--from-profile NAME`"
                .to_owned(),
        ),
        Need::DeviceChoice(serials, by) => {
            let serials: Vec<&str> = serials.iter().map(AsRef::as_ref).collect();
            let what = format!(
                "this user has several MFA devices ({}) and there is no terminal to ask on",
                serials.join(", ")
            );
            let hint = match by {
                SerialBy::Flag => "pass one as `--mfa-serial ARN`".to_owned(),
                SerialBy::Setting(name) => format!("`vault set {name} mfa_serial=ARN` stores one of them"),
            };
            (Status::PersonNeeded, what, hint)
        }
        Need::SerialGuess(usual, by) => (
            Status::PersonNeeded,
            "this user may not list its MFA devices, and there is no terminal to ask on".to_owned(),
            match (by, escape(usual)) {
                (SerialBy::Flag, usual) => {
                    format!("pass `--mfa-serial {usual}` if that is the device, or `--mfa-serial none`")
                }
                (SerialBy::Setting(name), usual) => {
                    format!("`vault set {name} mfa_serial={usual}` if that is the device")
                }
            },
        ),
        Need::MfaCode(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs an MFA code and there is no terminal to ask on"),
            format!("run `vault login {name}` at a terminal, pass `--mfa-code`, or set `mfa_process` for this profile"),
        ),
        Need::NewDevice(name) => {
            let name = name.as_ref().map_or("NAME", ProfileName::as_str);
            (
                Status::PersonNeeded,
                "there is no terminal to draw the QR code on".to_owned(),
                format!("`vault mfa enable {name} --begin FILE`, then `--finish`, do it in two steps"),
            )
        }
        Need::TwoCodes(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs two MFA codes and there is no terminal to ask on"),
            "pass them as `--codes CODE,CODE`".to_owned(),
        ),
        Need::SignIn(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs an MFA code and there is no terminal to ask on"),
            format!("run `vault login {name}` at a terminal"),
        ),
        Need::FirstSight(fingerprint) => (
            Status::NotTrusted,
            format!(
                "this machine has not seen this vault before (fingerprint {fingerprint}) and there is no terminal to ask on"
            ),
            "compare with `vault status` where it is known, then pass `--expect-fingerprint FINGERPRINT`".to_owned(),
        ),
        Need::MissingVault { generation } => (
            Status::PersonNeeded,
            format!(
                "the vault that this machine knows here (generation {generation}) is missing, and there is no terminal to ask on"
            ),
            "bring it back, or pass `--forget-missing` to make a new one".to_owned(),
        ),
        Need::Trust => (
            Status::PersonNeeded,
            "`vault trust` needs a person at a terminal".to_owned(),
            "run it where you can compare fingerprints and type".to_owned(),
        ),
        Need::Confirmation { flag } => (
            Status::PersonNeeded,
            "this needs a confirmation and there is no terminal to ask on".to_owned(),
            format!("pass `{flag}`"),
        ),
    };
    Report::new(status, what).hint(hint)
}

/// Who was asked ended the input.
pub fn no_answer(need: &Need) -> Report {
    match need {
        Need::Passphrase | Need::PassphraseItself | Need::Unlock(..) => {
            Report::new(Status::Locked, "no passphrase was typed; the vault stays locked")
        }
        Need::RecoveryKeyChoice { .. } => Report::new(
            Status::PersonNeeded,
            "no answer; nothing was changed, and the recovery key above opens nothing",
        ),
        _ => Report::new(Status::PersonNeeded, "no answer; nothing was changed"),
    }
}
