//! Words for what AWS, or the way to it, answered.

use std::error::Error;
use std::path::Path;

use crate::aws::{AwsError, NetworkFailure, Refusal};
use crate::cli::escape::{escape, shown_path};
use crate::names::{AccessKeyId, EndpointError};

use super::{Report, Status};

pub fn endpoint(error: &EndpointError) -> Report {
    Report::new(Status::Usage, escape(&error.to_string()))
        .hint("check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS and endpoint_url")
}

/// It is said which variable leads there: nobody named the file to this command.
pub fn ca_bundle(path: &Path, error: &dyn Error) -> Report {
    Report::new(Status::State, format!("AWS_CA_BUNDLE, {}: {}", shown_path(path), escape(&error.to_string())))
}

/// A key that is not in the vault yet and was not taken: nothing is stored.
pub fn key_check(error: &AwsError, id: &AccessKeyId) -> Report {
    let report = key_refusal(error, id);
    Report { message: format!("{}; nothing was stored", report.message), ..report }
}

/// What AWS has against a key.
pub fn key_refusal(error: &AwsError, id: &AccessKeyId) -> Report {
    let short = id.short();
    match error {
        AwsError::Refused { refusal: Refusal::UnknownKey, .. } => {
            Report::new(Status::AwsRefused, format!("AWS does not know the access key {short}, or it is inactive"))
                .hint("a key made in the last minute may need another try")
        }
        AwsError::Refused { refusal: Refusal::SignatureMismatch, .. } => {
            Report::new(Status::AwsRefused, format!("the secret does not belong to {short}"))
        }
        other => report(other),
    }
}

/// What happened, in the middle of a line.
pub fn words(error: &AwsError) -> String {
    report(error).message
}

pub fn report(error: &AwsError) -> Report {
    match error {
        AwsError::Refused { action, refusal, message } => refused(action, refusal, &escape(&shortened(message))),
        AwsError::Network { action, failure, detail } => network(action, *failure, &escape(detail)),
        AwsError::Unreadable { action, detail } => {
            Report::new(Status::Network, format!("{action} got an answer that is not AWS's: {}", escape(detail)))
                .hint("a proxy or a captive portal may be in between")
        }
    }
}

/// What may be behind a key that AWS does not know.
pub const KEY_REPLACED: &str = "was it switched off or replaced in the console?";

/// AWS's longest texts are policies' names and ARNs; what is longer is not from AWS.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 1000;
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

fn refused(action: &str, refusal: &Refusal, message: &str) -> Report {
    let refused = |words: String| Report::new(Status::AwsRefused, words);
    match refusal {
        Refusal::WrongCode => refused("AWS refused the MFA code: it is wrong, or was used before".into())
            .hint("wait for the next code and try again"),
        Refusal::WrongSerial => refused(format!("AWS does not know this MFA device for this user: {message}"))
            .hint("`vault set NAME mfa_serial=ARN` with the device's ARN"),
        Refusal::AccessDenied => refused(format!("AWS refused {action}: {message}")),
        Refusal::UnknownKey => {
            refused("AWS does not know this access key, or it is inactive".into()).hint(KEY_REPLACED)
        }
        Refusal::SignatureMismatch => refused("the secret access key in the vault does not belong to its id".into())
            .hint("`vault add NAME --replace`"),
        Refusal::Expired => refused("the session is over".into()).hint("`vault login NAME --force` makes a new one"),
        Refusal::Throttled => {
            refused(format!("AWS has too many requests from this account: {message}")).hint("try again in a moment")
        }
        Refusal::ClockSkew => {
            refused(format!("this machine's clock and AWS's are too far apart: {message}")).hint("set the clock")
        }
        Refusal::RoleChainingCap => refused("AWS caps a role that is assumed from another session at 1 hour".into())
            .hint("pass `--duration 1h`"),
        Refusal::MaxSessionDuration => refused("this is longer than the role's maximum session duration".into())
            .hint("pass a shorter `--duration`, or raise MaxSessionDuration of the role (up to 12h)"),
        Refusal::RegionDisabled => refused(format!("STS is switched off for this region in the account: {message}"))
            .hint("pass another region by AWS_REGION"),
        Refusal::Unavailable => Report::new(Status::Network, format!("AWS could not answer {action}: {message}"))
            .hint("try again in a moment"),
        Refusal::WrongPairOfCodes => {
            refused(format!("AWS refused the two MFA codes (InvalidAuthenticationCode): {message}"))
                .hint("it takes two codes that the device shows one after the other, neither used before")
        }
        Refusal::AlreadyExists
        | Refusal::SessionForSession
        | Refusal::Invalid
        | Refusal::LimitExceeded
        | Refusal::NoSuchEntity => refused(format!("AWS refused {action}: {message}")),
        Refusal::Other { code } => refused(format!("AWS refused {action}: {}: {message}", escape(code))),
    }
}

/// In these a code may be spent though no answer came.
const CALLS_WITH_CODES: [&str; 4] = ["GetSessionToken", "AssumeRole", "EnableMFADevice", "ResyncMFADevice"];

/// `detail` is the host and what the network said.
fn network(action: &str, failure: NetworkFailure, detail: &str) -> Report {
    let words = match failure {
        NetworkFailure::Dns => format!("can't find {detail}"),
        NetworkFailure::Connect => format!("can't reach {detail}"),
        NetworkFailure::Tls => format!("can't trust {detail}"),
        NetworkFailure::Timeout { .. } => format!("no answer from {detail}"),
        NetworkFailure::Closed => format!("the connection broke, {detail}"),
    };
    let report = Report::new(Status::Network, format!("{action}: {words}"));
    match failure {
        NetworkFailure::Tls => report.hint("behind a proxy that opens TLS, set AWS_CA_BUNDLE to its certificate"),
        _ if failure.may_have_been_sent() && CALLS_WITH_CODES.contains(&action) => {
            report.hint("an MFA code in it may be spent; wait for the next one and try again")
        }
        _ if failure.may_have_been_sent() => report.hint("try again"),
        _ => report.hint("nothing was sent; try again when the network is back"),
    }
}
