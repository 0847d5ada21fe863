//! Words about profiles: their names, their settings, and what came of several at once.

use crate::cli::escape::escape;
use crate::cli::failure::Failure;
use crate::cli::names_given::alike;
use crate::names::ProfileName;

use super::{Report, Status, internal, session};

pub fn report(failure: &Failure) -> Report {
    use Failure::*;
    match failure {
        Name(error) => Report::new(Status::Usage, escape(&error.to_string())),
        BadVariable { name, error } => Report::new(Status::Usage, format!("{name}: {}", escape(&error.to_string()))),
        NameNeeded { names } if names.is_empty() => {
            Report::new(Status::Usage, "which profile? the vault has none").hint("vault add NAME")
        }
        NameNeeded { names } => {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            Report::new(Status::Usage, format!("which profile? the vault has {}", names.join(", ")))
                .hint("name one, or choose the usual one by `vault set --vault default_profile=NAME`")
        }
        UnknownProfile { name, suggestion, by } => unknown(name, suggestion.as_deref(), *by),
        UnknownSource { profile, by, suggestion } => session::missing_source(profile, by, suggestion.as_deref()),
        ForOneProfile { flag } => Report::new(Status::Usage, format!("{flag} is for a login of one profile"))
            .hint("name one profile at a time"),
        Several(failed) => several(failed),
        Protected(name) => {
            Report::new(Status::State, format!("`{name}` is protected: its session is for `vault exec` alone"))
                .hint(format!("`vault exec {name} -- COMMAND`, or `vault unset {name} protected`"))
        }
        NotAProfileToRunIn(name) => Report::new(Status::State, format!("no profile named `{name}`"))
            .hint("the profile comes first: `vault exec NAME -- COMMAND`; `vault list` shows what there is"),
        ProfileExists(name) => Report::new(Status::State, format!("there is a profile `{name}` already"))
            .hint(format!("another name, or `vault add {name} --replace`")),
        NameTaken(name) => Report::new(Status::State, format!("there is a profile `{name}` already"))
            .hint(format!("another name, or `vault remove {name}` first")),
        NoAccessKey(name) => Report::new(Status::State, format!("`{name}` is a role profile and has no access key")),
        UnknownSetting { key, known } => {
            let meant = alike(key, known.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
            Report::new(Status::Usage, format!("no setting named `{}`{}", escape(key), meant.unwrap_or_default()))
                .hint(format!("one of {}", known.join(", ")))
        }
        BadSetting { key, why } => Report::new(Status::Usage, format!("`{}`: {}", escape(key), escape(why))),
        UnknownField { field, known } => Report::new(Status::Usage, format!("no field named `{}`", escape(field)))
            .hint(format!("one of {}", known.join(", "))),
        FieldMissing { field: "region", name } => Report::new(Status::State, format!("`{name}` has no region"))
            .hint(format!("`vault set {name} region=REGION` gives it one")),
        FieldMissing { field, name } => Report::new(Status::State, format!("`{name}` has no {field}")),
        _ => internal(),
    }
}

/// One report for all, each by its own words; the exit code is the first's, unless something is to be gone on with.
fn unknown(name: &ProfileName, suggestion: Option<&str>, by: Option<&str>) -> Report {
    let by = by.map(|variable| format!(", which {variable} names")).unwrap_or_default();
    match suggestion {
        Some(meant) => {
            Report::new(Status::State, format!("no profile named `{name}`{by}; did you mean `{}`?", escape(meant)))
        }
        None => Report::new(Status::State, format!("no profile named `{name}`{by}"))
            .hint("`vault list` shows what there is"),
    }
}

fn several(failed: &[(ProfileName, Failure)]) -> Report {
    let reports: Vec<Report> = failed.iter().map(|(name, failure)| of_one(name, failure)).collect();
    let lines: Vec<&str> = reports.iter().map(|report| &*report.message).collect();
    let report = Report::new(status_of(&reports), lines.join("; "));
    Report { hint: reports.into_iter().find_map(|report| report.hint), ..report }
}

/// Of one among several, so that it says of which.
pub fn of_one(name: &ProfileName, failure: &Failure) -> Report {
    let report = Report::of(failure);
    match failure {
        // It names the profile itself.
        Failure::Rotate(_) => report,
        _ => Report { message: format!("{name}: {}", report.message), ..report },
    }
}

/// Of several reports: work that is pending goes before all else.
pub fn status_of(reports: &[Report]) -> Status {
    match reports.iter().any(|report| report.status == Status::Pending) {
        true => Status::Pending,
        false => reports.first().map_or(Status::State, |report| report.status),
    }
}
