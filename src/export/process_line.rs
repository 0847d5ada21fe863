//! Our `credential_process` line in `~/.aws/config`: put there, with the role's keys that would come before it taken out, and
//! taken away again.

use std::path::Path;

use super::error::{ConfigureError, ExportError};
use super::saving::{CONFIG_MODE, save};
use crate::aws_files::config::{header, outranks_credentials, profile_name};
use crate::aws_files::credentials::CREDENTIALS;
use crate::aws_files::file;
use crate::aws_files::ini::edit::{Change, Edit, EditError, TakenLine};
use crate::aws_files::ini::{Entry, Ini, Section};
use crate::aws_files::our_process::{CREDENTIAL_PROCESS, is_our_credential_process};
use crate::disk::Disk;
use crate::names::{ProfileName, Region};
use crate::secret::SecretBytes;

/// In a section that had nothing in it before, so that it can go with the line.
const MARK: &str = "# made by vault configure";

/// What makes a profile a role: SDKs assume it before they run a command.
const ROLE: [&str; 2] = ["role_arn", "source_profile"];

/// All that a role is made of.
pub const ROLE_KEYS: [&str; 6] =
    ["role_arn", "source_profile", "mfa_serial", "external_id", "role_session_name", "duration_seconds"];

/// What is to stand in a profile's section.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub name: &'a ProfileName,
    /// The value of the line.
    pub command: &'a str,
    /// Written where the profile has none.
    pub region: Option<&'a Region>,
    /// Also over another `credential_process`.
    pub replace: bool,
    /// Also where the profile is a role, whose keys are taken out.
    pub take_over: bool,
}

/// How a file changes for a wish.
#[derive(Default)]
pub struct Planned {
    /// None where it says all of it already.
    bytes: Option<SecretBytes>,
    /// The value of another `credential_process` that gives way.
    pub replaces: Option<String>,
    pub writes_line: bool,
    pub writes_region: bool,
    /// Another that stands there and stays, and its line.
    pub region_stays: Option<(String, usize)>,
    /// Of a role, and with it a `credential_process` that stood beside it.
    pub takes: Vec<TakenLine>,
}

/// Reads the file and says how it is to change, or why it can't; writes nothing.
pub fn plan(disk: &dyn Disk, path: &Path, wish: Wish<'_>) -> Result<Planned, ConfigureError> {
    let bytes = file::read(disk, path).map_err(ExportError::from)?;
    planned(path, &bytes, wish)
}

/// Makes the change that was planned. The lines that it takes out must be the planned ones: those are in the vault by now.
pub fn write(disk: &dyn Disk, path: &Path, wish: Wish<'_>, before: &Planned) -> Result<(), ConfigureError> {
    let mut refused = None;
    let mut edit = |bytes: &[u8]| match planned(path, bytes, wish) {
        Ok(now) if now.takes == before.takes && now.replaces == before.replaces => Ok(now.bytes),
        Ok(_) => Err(ExportError::ChangedMeanwhile { path: path.to_owned() }),
        Err(error) => {
            refused = Some(error);
            Ok(None)
        }
    };
    save(disk, path, CONFIG_MODE, &mut edit)?;
    refused.map_or(Ok(()), Err)
}

