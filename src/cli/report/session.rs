//! Words for what stands between a profile's name and its session.

use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{AwsError, Refusal};
use crate::cli::clock_told;
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::Need;
use crate::cli::refused_key::RefusedKey;
use crate::cli::role_maximum::RoleMaximum;
use crate::cli::world::World;
use crate::duration;
use crate::names::{MfaSerial, ProfileName, RoleArn};
use crate::session::{
    CacheError, Cap, ChainError, CodeError, CodeFrom, ForeignSignIn, IssueError, LadderError, MinTtlTooLong,
    NeedsVault, NoMfa, Note,
};

use super::need::no_terminal;
use super::{Report, Status, aws, files, process};

/// How long it is from now until then; nothing where that is past.
pub fn left(then: Timestamp, now: Timestamp) -> Duration {
    then.duration_since(now).try_into().unwrap_or_default()
}

pub fn chain(error: &ChainError) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match error {
        ChainError::Missing { profile, named_by: None } => state(format!("no profile named `{profile}`")),
        ChainError::Missing { profile, named_by: Some(by) } => missing_source(profile, by, None),
        ChainError::Cycle { path } => {
            let names: Vec<&str> = path.iter().map(ProfileName::as_str).collect();
            state(format!("these profiles are each other's source_profile: {}", names.join(" -> ")))
        }
        ChainError::NoKey { profile, named_by: None } => {
            state(format!("`{profile}` has neither an access key in the vault nor a role"))
                .hint(format!("vault add {profile}"))
        }
        ChainError::NoKey { profile, named_by: Some(by) } => {
            state(format!("`{profile}`, the source_profile of `{by}`, has no access key in the vault"))
                .hint(format!("vault add {profile}"))
        }
        ChainError::NoSource { profile } => state(format!("`{profile}` has a role_arn and no source_profile"))
            .hint(format!("vault set {profile} source_profile=NAME")),
        ChainError::KeyAndRole { profile } => {
            state(format!("`{profile}` has both an access key and a role_arn or source_profile"))
                .hint(format!("`vault unset {profile} role_arn source_profile`, or a profile of its own for the role"))
        }
        ChainError::TwoSources { profile, line } => {
            state(format!("`{profile}` has both source_profile and credential_source (line {line} of ~/.aws/config)"))
        }
        ChainError::SignsInElsewhere { profile, by, line, .. } => elsewhere(profile, *by, *line),
        ChainError::Config(error) => files::config(error),
    }
}

pub fn missing_source(profile: &ProfileName, by: &ProfileName, meant: Option<&str>) -> Report {
    let missing = format!("no profile named `{profile}`, which `{by}` has as its source_profile");
    match meant {
        Some(meant) => Report::new(Status::State, format!("{missing}; did you mean `{}`?", escape(meant))),
        None => Report::new(Status::State, missing).hint(format!("`vault add {profile}` adds it")),
    }
}

/// Profiles that other programs serve: which, and the command.
fn elsewhere(profile: &ProfileName, by: ForeignSignIn, line: usize) -> Report {
    let (how, hint) = match by {
        ForeignSignIn::Sso => ("IAM Identity Center (SSO)", format!("aws sso login --profile {profile}")),
        ForeignSignIn::WebIdentity => {
            ("a web identity token", format!("aws --profile {profile} COMMAND uses it without this program"))
        }
        ForeignSignIn::CredentialProcess => (
            "its own credential_process",
            format!(
                "aws --profile {profile} COMMAND uses that; to have it from here: `vault add {profile} --role-arn ARN \
                 --source-profile NAME`, then `vault configure {profile} --replace`"
            ),
        ),
        ForeignSignIn::CredentialSource => {
            ("its machine's credential_source", format!("aws --profile {profile} COMMAND uses it on that machine"))
        }
    };
    Report::new(
        Status::State,
        format!("`{profile}` signs in through {how} (line {line} of ~/.aws/config), not through this vault"),
    )
    .hint(hint)
}

