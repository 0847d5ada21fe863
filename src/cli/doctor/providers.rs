//! What AWS tools take for a profile, and why.

use std::path::Path;

use crate::aws_files::config::ConfigFile;
use crate::aws_files::credentials::{CredentialsFile, CredentialsSection, Holds};
use crate::aws_files::file;
use crate::aws_files::provider::{Provider, Sections, providers};
use crate::cli::failure::Failure;
use crate::cli::report::Report;
use crate::cli::world::World;
use crate::duration;
use crate::names::ProfileName;
use crate::process;

use super::finding::Finding;

const ABOUT: &str = "profile";

/// The files as they stand.
struct Files {
    config: ConfigFile,
    /// The config file, read for keys.
    config_keys: CredentialsFile,
    credentials: CredentialsFile,
}

pub fn look(name: Option<&ProfileName>, world: &World) -> Vec<Finding> {
    let files = match Files::load(world) {
        Ok(files) => files,
        // What is wrong with a file is told where files are looked at.
        Err(_) => return Vec::new(),
    };
    let named = name.cloned().or_else(|| world.environment.text("AWS_PROFILE")?.parse().ok());
    let usual = || "default".parse().ok().filter(|name| files.has(name));
    let Some(name) = named.or_else(usual) else { return Vec::new() };
    match files.sections(&name) {
        Ok(sections) => of_profile(&name, sections, world),
        Err(failure) => vec![Finding::problem(ABOUT, Report::of(&failure).message)],
    }
}

impl Files {
    fn load(world: &World) -> Result<Self, Failure> {
        let (disk, paths) = (world.disk, &world.paths);
        Ok(Self {
            config: ConfigFile::load(disk, &paths.aws_config)?,
            config_keys: CredentialsFile::parse(&file::read(disk, &paths.aws_config)?),
            credentials: CredentialsFile::load(disk, &paths.aws_credentials)?,
        })
    }

    fn has(&self, name: &ProfileName) -> bool {
        let sections = self.sections(name);
        sections.is_ok_and(|sections| sections.config.is_some() || sections.credentials.is_some())
    }

    fn sections(&self, name: &ProfileName) -> Result<Sections<'_>, Failure> {
        let header = if name.as_str() == "default" { "default".to_owned() } else { format!("profile {name}") };
        Ok(Sections {
            config: self.config.profile(name)?,
            config_keys: self.config_keys.section(&header),
            credentials: self.credentials.section(name.as_str()),
        })
    }
}

fn of_profile(name: &ProfileName, sections: Sections, world: &World) -> Vec<Finding> {
    let all = providers(&world.environment, sections);
    let mut findings = Vec::new();
    let of_the_profile: Vec<&Provider> =
        all.iter().filter(|provider| !matches!(provider, Provider::Variables)).collect();
    if all.len() > of_the_profile.len() {
        findings.push(Finding::note(
            ABOUT,
            format!(
                "`{name}` counts only where a tool is told `--profile {name}`: keys in variables go before AWS_PROFILE"
            ),
        ));
    }
    match of_the_profile[..] {
        [] => findings.push(nothing(name)),
        [first, ref others @ ..] => {
            findings.push(taken(name, first, world));
            findings.extend(others.iter().map(|other| outdone(name, other, world)));
        }
    }
    findings
}

fn nothing(name: &ProfileName) -> Finding {
    Finding::problem(ABOUT, format!("AWS tools find no credentials for `{name}`"))
        .next(format!("`vault login {name}`, or `vault configure {name}` to have them ask this vault"))
}

/// What counts.
fn taken(name: &ProfileName, provider: &Provider, world: &World) -> Finding {
    let place = place(provider, world);
    match provider {
        Provider::Process { is_ours: true, program, .. } => asks_us(name, program.as_deref(), &place),
        Provider::Process { is_ours: false, .. } => {
            Finding::note(ABOUT, format!("AWS tools get `{name}` from another program: {place}"))
        }
        Provider::Section(section) => of_section(name, section, &place, world),
        Provider::Config { key, .. } => {
            Finding::note(ABOUT, format!("AWS tools go by `{key}` for `{name}` ({place}), and do not ask this vault"))
                .next(format!("`vault configure {name} --take-over` has them ask it, if that is a role"))
        }
        Provider::ConfigKeys(_) => Finding::problem(ABOUT, format!("AWS tools take `{name}` from plaintext: {place}"))
            .next(format!("`vault import {name} --remove`")),
        Provider::Variables | Provider::WebIdentityVariables | Provider::Container => {
            Finding::note(ABOUT, format!("AWS tools take credentials for `{name}` from {place}"))
        }
    }
}

fn of_section(name: &ProfileName, section: &CredentialsSection, place: &str, world: &World) -> Finding {
    let now = world.clock.now();
    match &section.holds {
        Holds::Session { expiration: Some(end), .. } if *end <= now => {
            Finding::problem(ABOUT, format!("AWS tools take a session for `{name}` that is over: {place}"))
                .next(format!("`vault login {name}`"))
        }
        Holds::Session { expiration, .. } if section.written_by_us => {
            let left =
                expiration.map(|end| format!(", good for {}", duration::words(end.duration_since(now).unsigned_abs())));
            Finding::good(
                ABOUT,
                format!(
                    "AWS tools take the session of `vault login` for `{name}`: {place}{}",
                    left.unwrap_or_default()
                ),
            )
        }
        Holds::Session { .. } => {
            Finding::note(ABOUT, format!("AWS tools take a session for `{name}` that another program wrote: {place}"))
        }
        Holds::LongTerm(_) | Holds::Unclear { .. } | Holds::Nothing => {
            Finding::problem(ABOUT, format!("AWS tools take `{name}` from plaintext: {place}"))
                .next(format!("`vault import {name} --remove`"))
        }
    }
}

/// The program in the line may have moved since.
fn asks_us(name: &ProfileName, program: Option<&Path>, place: &str) -> Finding {
    match program.map(process::check_program) {
        Some(Err(error)) => {
            let found = format!("AWS tools ask a program for `{name}` that does not start: {place}: {error}");
            Finding::problem(ABOUT, found).next(format!("`vault configure {name}` writes where this one is"))
        }
        _ => Finding::good(ABOUT, format!("AWS tools ask this vault for `{name}`: {place}")),
    }
}

/// What another place goes before.
fn outdone(name: &ProfileName, provider: &Provider, world: &World) -> Finding {
    let place = place(provider, world);
    let finding = Finding::problem(ABOUT, format!("also for `{name}`, and not used by most tools: {place}"));
    match provider {
        Provider::Process { is_ours: true, .. } => {
            finding.next(format!("`vault logout {name}`: then they ask this vault"))
        }
        Provider::Section(section) if section.written_by_us => {
            finding.next(format!("`vault logout {name}`, and `vault login {name} --profile OTHER`"))
        }
        _ => finding.next("take out what is not meant"),
    }
}

fn place(provider: &Provider, world: &World) -> String {
    let config = world.paths.shown(&world.paths.aws_config);
    let credentials = world.paths.shown(&world.paths.aws_credentials);
    match provider {
        Provider::Variables => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
        Provider::WebIdentityVariables => "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN".to_owned(),
        Provider::Container => "the container's endpoint (AWS_CONTAINER_CREDENTIALS_...)".to_owned(),
        Provider::Config { key, line } => format!("{config}:{line}, `{key}`"),
        Provider::Process { line, .. } => format!("{config}:{line}, `credential_process`"),
        Provider::Section(section) => format!("{credentials}:{}", section.line),
        Provider::ConfigKeys(section) => format!("{config}:{}", section.line),
    }
}
