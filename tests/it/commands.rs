//! The commands as people and scripts meet them: the real program, its words to the letter, its exit codes, and what it
//! leaves in the files.

mod add;
mod add_device;
pub mod agent;
mod at_once;
mod attacks;
mod choosing;
mod completions;
pub mod configure;
mod console;
mod credential_process;
mod damaged;
mod doctor;
mod due;
mod entries;
mod first_sight;
mod history;
mod import;
mod incumbents;
mod init;
mod keys;
mod log;
mod login;
pub mod machines;
mod mfa;
mod mfa_enable;
mod network;
mod passwd;
pub mod plugins;
mod policy;
mod prompts;
mod quick;
mod recipient;
mod role;
mod role_options;
mod roles;
mod same_key;
mod schedule;
mod serve;
mod sessions;
mod shells;
mod surroundings;
mod target;
mod trust;
mod unlock;
mod using;
mod version;
pub mod warm;
mod whoami;

use std::path::Path;

use crate::program::{Case, Output};

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/phone";

/// The program itself, for shells to start.
const VAULT: &str = env!("CARGO_BIN_EXE_vault");

/// All that stderr holds where a command fails and says nothing else.
fn error(message: &str) -> String {
    format!("vault: error: {message}\n")
}

fn error_and_hint(message: &str, hint: &str) -> String {
    format!("vault: error: {message}\nvault: hint: {hint}\n")
}

fn warning(message: &str) -> String {
    format!("vault: warning: {message}\n")
}

/// An access key id as people are shown it.
fn short(id: &str) -> String {
    format!("{}...{}", &id[..4], &id[id.len() - 4..])
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// What the terminal showed, as text: without colours, other commands to it and carriage returns.
fn screen(output: &Output) -> String {
    let mut parts = output.screen.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    // ECMA-48: a letter ends a command.
    let end = |part: &str| part.find(|c: char| c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let uncoloured = |text: String, part: &str| text + &part[end(part)..];
    parts.fold(first, uncoloured).replace('\r', "")
}

#[track_caller]
fn json(output: &Output) -> serde_json::Value {
    output.succeeds();
    serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error} in {}", output.out))
}

/// One line of a `[section]` of the credentials file.
#[track_caller]
fn written(case: &Case, section: &str, key: &str) -> String {
    let text = std::fs::read_to_string(case.credentials()).unwrap();
    let header = format!("[{section}]");
    let mut lines = text.lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
    let value = lines.find_map(|line| line.strip_prefix(&format!("{key} = ")));
    value.unwrap_or_else(|| panic!("no `{key}` in [{section}] of\n{text}")).to_owned()
}

/// What `login` says of the session that is in the section of that name, or else in the cache.
fn signed_in(case: &Case, name: &str, who: &str, mfa: bool) -> String {
    let id = case.run(&["get", name, "aws_access_key_id"]);
    let session = case.sim.session(&id.out).or_else(|| {
        let id = case.run(&["get", name, "aws_access_key_id", "--no-mfa"]);
        case.sim.session(&id.out)
    });
    let session = session.expect("a session was made");
    let until = session.expires.strftime("%H:%M on %a %d %b");
    let mfa = if mfa { " with MFA" } else { "" };
    let left = if who.starts_with("role ") { "59 min" } else { "11 h 59 min" };
    format!("{name}: signed in as {who} in account 123456789012{mfa} until {until} ({left})\n")
}