pub fn ladder(error: &LadderError) -> Report {
    let usage = |message: String| Report::new(Status::Usage, message);
    let words = |duration: &Duration| duration::words(*duration);
    match error {
        LadderError::Duration { profile, duration, least, most } => {
            let (asked, least, most) = (words(&duration.value), words(least), words(most));
            usage(format!("`{profile}`: a session of {asked} is not possible here; AWS takes {least} to {most}"))
                .hint(format!("`--duration`, or `vault set {profile} duration_seconds=...`"))
        }
        LadderError::ChainingCap { profile, .. } => {
            usage(format!("`{profile}`: AWS caps a role that is assumed from another session at 1 h"))
                .hint("pass `--duration 1h`")
        }
        LadderError::NarrowsUser { profile, option } => {
            usage(format!("`{profile}` is a user profile, and a user's session takes no {option}"))
                .hint("narrow a role instead: `vault add NAME --role-arn ARN --source-profile ...`")
        }
        LadderError::Option(error) => usage(escape(&error.to_string())),
        LadderError::OtherEndpoint { profile, verified_at, now } => {
            let name = |endpoint: &Option<String>| {
                endpoint.as_deref().map_or_else(|| "AWS itself".to_owned(), |url| format!("`{}`", escape(url)))
            };
            Report::new(
                Status::State,
                format!(
                    "the access key of `{profile}` was checked at {}, and this would send it to {}",
                    name(verified_at),
                    name(now)
                ),
            )
            .hint("check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS")
        }
    }
}

pub fn issue(profile: &ProfileName, error: &IssueError) -> Report {
    match error {
        IssueError::MinTtl(MinTtlTooLong { asked, life }) => {
            let (asked, life) = (duration::words(*asked), duration::words(*life));
            Report::new(Status::Usage, format!("--min-ttl {asked} is not possible: the session lasts {life} in all"))
                .hint("a longer `--duration`")
        }
        IssueError::Busy { profile, pid } => {
            let holder = process(*pid);
            Report::new(Status::State, format!("{holder} has been getting the session of `{profile}` for too long"))
                .hint("answer its prompt, or end it")
        }
        IssueError::KeyNeeded { .. } => no_terminal(&Need::Unlock(profile.clone(), Some(NeedsVault::Stale))),
        IssueError::Code(error) => code(profile, error),
        IssueError::Call { profile, role, error } => call(profile, role.as_ref(), error),
    }
}

/// The vault is closed, nobody is there to open it, and what is cached for the profile does not do.
pub fn locked(profile: &ProfileName, why: Option<NeedsVault>) -> String {
    match why {
        None => "the vault is locked and there is no terminal to ask for the passphrase".to_owned(),
        Some(NeedsVault::NoSession) => format!("`{profile}` has no session yet, and the vault is locked"),
        Some(NeedsVault::VaultChanged) => {
            format!("the vault changed since `{profile}` got its session, and is locked; unlock it")
        }
        Some(NeedsVault::ConfigChanged) => {
            format!("~/.aws/config changed since `{profile}` got its session, and the vault is locked")
        }
        Some(NeedsVault::Stale) => {
            format!("the session of `{profile}` is over or about to end, and the vault is locked")
        }
        Some(NeedsVault::OtherEndpoint) => {
            format!("the session of `{profile}` is for another endpoint, and the vault is locked")
        }
    }
}

fn code(profile: &ProfileName, error: &CodeError) -> Report {
    let person = |message: String| Report::new(Status::PersonNeeded, message);
    match error {
        CodeError::NoTerminal => no_terminal(&Need::MfaCode(profile.clone())),
        CodeError::Cancelled => person("no code was typed; nothing was changed".into()),
        CodeError::Malformed { serial, from } => {
            Report::new(Status::Usage, format!("{} is not six digits; nothing was sent", origin(*from)))
                .hint(six_digits(profile, serial, *from))
        }
        CodeError::Used { next_in } => Report::new(
            Status::PersonNeeded,
            format!("that code was used already; the next comes in {} s", next_in.as_secs()),
        ),
        CodeError::Wrong { serial, from } => {
            Report::new(Status::AwsRefused, format!("AWS refused {}: it is wrong, or was used before", origin(*from)))
                .hint(format!(
                    "is it the code of {serial}? the next one may do; `vault mfa resync {profile}` where that phone's clock is off, \
                     `vault mfa detect {profile}` where there is a new one"
                ))
        }
        CodeError::Process { cause } => {
            person(format!("mfa_process of `{profile}`: {}", escape(cause))).hint("pass `--mfa-code`")
        }
        CodeError::Io(error) => person(format!("can't read the code: {error}")),
    }
}

