//! What a command that wants a session can be told about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::names::{MfaCode, NameError, ProfileName, RoleArn};
use crate::session::{Freshness, LONGEST_CHAINED, Options, RoleOptions, Slot};

use super::failure::Failure;
use super::settings;
use super::sign_in::Purpose;
use super::world::World;

/// IAM policies, ours among them, let credentials be changed for some time after a code; what is begun has to be ended in it.
const TIME_TO_CHANGE: Duration = Duration::from_secs(30 * 60);

/// Longer than any policy that STS takes, with room for its blanks.
const LONGEST_POLICY: u64 = 64 * 1024;

const OF_A_ROLE: &str = "Of a role's session";

#[derive(clap::Args, Default)]
#[cfg_attr(test, derive(PartialEq))]
#[command(next_help_heading = "Getting the session")]
pub struct SignInArgs {
    /// The MFA code, or `-` to read it from standard input [variable: VAULT_MFA_CODE]
    #[arg(long, value_name = "CODE|-", value_parser = parse_code)]
    mfa_code: Option<CodeGiven>,
    /// How long the session is to last, such as 8h [default: the profile's, else 12h for a user, 1h for a role]
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_session_seconds)]
    duration: Option<u32>,
    /// Without MFA, though the profile has a device
    #[arg(long)]
    no_mfa: bool,
    /// Make a new session even if the cached one is good
    #[arg(long)]
    force: bool,
    /// Take the cached session only if it lasts this long still
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    min_ttl: Option<Duration>,
    /// Whether a duration beyond an hour is one of the console session rather than the session's own.
    #[arg(skip)]
    for_console: bool,
    /// Assume this role from the profile, whether or not that is one itself
    #[arg(help_heading = OF_A_ROLE, long, value_name = "ARN")]
    role_arn: Option<RoleArn>,
    /// Allow no more than to read: AWS's own policy ReadOnlyAccess
    #[arg(help_heading = OF_A_ROLE, long, conflicts_with_all = ["policy", "policy_arns"])]
    readonly: bool,
    /// Allow no more than the policy in this file
    #[arg(help_heading = OF_A_ROLE, long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Allow no more than this managed policy; several allow what any of them does
    #[arg(help_heading = OF_A_ROLE, long = "policy-arn", value_name = "ARN")]
    policy_arns: Vec<String>,
    /// Its name in CloudTrail [default: the profile's role_session_name, else vault-USER-TIME]
    #[arg(help_heading = OF_A_ROLE, long, value_name = "NAME")]
    role_session_name: Option<String>,
    /// What the role's trust policy has as sts:ExternalId
    #[arg(help_heading = OF_A_ROLE, long, value_name = "ID")]
    external_id: Option<String>,
    /// Who is behind it, in CloudTrail and for every role assumed from it
    #[arg(help_heading = OF_A_ROLE, long, value_name = "NAME")]
    source_identity: Option<String>,
    /// A session tag; may be said several times
    #[arg(help_heading = OF_A_ROLE, long = "session-tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    session_tags: Vec<(String, String)>,
    /// The key of a session tag that roles assumed from it get too
    #[arg(help_heading = OF_A_ROLE, long = "transitive-tag", value_name = "KEY")]
    transitive_tags: Vec<String>,
}

/// What is left of these to a command that changes something at IAM, with a session of its own choice.
#[derive(clap::Args)]
#[command(next_help_heading = "Signing in to IAM")]
pub struct ChangeArgs {
    /// The MFA code, or `-` to read it from standard input [variable: VAULT_MFA_CODE]
    #[arg(long, value_name = "CODE|-", value_parser = parse_code)]
    mfa_code: Option<CodeGiven>,
    /// Sign with the access key, though the profile has a device
    #[arg(long)]
    no_mfa: bool,
    /// Take a new code even if the cached session is new enough
    #[arg(long)]
    force: bool,
}

impl From<ChangeArgs> for SignInArgs {
    fn from(args: ChangeArgs) -> Self {
        Self { mfa_code: args.mfa_code, no_mfa: args.no_mfa, force: args.force, ..Self::default() }
    }
}

/// What is left of them to a command that gets a session only if it must.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Signing in to IAM")]
pub struct CodeArgs {
    /// The MFA code, or `-` to read it from standard input [variable: VAULT_MFA_CODE]
    #[arg(long, value_name = "CODE|-", value_parser = parse_code)]
    mfa_code: Option<CodeGiven>,
}

impl CodeArgs {
    /// For the session that signs changes. With `force` a new one.
    pub fn for_changes(&self, force: bool) -> SignInArgs {
        SignInArgs { mfa_code: self.mfa_code.clone(), force, ..SignInArgs::default() }
    }
}

#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq))]
pub enum CodeGiven {
    OnStandardInput,
    Code(MfaCode),
}