fn planned(path: &Path, bytes: &[u8], wish: Wish<'_>) -> Result<Planned, ConfigureError> {
    let failed = |error| ConfigureError::Edit { path: path.to_owned(), error };
    let ini = Ini::parse(bytes);
    let Some(section) = only(&ini, wish.name).map_err(failed)? else {
        let made = ini.appended(&header(wish.name), &whole(&wish)).map_err(failed)?;
        let writes_region = wish.region.is_some();
        return Ok(Planned { bytes: Some(made), writes_line: true, writes_region, ..Planned::default() });
    };
    let role = look(path, section, wish)?;
    let there = |key: &str| section.entry(key).filter(|entry| !entry.is_empty());
    let process = section.entry(CREDENTIAL_PROCESS);
    let taken_keys = if role { [&ROLE_KEYS[..], &[CREDENTIAL_PROCESS]].concat() } else { Vec::new() };
    let region = wish.region.filter(|_| there("region").is_none());
    let replaces = there(CREDENTIAL_PROCESS).filter(|entry| !is_ours(entry, wish.name)).map(shown);
    let taken = taken_keys.iter().copied().filter(|key| *key != CREDENTIAL_PROCESS || replaces.is_some());
    let takes = ini.lines_of(section, &taken.collect::<Vec<_>>()).map_err(failed)?;
    let plan = Planned {
        bytes: None,
        replaces,
        writes_line: process.and_then(Entry::text) != Some(wish.command),
        writes_region: region.is_some(),
        region_stays: there("region")
            .filter(|entry| wish.region.is_some_and(|wanted| entry.text() != Some(wanted.as_str())))
            .map(|entry| (shown(entry), entry.line_number())),
        takes,
    };
    if !plan.writes_line && !plan.writes_region && plan.takes.is_empty() {
        return Ok(plan);
    }
    let first = section.entries().map(Entry::key).find(|key| taken_keys.contains(key));
    let line = plan.writes_line || role;
    let edit = Edit {
        set: [line.then_some((CREDENTIAL_PROCESS, wish.command)), region.map(|it| ("region", it.as_str()))]
            .into_iter()
            .flatten()
            .collect(),
        in_place_of: first.map(|first| (CREDENTIAL_PROCESS, first)),
        remove: taken_keys,
        ..Edit::default()
    };
    Ok(Planned { bytes: Some(ini.rewritten(section, &edit).map_err(failed)?), ..plan })
}

/// The one section of that profile, without a key that stands in it twice: botocore would refuse the whole file.
fn only<'i, 'a>(ini: &'i Ini<'a>, name: &ProfileName) -> Result<Option<&'i Section<'a>>, EditError> {
    let section = ini.only(|header| profile_name(header) == Some(name.as_str()))?;
    match section.and_then(Section::doubled) {
        Some(entry) => Err(EditError::DuplicateKey { line: entry.line_number(), key: entry.key().to_owned() }),
        None => Ok(section),
    }
}

fn whole<'a>(wish: &Wish<'a>) -> Edit<'a> {
    let region = wish.region.map(|region| ("region", region.as_str()));
    let set = [Some((CREDENTIAL_PROCESS, wish.command)), region];
    Edit { set: set.into_iter().flatten().collect(), mark: Some(MARK.to_owned()), ..Edit::default() }
}

fn is_ours(entry: &Entry<'_>, name: &ProfileName) -> bool {
    entry.text().is_some_and(|value| is_our_credential_process(value, name))
}

/// For people; empty where it is not one line of text.
fn shown(entry: &Entry<'_>) -> String {
    entry.text().unwrap_or_default().to_owned()
}

/// Whether the section is a role's, to be taken over; an error where something in it stands against the wish.
fn look(path: &Path, section: &Section<'_>, wish: Wish<'_>) -> Result<bool, ConfigureError> {
    let mut role = false;
    for entry in section.entries() {
        let (path, line, key) = (path.to_owned(), entry.line_number(), entry.key().to_owned());
        let name = wish.name.clone();
        let is_role = ROLE.contains(&entry.key());
        if is_role && !wish.take_over {
            return Err(ConfigureError::HasRole { path, line, name, key });
        }
        if !is_role && outranks_credentials(&key) {
            return Err(ConfigureError::SignsInElsewhere { path, line, name, key });
        }
        if CREDENTIALS.contains(&entry.key()) && !entry.is_empty() {
            return Err(ConfigureError::HoldsCredentials { path, line, name, key });
        }
        if key == CREDENTIAL_PROCESS && !entry.is_empty() && !is_ours(entry, wish.name) && !wish.replace {
            return Err(ConfigureError::ForeignProcess { path, line, name, command: shown(entry) });
        }
        role |= is_role;
    }
    Ok(role)
}