/// Where there are some.
fn six_digits(profile: &ProfileName, serial: &MfaSerial, from: CodeFrom) -> String {
    match from {
        CodeFrom::Given => format!("give what {serial} shows now: six digits, and nothing beside them"),
        CodeFrom::Process => {
            "`--mfa-code CODE` goes before mfa_process, which has to print six digits and nothing else".into()
        }
        CodeFrom::Terminal => format!(
            "the same again with `--mfa-code CODE`, the six digits that {serial} shows; `vault mfa list {profile}` names the \
             devices that there are"
        ),
    }
}

fn origin(from: CodeFrom) -> &'static str {
    match from {
        CodeFrom::Given => "the code that was given",
        CodeFrom::Process => "what mfa_process printed",
        CodeFrom::Terminal => "the code that was typed",
    }
}

fn call(profile: &ProfileName, role: Option<&RoleArn>, error: &AwsError) -> Report {
    match (role, error) {
        (Some(role), AwsError::Refused { refusal: Refusal::AccessDenied, message, .. }) => {
            Report::new(Status::AwsRefused, format!("AWS refused the role `{role}` of `{profile}`: {}", escape(message)))
                .hint("is there such a role? the user's policy must allow sts:AssumeRole on it, and the role's trust policy must name the user or its account")
        }
        (_, AwsError::Refused { refusal: Refusal::WrongSerial, .. }) => aws::report(error).hint(format!(
            "`vault mfa list {profile}` shows the devices that there are; `vault set {profile} mfa_serial=ARN` names one"
        )),
        _ => aws::report(error),
    }
}

pub fn key_refused(refused: &RefusedKey) -> Report {
    let RefusedKey { profile, id, is_rotating, has_mfa } = refused;
    let words = format!("AWS does not know the access key {} of `{profile}`, or it is inactive", id.short());
    let other = match is_rotating {
        true => format!("`vault rotate {profile} --resume` goes by what AWS has"),
        false => format!("`vault add {profile} --replace` stores another"),
    };
    let on_again = format!(
        "`vault keys enable {profile} {}` switches it on again while a session made with MFA is left",
        id.short()
    );
    // A rotation that is not over is this machine's.
    let elsewhere = "if another machine replaced it, `vault import --vault FILE` brings the new one";
    Report::new(Status::AwsRefused, words).hint(match (is_rotating, has_mfa) {
        (true, true) => format!("{on_again}; {other}"),
        (true, false) => format!("{} {other}", aws::KEY_REPLACED),
        (false, true) => format!("{elsewhere}; else {on_again}, or {other}"),
        (false, false) => format!("{elsewhere}; else {other}"),
    })
}

/// The same words as for any refusal, and what may be behind it.
pub fn too_old(profile: &ProfileName, error: &AwsError) -> Report {
    aws::report(error).hint(format!(
        "a policy may ask for a newer MFA code than the session of `{profile}` was made with: `--force` takes one"
    ))
}

/// IAM reads and changes the roles of the caller's account alone.
pub fn role_elsewhere(role: &RoleArn, profile: &ProfileName, account: &str) -> Report {
    let account = escape(account);
    Report::new(Status::State, format!("`{role}` is in another account than `{profile}`, which is in {account}"))
        .hint(format!("name a profile of account {}", role.account()))
}

