//! Words about signing in to the console.

use crate::aws::{AwsError, Refusal};
use crate::cli::console::{ConsoleError, Visit};
use crate::cli::escape::escape;
use crate::cli::world::World;
use crate::duration;
use crate::names::{ProfileName, arn_partition, arn_user_name};

use super::{Report, Status, aws, left};

pub fn report(error: &ConsoleError) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match error {
        ConsoleError::UnknownPartition { arn } => {
            let partition = arn_partition(arn).unwrap_or_default();
            state(format!("the console of partition `{}` is not known to this program", escape(partition)))
                .hint("it knows those of aws, aws-cn and aws-us-gov")
        }
        ConsoleError::NotARole(name) => {
            state(format!("`{name}` is no role profile, and only a role can be switched to"))
                .hint(format!("`vault console {name}` signs in as the user"))
        }
        ConsoleError::Federation(error) => federation(error),
        ConsoleError::SignIn { profile, error } => sign_in(profile, error),
        ConsoleError::Page(error) => state(format!("can't write the page for the browser: {error}")),
        ConsoleError::PageFolder => {
            Report::new(Status::NotTrusted, "the folder that the page for the browser would lie in is not yours alone")
        }
        ConsoleError::Browser { profile, error } => {
            state(format!("can't open a browser: {}", escape(&error.to_string())))
                .hint(format!("`vault console {profile}` prints the address instead"))
        }
    }
}

fn federation(error: &AwsError) -> Report {
    let report = aws::report(error);
    match error {
        AwsError::Refused { refusal: Refusal::AccessDenied, .. } => report
            .hint("allow the user sts:GetFederationToken, which is called without MFA, or sign in with a role profile"),
        _ => report,
    }
}

fn sign_in(profile: &ProfileName, error: &AwsError) -> Report {
    match error {
        AwsError::Refused { refusal: Refusal::Invalid, message, .. } => Report::new(
            Status::AwsRefused,
            format!("AWS does not sign in with this session of `{profile}` ({})", escape(message)),
        )
        .hint(format!("`vault console {profile} --force` makes a new session first")),
        other => aws::report(other),
    }
}

/// What a person must know of an address that is a key to the house, and of the way it took.
pub fn console_visit(world: &World, visit: &Visit, opened: bool) {
    let role = visit.role.as_ref().map(|role| format!("role {}", role.role_name()));
    let user = || visit.user_arn.as_deref().and_then(arn_user_name).unwrap_or("root").to_owned();
    let who = escape(&role.unwrap_or_else(user));
    let account = visit.account().map(|account| format!(" in account {}", escape(account))).unwrap_or_default();
    let how_long = duration::words(left(visit.expires, world.clock.now()));
    let name = &visit.name;
    world.say(&match opened {
        true => format!("{name}: opened the console as {who}{account}, for {how_long}"),
        false => {
            format!("{name}: whoever opens this address within 15 min is signed in as {who}{account}, for {how_long}")
        }
    });
}

pub fn console_without_mfa(world: &World, profile: &ProfileName) {
    world.warn(&format!(
        "`{profile}`: a user's console session counts as made without MFA, and policies that ask for it refuse what is \
         done there; a role that asks for MFA when it is assumed is the way"
    ));
}