/// What comes back into a profile's section when our line goes.
pub enum Back<'a> {
    /// Lines as they stood.
    Lines(&'a [TakenLine]),
    /// Keys and values.
    Settings(Vec<(&'a str, &'a str)>),
}

impl Back<'_> {
    fn must_last(&self) -> bool {
        match self {
            Self::Lines(lines) => !lines.is_empty(),
            Self::Settings(settings) => !settings.is_empty(),
        }
    }
}

/// What taking the line away came to.
#[derive(Default)]
pub struct Restored {
    pub removed_line: bool,
    pub removed_section: bool,
    /// The keys that came back.
    pub keys: Vec<String>,
}

/// Takes our line away and puts these back, as far as their keys don't stand there. Of a section that we made and in which
/// nothing else stands nothing stays.
pub fn restore(disk: &dyn Disk, path: &Path, name: &ProfileName, back: &Back<'_>) -> Result<Restored, ConfigureError> {
    let mut outcome = Restored::default();
    let mut edit = |bytes: &[u8]| {
        let (restored, new) = restored(bytes, name, back).map_err(ExportError::edit(path))?;
        outcome = restored;
        // Also where all is as it should be: what came back before may not have reached the disk, and goes from the vault next.
        Ok(new.or_else(|| back.must_last().then(|| SecretBytes::new(bytes.to_vec()))))
    };
    match save(disk, path, CONFIG_MODE, &mut edit) {
        Ok(_) => Ok(outcome),
        Err(ExportError::Edit { path, error }) => Err(ConfigureError::Edit { path, error }),
        Err(error) => Err(error.into()),
    }
}

fn restored(bytes: &[u8], name: &ProfileName, back: &Back<'_>) -> Result<(Restored, Option<SecretBytes>), EditError> {
    let ini = Ini::parse(bytes);
    let section = only(&ini, name)?;
    let ours = section.and_then(|section| section.entry(CREDENTIAL_PROCESS)).filter(|entry| is_ours(entry, name));
    let is_there = |key: &str| {
        section
            .and_then(|section| section.entry(key))
            .is_some_and(|entry| ours.is_none() || entry.key() != CREDENTIAL_PROCESS)
    };
    let (lines, set): (Vec<TakenLine>, Vec<_>) = match back {
        Back::Lines(lines) => (lines.iter().filter(|line| !is_there(&key_of(line))).cloned().collect(), Vec::new()),
        Back::Settings(set) => (Vec::new(), set.iter().copied().filter(|(key, _)| !is_there(key)).collect()),
    };
    let keys: Vec<String> = lines.iter().map(key_of).chain(set.iter().map(|(key, _)| (*key).to_owned())).collect();
    let mut outcome = Restored { removed_line: ours.is_some(), removed_section: false, keys };
    if ours.is_none() && outcome.keys.is_empty() {
        return Ok((outcome, None));
    }
    let remove = if ours.is_some() { vec![CREDENTIAL_PROCESS] } else { Vec::new() };
    let edit = Edit { set, remove, put_back: &lines, ..Edit::default() };
    let Some(section) = section else { return Ok((outcome, Some(ini.appended(&header(name), &edit)?))) };
    let made_by_us = ini.comments(section).any(|comment| comment == MARK.as_bytes());
    outcome.removed_section =
        outcome.keys.is_empty() && made_by_us && ini.has_only(section, &[CREDENTIAL_PROCESS], MARK);
    let new = match outcome.removed_section {
        true => ini.changed(&[(section, Change::Remove)])?,
        false => ini.rewritten(section, &Edit { unmark: Some(MARK), ..edit })?,
    };
    Ok((outcome, Some(new)))
}

/// In lower case.
pub fn key_of(line: &TakenLine) -> String {
    line.text.split(['=', ':']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
