//! Words for MFA devices.

use crate::aws::{AwsError, Refusal};
use crate::cli::escape::escape;
use crate::cli::mfa::MfaFailure;
use crate::names::ProfileName;

use super::{Report, Status, aws};

pub fn report(failure: &MfaFailure) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match failure {
        MfaFailure::NotAUser { profile, user } => {
            state(format!("`{profile}` is a role's profile, and MFA devices are users'; its user is `{user}`"))
                .hint(format!("say `{user}` instead"))
        }
        MfaFailure::Root { profile } => state(format!("`{profile}` is the root user"))
            .hint("its MFA devices are managed in the console, under Security credentials"),
        MfaFailure::NoDevice { profile, user } => state(format!("`{}` has no MFA device", escape(user)))
            .hint(format!("`vault mfa enable {profile}` makes one")),
        MfaFailure::OnlyFido { profile, user, serials } => state(format!(
            "`{}` has only FIDO security keys ({}), and AWS takes no codes from those",
            escape(user),
            escape(&serials.join(", "))
        ))
        .hint(format!("`vault mfa enable {profile}` makes a device beside them")),
        MfaFailure::NoSerial { profile } => {
            state(format!("`{profile}` names no MFA device")).hint(format!("`vault mfa detect {profile}` finds it"))
        }
        MfaFailure::NameTaken { profile, serial } => state(format!(
            "there is an MFA device {} already",
            escape(serial)
        ))
        .hint(format!(
            "`--device-name NAME` makes another; if nobody has it, `vault mfa enable {profile} --abort {}` removes it",
            escape(serial)
        )),
        MfaFailure::MadeOrNot { profile, serial, error } => {
            let report = call(profile, error);
            let message = format!("{}; the device may have been made", report.message);
            Report { message, ..report }
                .hint(format!("`vault mfa enable {profile} --abort {}` removes it if it was", escape(serial)))
        }
        MfaFailure::NotEnabled { profile, serial, error } => {
            let report = call(profile, error);
            match error {
                AwsError::Refused { refusal: Refusal::AccessDenied, .. } => report,
                _ => report
                    .hint(format!("say `--finish {serial} --codes` again with the next two, or `--abort {serial}`")),
            }
        }
        MfaFailure::Call { profile, error } => call(profile, error),
    }
}

/// A permission that is missing is named with the policy that has it.
fn call(profile: &ProfileName, error: &AwsError) -> Report {
    let report = aws::report(error);
    match error {
        AwsError::Refused { action, refusal: Refusal::AccessDenied, .. } => report.hint(format!(
            "an administrator can allow iam:{action}: `vault policy show self-management --profile {profile}`"
        )),
        _ => report,
    }
}
