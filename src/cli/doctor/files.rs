//! The AWS tools' own two files: who else can get at them, lines that no tool can read, keys that lie there in plaintext,
//! sessions that are over.

use std::path::Path;

use crate::aws_files::config::profile_name;
use crate::aws_files::credentials::{CredentialsFile, CredentialsSection, Holds, SECRET_ACCESS_KEY};
use crate::aws_files::file::{self, FileError};
use crate::aws_files::ini::{Fault, FaultKind, Ini};
use crate::cli::world::World;
use crate::disk::Status;
use crate::duration;
use crate::names::ProfileName;

use super::finding::Finding;
use super::folders;

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
        Err(error) => return vec![unreadable(error, path, world)],
    };
    let faulty = faulty(&Ini::parse(&contents.bytes).faults(), path, world);
    let file = CredentialsFile::parse(&contents.bytes);
    let holds_something = file.sections().any(|section| !matches!(section.holds, Holds::Nothing));
    let readable = contents.status.filter(|status| holds_something && status.mode & 0o044 != 0);
    let readable = readable.map(|status| others_can_read(&shown, &status));
    let in_config = path == world.paths.aws_config;
    let sections = file.sections().filter_map(|section| {
        let place = Place { shown: &shown, profile: &profile(&section.name)?, in_config };
        of_section(section, &place, world)
    });
    let commented = commented_keys(&contents.bytes).map(|line| {
        Finding::problem(ABOUT, format!("{shown}:{line}: an access key in plaintext, in a comment"))
            .next("take its lines out; `vault keys` shows which keys AWS still takes")
            .at(line_of(path, line))
    });
    readable.into_iter().chain(faulty).chain(sections).chain(commented).collect()
}

/// The lines of secrets that somebody put behind a comment's sign, where they are as readable as before.
fn commented_keys(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| std::str::from_utf8(line).is_ok_and(is_commented_secret)).map(|(index, _)| index + 1)
}

fn is_commented_secret(line: &str) -> bool {
    let line = line.trim();
    let said = line.trim_start_matches(['#', ';']).trim_start();
    let Some((key, value)) = said.split_once('=').filter(|_| said.len() < line.len()) else { return false };
    let of_a_secret = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let value = value.trim().as_bytes();
    key.trim().eq_ignore_ascii_case(SECRET_ACCESS_KEY)
        && value.len() == 40
        && value.iter().all(|byte| of_a_secret(*byte))
}

/// Whether that is mended says nothing of what stands in the file.
fn unreadable(error: FileError, file: &Path, world: &World) -> Finding {
    let finding = Finding::problem(ABOUT, error.to_string());
    match &error {
        FileError::OthersCanWrite { path, .. } => {
            // Whoever can write to a folder on the way has no business with the credentials' own mode.
            let mode = if *path == folders::place(file, world) { "600" } else { "go-w" };
            let mend = format!("`chmod {mode} {}`", world.paths.shown(path));
            finding
                .next(format!("{mend}, then `vault doctor` once more: nothing in it was looked at"))
                .at(folders::place(path, world).display())
        }
        FileError::ForeignOwner { path, .. } => finding.at(folders::place(path, world).display()),
        _ => finding,
    }
}

/// The first of them: it may not be a file of settings at all.
fn faulty(faults: &[Fault], path: &Path, world: &World) -> Option<Finding> {
    let (first, others) = faults.split_first()?;
    // Nothing of the line itself, which may be half of a key.
    let what = match first.kind {
        FaultKind::Unreadable => "no line that AWS tools can read",
        FaultKind::SecondTime => "stands there for the second time",
    };
    let more = match others.len() {
        0 => String::new(),
        1 => ", and one line more".to_owned(),
        more => format!(", and {more} lines more"),
    };
    let shown = world.paths.shown(path);
    let found = format!("{shown}:{}: {what}{more}; for that the AWS CLI and boto3 refuse the whole file", first.line);
    Some(Finding::problem(ABOUT, found).next("mend it, or take it out").at(line_of(path, first.line)))
}

/// Where trouble with a line is.
pub fn line_of(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

fn others_can_read(shown: &str, status: &Status) -> Finding {
    Finding::problem(ABOUT, format!("others can read {shown} (mode {:o}), and credentials are in it", status.mode))
        .next(format!("`chmod 600 {shown}`"))
}

/// Where a section is, and of which profile.
struct Place<'p> {
    shown: &'p str,
    profile: &'p str,
    in_config: bool,
}

fn of_section(section: &CredentialsSection, at: &Place, world: &World) -> Option<Finding> {
    let Place { shown, profile, in_config } = *at;
    let place = format!("{shown}:{}, [{}]", section.line, section.name);
    match &section.holds {
        Holds::LongTerm(key) => Some(
            Finding::problem(ABOUT, format!("{place}: access key {} in plaintext", key.id.short()))
                .next(way_out(profile, in_config, world)),
        ),
        Holds::Session { expiration: Some(end), .. } if *end <= world.clock.now() => {
            let ago = duration::words(world.clock.now().duration_since(*end).unsigned_abs());
            let finding = Finding::problem(ABOUT, format!("{place}: a session that ended {ago} ago"));
            Some(if section.written_by_us {
                finding.next(format!("`vault login {profile}`, or `vault logout {profile}`"))
            } else {
                finding.next("take its lines out, unless what wrote it is still in use")
            })
        }
        Holds::Session { .. } | Holds::Nothing => None,
        Holds::Unclear { line } => Some(
            Finding::problem(ABOUT, format!("{shown}:{line}: half of an access key, or not one of AWS's"))
                .next("add what is missing, or take it out"),
        ),
    }
}

/// From a key in plaintext. Where AWS has forgotten it, `import` leaves it alone.
pub fn way_out(profile: &str, in_config: bool, world: &World) -> String {
    let import = format!("`vault import {profile} --remove`");
    match profile.parse::<ProfileName>() {
        Err(_) => "`vault add NAME`, for a name that vault takes; then take its lines out".to_owned(),
        Ok(_) if in_config => {
            let credentials = world.paths.shown(&world.paths.aws_credentials);
            format!("move its lines to [{profile}] in {credentials}, then {import}")
        }
        Ok(_) => format!("{import} takes it into the vault; if AWS refuses it, take its lines out"),
    }
}