pub fn role_maximum(exceeded: &RoleMaximum) -> Report {
    let RoleMaximum { profile, user, role, asked, is_flag, maximum } = exceeded;
    let (role, asked) = (role.role_name(), *asked);
    let allowed = maximum.map(|maximum| format!(", which is {}", duration::words(maximum))).unwrap_or_default();
    let shorter = typed(maximum.unwrap_or(ALWAYS_ALLOWED));
    Report::new(
        Status::AwsRefused,
        format!("`{profile}`: a session of {} is longer than role {role} allows{allowed}", duration::words(asked)),
    )
    .hint(match is_flag {
        true => format!("pass `--duration {shorter}`; {}", raised(user, role, asked)),
        false => format!("`vault set {profile} duration_seconds={shorter}`; {}", raised(user, role, asked)),
    })
}

fn raised(user: &ProfileName, role: &str, asked: Duration) -> String {
    format!("or `vault role max-duration {user} {role} {}`, if `{user}` may change the role", typed(asked))
}

/// The least that a role's maximum can be.
const ALWAYS_ALLOWED: Duration = Duration::from_secs(3600);

/// As a person would type it.
fn typed(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds => seconds.to_string(),
    }
}

pub fn cache(error: &CacheError) -> Report {
    match error {
        CacheError::Identity(_) => Report::new(Status::NotTrusted, "the vault's session identity can't be read"),
        CacheError::TooLong => Report::new(Status::State, error.to_string()),
        CacheError::Untrusted(path) => {
            Report::new(Status::NotTrusted, format!("{} is not yours alone", shown_path(path)))
        }
        CacheError::Io(error) => Report::new(Status::State, format!("can't reach the cached sessions: {error}")),
    }
}

/// What a person should know about a session that they got.
pub fn note(world: &World, note: &Note) {
    let words = duration::words;
    match note {
        Note::MfaAbsent { profile, because: NoMfa::Asked } => {
            world.warn(&format!(
                "`{profile}`: without MFA, as asked; policies see aws:MultiFactorAuthPresent as absent"
            ));
        }
        Note::MfaAbsent { profile, because: NoMfa::NoSerial } => {
            world.warn(&format!("`{profile}` has no mfa_serial: without MFA, aws:MultiFactorAuthPresent is absent"));
            world.hint(&format!("`vault mfa detect {profile}` finds the device, if there is one"));
        }
        Note::Capped { profile, asked, granted, by } => {
            let why = match by {
                Cap::Chaining => "AWS caps a role that is assumed from another session",
                Cap::Root => "AWS caps the root user's sessions",
            };
            world.warn(&format!("`{profile}` asks for {}, and gets {}: {why}", words(*asked), words(*granted)));
        }
        Note::SerialUnused { profile, serial } => {
            world.warn(&format!(
                "`{profile}`: its mfa_serial {serial} is not used: AWS takes no code where a session signs"
            ));
        }
        Note::LongMfaSession { duration } => {
            world.warn(&format!(
                "a session of {}: some policies refuse an MFA sign-in older than 8 or 12 h",
                words(*duration)
            ));
        }
        Note::NotCached { cause } => world.warn(&format!("the session could not be cached: {}", escape(cause))),
        Note::ClockOff { offset } => clock_told::warn_about_offset(world, *offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure::Failure;

    #[test]
    fn a_vault_that_has_to_be_opened_is_told_with_the_reason() {
        for (why, message) in [
            (None, "the vault is locked and there is no terminal to ask for the passphrase"),
            (Some(NeedsVault::NoSession), "`prod` has no session yet, and the vault is locked"),
            (
                Some(NeedsVault::VaultChanged),
                "the vault changed since `prod` got its session, and is locked; unlock it",
            ),
            (
                Some(NeedsVault::ConfigChanged),
                "~/.aws/config changed since `prod` got its session, and the vault is locked",
            ),
            (Some(NeedsVault::Stale), "the session of `prod` is over or about to end, and the vault is locked"),
            (Some(NeedsVault::OtherEndpoint), "the session of `prod` is for another endpoint, and the vault is locked"),
        ] {
            let report = Report::of(&Failure::NoTerminal(Need::Unlock("prod".parse().unwrap(), why)));
            assert_eq!((&*report.message, report.status), (message, Status::Locked));
            assert_eq!(report.hint.as_deref(), Some("run `vault login prod` at a terminal"));
        }
    }
}
