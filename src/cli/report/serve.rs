//! Words of the endpoint, for who runs it and for its clients.

use std::io;
use std::path::Path;

use crate::cli::escape::{escape, shown_path};
use crate::disk::LockError;
use crate::names::ProfileName;
use crate::server::Reason;

use super::{Report, Status};

pub fn report(error: &io::Error) -> Report {
    Report::new(Status::State, format!("the endpoint can't be served: {error}"))
}

/// Credentials in `[default]` of an AWS file.
pub fn default_first(path: &Path, line: usize) -> Report {
    let path = shown_path(path);
    let message = format!("AWS tools take what `[default]` gives before they ask an endpoint: line {line} of {path}");
    Report::new(Status::State, message)
        .hint("leave out `--server`: the environment comes first; or give `[default]` another name")
}

/// What clients are told.
pub fn unserved(report: &Report) -> Reason {
    let hint = report.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let code = match report.status {
        Status::Locked => "Locked",
        Status::PersonNeeded => "PersonNeeded",
        Status::AwsRefused => "AwsRefused",
        Status::Network => "Network",
        Status::NotTrusted => "NotTrusted",
        _ => "Failed",
    };
    Reason { code, message: format!("{}{hint}", report.message) }
}

pub fn not_renewed(profile: &ProfileName, report: &Report) -> String {
    format!("the session of `{profile}` could not be renewed: {}", report.message)
}

pub fn forgotten(profile: &ProfileName) -> String {
    format!("the vault was locked; the session of `{profile}` is forgotten")
}

/// What `lock` could not find.
pub fn unseen(error: &LockError) -> String {
    format!("`vault lock` may not find this server: {}", escape(&error.to_string()))
}

/// A server that does not forget what it holds.
pub fn still_served(pid: Option<u32>) -> Report {
    let process = pid.map(|pid| format!(", process {pid},")).unwrap_or_default();
    let report = Report::new(Status::State, format!("a server{process} does not forget the session that it hands out"));
    match pid {
        Some(pid) => report.hint(format!("`kill -KILL {pid}` ends it; then `vault lock`")),
        None => report.hint("`pgrep -af 'serve|exec .*--server'` finds it; then `vault lock`"),
    }
}