fn parse_code(text: &str) -> Result<CodeGiven, String> {
    match text {
        "-" => Ok(CodeGiven::OnStandardInput),
        _ => text.parse().map(CodeGiven::Code).map_err(|error: NameError| error.to_string()),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

impl SignInArgs {
    /// Nothing said; with `force` as if a new session was asked for.
    pub fn renewing(force: bool) -> Self {
        Self { force, ..Self::default() }
    }

    /// The same session once more when this one has no longer than that to go: what was said for the first time only is left out.
    pub fn again(self, ahead: Duration) -> Self {
        let min_ttl = self.min_ttl.map_or(ahead, |asked| asked.max(ahead));
        Self { mfa_code: None, force: false, min_ttl: Some(min_ttl), ..self }
    }

    pub fn options(&self, world: &World) -> Result<Options, Failure> {
        let duration = self.duration.map(|seconds| Duration::from_secs(seconds.into()));
        Ok(Options {
            duration: duration.filter(|_| self.stay().is_none()),
            no_mfa: self.no_mfa,
            stay: self.stay(),
            role_arn: self.role_arn.clone(),
            read_only: self.readonly,
            role: self.role_options(world)?,
        })
    }

    /// The session is to sign in to the console with.
    pub fn be_for_console(&mut self) {
        self.for_console = true;
    }

    /// How long a console session is to be that outlives what one role may give another.
    pub fn stay(&self) -> Option<Duration> {
        let asked = self.duration.filter(|_| self.for_console).map(|seconds| Duration::from_secs(seconds.into()));
        asked.filter(|asked| *asked > LONGEST_CHAINED)
    }

    /// Where the profile's session for these is kept.
    pub fn slot(&self, profile: &ProfileName, world: &World) -> Result<Slot, Failure> {
        Ok(self.options(world)?.slot(profile))
    }

    /// `mfa_max_age` is how old a session with MFA may be to change keys.
    pub fn freshness(&self, purpose: Purpose, mfa_max_age: Duration, world: &World) -> Freshness {
        Freshness {
            made_since: self.made_since(purpose, mfa_max_age, world.clock.now()),
            min_ttl: self.min_ttl,
            renew_in_last_hour: purpose == Purpose::Login,
        }
    }

    fn made_since(&self, purpose: Purpose, mfa_max_age: Duration, now: Timestamp) -> Option<Timestamp> {
        match purpose {
            _ if self.force => Some(now),
            Purpose::Change => now.checked_sub(mfa_max_age.saturating_sub(TIME_TO_CHANGE)).ok(),
            Purpose::Login | Purpose::Use | Purpose::Inside | Purpose::Process | Purpose::Renewal => None,
        }
    }

    fn role_options(&self, world: &World) -> Result<RoleOptions, Failure> {
        let policy = self.policy.as_ref().map(|path| read_policy(path, world)).transpose()?;
        Ok(RoleOptions {
            session_name: self.role_session_name.clone(),
            external_id: self.external_id.clone(),
            tags: self.session_tags.clone(),
            transitive_tags: self.transitive_tags.clone(),
            source_identity: self.source_identity.clone(),
            policy,
            policy_arns: self.policy_arns.clone(),
        })
    }

    pub fn code_given(&self) -> Option<CodeGiven> {
        self.mfa_code.clone()
    }
}

/// Without its blanks, since STS counts them. What is no JSON is told of with the other options.
fn read_policy(path: &Path, world: &World) -> Result<String, Failure> {
    let failed = |error| Failure::NamedFile { path: path.to_owned(), error };
    let (bytes, _) = world.disk.read_named(path, LONGEST_POLICY).map_err(failed)?;
    Ok(match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(policy) => policy.to_string(),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::rules::MFA_MAX_AGE;

    #[test]
    fn what_changes_credentials_takes_no_session_of_an_older_code_than_policies_do() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let within = |age: Duration, args: SignInArgs, purpose| {
            args.made_since(purpose, age, now).map(|since| now.duration_since(since).as_secs())
        };
        let made_since = |args: SignInArgs, purpose| within(MFA_MAX_AGE, args, purpose);
        assert_eq!(made_since(SignInArgs::default(), Purpose::Change), Some(25 * 60));
        for (age, oldest) in [(2 * 3600, 90 * 60), (1800, 0), (300, 0)] {
            assert_eq!(within(Duration::from_secs(age), SignInArgs::default(), Purpose::Change), Some(oldest));
        }
        assert_eq!(made_since(SignInArgs::default(), Purpose::Login), None);
        let forced = || SignInArgs { force: true, ..SignInArgs::default() };
        assert!([Purpose::Change, Purpose::Login].into_iter().all(|purpose| made_since(forced(), purpose) == Some(0)));
    }
}
