//! What AWS tools take for a profile, and why.

use std::path::Path;

use crate::aws_files::config::{ConfigError, ConfigFile};
use crate::aws_files::credentials::{CredentialsSection, Holds};
use crate::aws_files::provider::{Files, Provider, Sections, providers};
use crate::cli::names_given::alike;
use crate::cli::report::Report;
use crate::cli::use_line;
use crate::cli::world::World;
use crate::duration;
use crate::names::ProfileName;
use crate::process;

use super::files::{line_of, way_out};
use super::finding::Finding;
use super::inside::Inside;
use super::meant::{self, By, Meant};

const ABOUT: &str = "profile";

pub fn look(given: Option<&ProfileName>, inside: &Inside, world: &World) -> Vec<Finding> {
    let Ok(files) = Files::load(world.disk, &world.paths) else {
        // What is wrong with a file is told where files are looked at.
        return Vec::new();
    };
    let (meant, mut findings) = match given {
        Some(name) => (Some(Meant { name: name.clone(), by: By::Person }), Vec::new()),
        None => meant::by_variables(&world.environment),
    };
    // A name that can't be looked at is not another one.
    let usual = || "default".parse().ok().filter(|name| findings.is_empty() && files.know(name));
    let Some(meant) = meant.or_else(|| Some(Meant { name: usual()?, by: By::Nothing })) else { return findings };
    findings.extend(of_meant(&meant, &files, inside, world));
    findings
}

fn of_meant(meant: &Meant, files: &Files, inside: &Inside, world: &World) -> Vec<Finding> {
    let Meant { name, by } = meant;
    if let Some(in_vault) = inside.names().filter(|in_vault| !in_vault.contains(&name) && !files.know(name)) {
        let known = in_vault.into_iter().map(ProfileName::as_str).chain(files.names());
        return vec![unknown(meant, alike(name.as_str(), known))];
    }
    match files.sections(name) {
        Ok(sections) => {
            let in_vault = inside.names().is_some_and(|in_vault| in_vault.contains(&name));
            if *by == By::Nothing && !in_vault && providers(&world.environment, sections).is_empty() {
                return vec![nothing_where_none_is_named(name, inside)];
            }
            let mut findings = of_profile(name, sections, inside, world);
            findings.extend(without_region(name, world));
            findings
        }
        Err(error) => vec![twofold(error)],
    }
}

/// Neither the vault nor AWS's files know it.
fn unknown(meant: &Meant, suggestion: Option<&str>) -> Finding {
    let by = match meant.by {
        By::Variable(variable) => format!(", which {variable} names"),
        By::Person | By::Nothing => String::new(),
    };
    let suggested = suggestion.map(|other| format!("; did you mean `{other}`?")).unwrap_or_default();
    let found = format!("there is no profile `{}`{by}, neither in the vault nor in AWS's files{suggested}", meant.name);
    Finding::problem(ABOUT, found).next("`vault list` shows those that there are")
}

/// A profile, or a key of it, that stands there twice.
fn twofold(error: ConfigError) -> Finding {
    let place = match &error {
        ConfigError::DuplicateProfile { path, line, .. } | ConfigError::DuplicateKey { path, line, .. } => {
            Some(line_of(path, *line))
        }
        _ => None,
    };
    let finding = Finding::problem(ABOUT, Report::of(&error.into()).message);
    place.into_iter().fold(finding, |finding, place| finding.at(place))
}

fn of_profile(name: &ProfileName, sections: Sections, inside: &Inside, world: &World) -> Vec<Finding> {
    let in_vault = inside.names().is_some_and(|in_vault| in_vault.contains(&name));
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
        [] => findings.push(nothing(name, inside)),
        [first, ref others @ ..] => {
            findings.push(match first {
                Provider::Process { is_ours: false, .. } if in_vault => past_us(name, &place(first, world)),
                first => taken(name, first, world),
            });
            findings.extend(others.iter().map(|other| outdone(name, other, world)));
        }
    }
    findings
}

fn nothing(name: &ProfileName, inside: &Inside) -> Finding {
    let finding = Finding::problem(ABOUT, format!("AWS tools find no credentials for `{name}`"));
    match inside.names().is_none_or(|in_vault| in_vault.contains(&name)) {
        true => finding.next(format!("`vault login {name}`, or `vault configure {name}` to have them ask this vault")),
        false => finding.next(format!("`vault add {name}`: the vault has no profile of that name")),
    }
}

/// Most have a `[default]` for its region alone, and name a profile to each tool.
fn nothing_where_none_is_named(name: &ProfileName, inside: &Inside) -> Finding {
    let other = inside.names().and_then(|in_vault| Some(in_vault.first()?.to_string()));
    let other = other.unwrap_or_else(|| "NAME".to_owned());
    Finding::note(ABOUT, format!("AWS tools that are told no profile find no credentials: `{name}` has none"))
        .next(format!("`--profile {other}`, or AWS_PROFILE; `vault doctor {other}` looks at that one"))
}

fn without_region(name: &ProfileName, world: &World) -> Option<Finding> {
    let config = ConfigFile::load(world.disk, &world.paths.aws_config).ok()?;
    let unknown = !use_line::tools_know_a_region(name, &config, world).ok()?;
    let found = || Finding::note("region", format!("AWS tools find no region for `{name}`"));
    let config = world.paths.shown(&world.paths.aws_config);
    unknown.then(|| {
        found().next(format!(
            "`region = REGION` in its section of {config}; of variables some know only AWS_DEFAULT_REGION"
        ))
    })
}

/// As after a move from another program, whose line stayed.
fn past_us(name: &ProfileName, place: &str) -> Finding {
    Finding::problem(ABOUT, format!("AWS tools get `{name}` from another program, and the vault has it too: {place}"))
        .next(format!("`vault configure {name} --replace` has them ask this vault"))
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
            .next(way_out(name.as_str(), true, world)),
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
        Holds::LongTerm(_) => Finding::problem(ABOUT, format!("AWS tools take `{name}` from plaintext: {place}"))
            .next(way_out(name.as_str(), false, world)),
        Holds::Unclear { .. } | Holds::Nothing => {
            let found =
                format!("AWS tools take `{name}` from what is half of an access key, or not one of AWS's: {place}");
            Finding::problem(ABOUT, found).next("add what is missing, or take it out")
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
