//! Words for MFA devices.

use crate::aws::{AwsError, Refusal};
use crate::cli::escape::escape;
use crate::cli::mfa::MfaFailure;
use crate::cli::world::World;
use crate::names::ProfileName;

use super::{Report, Status, aws, names};

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
        MfaFailure::NameTaken { profile, serial, is_enabled: true } => {
            state(format!("there is an MFA device {} already, and it is the user's", escape(serial))).hint(format!(
                "`--device-name NAME` makes another; `vault mfa remove {profile} {}` removes that one",
                escape(serial)
            ))
        }
        MfaFailure::NameTaken { profile, serial, is_enabled: false } => state(format!(
            "there is an MFA device {} already",
            escape(serial)
        ))
        .hint(format!(
            "`--device-name NAME` makes another; if nobody has it, `vault mfa enable {profile} --abort {}` removes it",
            escape(serial)
        )),
        MfaFailure::NotChosen { given, user, serials } => not_chosen(given.as_deref(), user, serials),
        MfaFailure::OffAndThere { profile, serial, error } => {
            let report = call(profile, error);
            let message = format!("{serial} is switched off, and still there: {}", report.message);
            Report { message, ..report }.hint(format!("`vault mfa enable {profile} --abort {serial}` deletes it"))
        }
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

fn not_chosen(given: Option<&str>, user: &str, serials: &[String]) -> Report {
    let (user, listed) = (escape(user), escape(&serials.join(", ")));
    match given {
        _ if serials.is_empty() => Report::new(Status::State, format!("`{user}` has no MFA device")),
        Some(given) => {
            Report::new(Status::State, format!("`{user}` has no MFA device `{}`; it has {listed}", escape(given)))
        }
        None => Report::new(Status::Usage, format!("which device? `{user}` has {listed}"))
            .hint("name it by its serial, or by the name at the end of that"),
    }
}

/// What the removal of a device could break, before it is confirmed.
pub fn device_risks(world: &World, serial: &str, user: &str, is_last: bool, used_by: &[&ProfileName]) {
    if is_last {
        world.warn(&format!("{} is the only MFA device of {}", escape(serial), escape(user)));
    }
    if !used_by.is_empty() {
        world.warn(&format!("codes of it sign {} in", names(used_by)));
    }
}

/// Other profiles of the user follow to the new device.
pub fn device_of_others(world: &World, others: &[ProfileName]) {
    if !others.is_empty() {
        world.say(&format!("and for {}, which had the same device", names(others)));
    }
}

/// And the way on for profiles that can't sign in by it any more.
pub fn device_removed(world: &World, profile: &ProfileName, serial: &str, user: &str, used_by: &[&ProfileName]) {
    world.say(&format!("removed {} of {}", escape(serial), escape(user)));
    if !used_by.is_empty() {
        world.warn(&format!("{} can't sign in by it any more", names(used_by)));
        world.hint(&format!(
            "`vault mfa detect {profile}` finds another device, `vault mfa enable {profile}` makes one; a user without any: \
             `vault unset NAME mfa_serial`"
        ));
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
