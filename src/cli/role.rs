//! `vault role`.

use std::time::Duration;

use serde_json::json;

use crate::aws::RoleLimits;
use crate::duration;
use crate::names::{NameError, ProfileName, RoleArn};

use super::failure::Failure;
use super::iam_access::IamAccess;
use super::resolved::Resolved;
use super::sign_in::{Purpose, SignInArgs};
use super::world::World;

/// The bounds of a role's MaxSessionDuration (IAM API reference, UpdateRole).
const LEAST: Duration = Duration::from_secs(3600);
const MOST: Duration = Duration::from_secs(43_200);

/// Read and change what IAM keeps of a role
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show how long sessions of a role may be, or set it
    ///
    /// The calls to IAM are signed by the profile's session, or by its access key if it has no MFA device.
    MaxDuration(MaxDurationArgs),
}

#[derive(clap::Args)]
struct MaxDurationArgs {
    /// The profile that may read and change the role
    name: ProfileName,
    /// The role's name, or its ARN
    #[arg(value_parser = parse_role)]
    role: GivenRole,
    /// The new maximum, 1h to 12h
    #[arg(value_name = "DURATION", value_parser = parse_maximum)]
    maximum: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

#[derive(Clone)]
enum GivenRole {
    Arn(RoleArn),
    Name(String),
}

/// 1 to 64 of `[\w+=,.@-]` (IAM API reference, GetRole).
fn parse_role(text: &str) -> Result<GivenRole, String> {
    if text.starts_with("arn:") {
        return text.parse().map(GivenRole::Arn).map_err(|error: NameError| error.to_string());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    match (1..=64).contains(&text.len()) && text.chars().all(fits) {
        true => Ok(GivenRole::Name(text.to_owned())),
        false => Err(format!("`{text}` is not a role's name: 1 to 64 of letters, digits and _+=,.@-")),
    }
}

fn parse_maximum(text: &str) -> Result<Duration, String> {
    let maximum = duration::parse(text).map_err(|error| error.to_string())?;
    match (LEAST..=MOST).contains(&maximum) {
        true => Ok(maximum),
        false => Err(format!("a role's sessions may be 1h to 12h (3600 to 43200 seconds) at most, not `{text}`")),
    }
}

impl GivenRole {
    fn name(&self) -> &str {
        match self {
            Self::Arn(role) => role.role_name(),
            Self::Name(name) => name,
        }
    }
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let Action::MaxDuration(args) = args.action;
    max_duration(&args, world)
}

fn max_duration(args: &MaxDurationArgs, world: &World) -> Result<(), Failure> {
    let (resolved, _) = Resolved::of(Some(args.name.clone()), &args.sign_in, world)?;
    let access = IamAccess::of(&resolved, &args.sign_in, Purpose::Inside, world)?;
    check_account(args, &access)?;
    let role = args.role.name();
    let before = access.aws.role_limits(&access.signer(), role).map_err(|error| access.failed(error))?;
    let was = before.max_session;
    let now = args.maximum.unwrap_or(was);
    if now != was {
        let limits = RoleLimits { max_session: now, ..before };
        let set = access.aws.set_role_limits(&access.signer(), role, &limits);
        set.map_err(|error| access.failed(error))?;
    }
    if args.json {
        return world.print_json(json!({ "role": role, "max_session_seconds": now.as_secs(), "was": was.as_secs() }));
    }
    match args.maximum {
        None => world.print(&format!("{}\n", duration::words(was)))?,
        Some(_) if now == was => world.say(&format!("role {role}: {} already", duration::words(was))),
        Some(_) => world.say(&format!("role {role}: {}, was {}", duration::words(now), duration::words(was))),
    }
    Ok(())
}

/// IAM knows a role by its name in the caller's own account: another account's may have one of the same name.
fn check_account(args: &MaxDurationArgs, access: &IamAccess) -> Result<(), Failure> {
    let GivenRole::Arn(role) = &args.role else { return Ok(()) };
    let account = access.aws.caller_identity(&access.signer())?.account;
    match account == role.account() {
        true => Ok(()),
        false => Err(Failure::RoleElsewhere { role: role.clone(), profile: args.name.clone(), account }),
    }
}
