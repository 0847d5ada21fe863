//! The AWS tools' own two files: who else can get at them, keys that lie there in plaintext, sessions that are over.

use std::path::Path;

use crate::aws_files::config::profile_name;
use crate::aws_files::credentials::{CredentialsFile, CredentialsSection, Holds};
use crate::aws_files::file::{self, FileError};
use crate::cli::world::World;
use crate::disk::Status;
use crate::duration;

use super::finding::Finding;

const ABOUT: &str = "aws files";

pub fn look(world: &World) -> Vec<Finding> {
    let credentials = file(&world.paths.aws_credentials, world, |header| Some(header.to_owned()));
    let config = file(&world.paths.aws_config, world, |header| profile_name(header.as_bytes()).map(str::to_owned));
    let findings: Vec<Finding> = credentials.into_iter().chain(config).collect();
    if findings.is_empty() {
        return vec![Finding::good(ABOUT, "no access key in plaintext, no session that is over")];
    }
    findings
}

/// `profile` gives the profile that a section's header names.
fn file(path: &Path, world: &World, profile: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let shown = world.paths.shown(path);
    let contents = match file::read_whole(world.disk, path) {
        Ok(contents) => contents,
        Err(error) => return vec![unreadable(&error, &shown)],
    };
    let file = CredentialsFile::parse(&contents.bytes);
    let holds_something = file.sections().any(|section| !matches!(section.holds, Holds::Nothing));
    let readable = contents.status.filter(|status| holds_something && status.mode & 0o044 != 0);
    let sections = file.sections().filter_map(|section| of_section(section, &profile(&section.name)?, &shown, world));
    readable.map(|status| others_can_read(&shown, &status)).into_iter().chain(sections).collect()
}

fn unreadable(error: &FileError, shown: &str) -> Finding {
    let finding = Finding::problem(ABOUT, error.to_string());
    match error {
        FileError::OthersCanWrite { .. } => finding.next(format!("`chmod go-w {shown}`, or the folder it is in")),
        _ => finding,
    }
}

fn others_can_read(shown: &str, status: &Status) -> Finding {
    Finding::problem(ABOUT, format!("others can read {shown} (mode {:o}), and credentials are in it", status.mode))
        .next(format!("`chmod 600 {shown}`"))
}

fn of_section(section: &CredentialsSection, profile: &str, shown: &str, world: &World) -> Option<Finding> {
    let place = format!("{shown}:{}, [{}]", section.line, section.name);
    match &section.holds {
        Holds::LongTerm(key) => Some(
            Finding::problem(ABOUT, format!("{place}: access key {} in plaintext", key.id.short()))
                .next(format!("`vault import {profile} --remove` takes it into the vault")),
        ),
        Holds::Session { expiration: Some(end), .. } if *end <= world.clock.now() => {
            let ago = duration::words(world.clock.now().duration_since(*end).unsigned_abs());
            let finding = Finding::problem(ABOUT, format!("{place}: a session that ended {ago} ago"));
            Some(if section.written_by_us {
                finding.next(format!("`vault login {profile}`, or `vault logout {profile}`"))
            } else {
                finding
            })
        }
        Holds::Session { .. } | Holds::Nothing => None,
        Holds::Unclear { line } => {
            Some(Finding::problem(ABOUT, format!("{shown}:{line}: half of an access key, or not one of AWS's")))
        }
    }
}
