//! What becomes of each finding. Nothing is ever decided between two keys in silence: where sources, or a source and the
//! vault, disagree, the profile is left out and named.

use std::collections::BTreeSet;

use super::found::{Found, FoundKey, Left, Origin, Reading, Skipped, Source, Why};
use super::other_vault;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::store::document::{Document, Profile};

/// No Debug: it holds secrets.
pub struct Plan {
    pub rows: Vec<Row>,
    pub left: Vec<Left>,
}

pub struct Row {
    pub name: String,
    /// What would be imported; None for what is skipped.
    pub found: Option<Found>,
    /// Everywhere it was found.
    pub origins: Vec<Origin>,
    pub step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Add,
    /// Of this name there is another profile, and replacing it was asked for.
    Replace,
    /// The vault has it already.
    Present,
    /// Two keys of the same profile, ours and another vault's: AWS is asked which of them live.
    Newer,
    Conflict(Conflict),
    Skip(Why),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The vault has something else under this name.
    Taken,
    /// The vault's own key is being replaced: nothing else may take its place before that is over.
    Rotating,
    /// Another user's key, in another vault's profile of this name.
    OtherUser,
    /// Two sources have this name and different keys.
    Sources,
    /// The section, or a key in it, stands a second time; the line of that.
    Duplicate { line: usize },
}

impl Row {
    /// A name that fits; what is skipped may have none.
    pub fn profile(&self) -> Option<ProfileName> {
        self.name.parse().ok()
    }

    pub fn key(&self) -> Option<&AccessKey> {
        Some(&self.found.as_ref()?.key.as_ref()?.pair)
    }

    pub fn changes_the_vault(&self) -> bool {
        matches!(self.step, Step::Add | Step::Replace | Step::Newer)
    }

    fn is_meant(&self, name: &ProfileName) -> bool {
        let section = |origin: &Origin| origin.section.as_deref() == Some(name.as_str());
        self.name == name.as_str() || self.origins.iter().any(section)
    }
}

impl Plan {
    /// Of what was found, beside what the vault holds.
    pub fn of(reading: Reading, vault: Option<&Document>, replace: bool) -> Self {
        let mut groups: Vec<Vec<Found>> = Vec::new();
        for found in reading.found {
            match groups.iter_mut().find(|group| group[0].name == found.name) {
                Some(group) => group.push(found),
                None => groups.push(vec![found]),
            }
        }
        let mut rows: Vec<Row> = groups.into_iter().map(|group| row(group, vault, replace)).collect();
        drop_roles_that_lead_nowhere(&mut rows, vault);
        rows.extend(reading.skipped.into_iter().map(skipped));
        let left = match vault {
            Some(vault) => left_beside(reading.left, &rows, vault),
            None => reading.left,
        };
        Self { rows, left }
    }

    /// Keeps what these names mean, if any were given; gives those that mean nothing.
    pub fn keep_only(&mut self, names: &[ProfileName]) -> Vec<ProfileName> {
        if names.is_empty() {
            return Vec::new();
        }
        let unknown = names.iter().filter(|name| !self.rows.iter().any(|row| row.is_meant(name))).cloned().collect();
        self.rows.retain(|row| names.iter().any(|name| row.is_meant(name)));
        unknown
    }

    /// The settings of profiles that come along, and of the whole vault, which are not taken.
    pub fn left(&self) -> impl Iterator<Item = &Left> {
        let comes_along = |name: &String| {
            let mut rows = self.rows.iter().filter(|row| row.changes_the_vault() || row.step == Step::Present);
            rows.any(|row| row.name == *name)
        };
        self.left.iter().filter(move |left| left.profile.as_ref().is_none_or(comes_along))
    }

    pub fn changes(&self) -> usize {
        self.rows.iter().filter(|row| row.changes_the_vault()).count()
    }
}

/// With what stays as it stands here, where another vault has it otherwise.
fn left_beside(left: Vec<Left>, rows: &[Row], vault: &Document) -> Vec<Left> {
    let from_vault = |row: &&Row| row.origins.iter().any(|origin| origin.source == Source::Vault);
    let stays = rows.iter().filter(from_vault).filter(|row| matches!(row.step, Step::Present | Step::Newer));
    let stays: Vec<&Row> = stays.collect();
    let kept_back = stays.iter().filter_map(|row| {
        let (found, ours) = (row.found.as_ref()?, vault.profiles.get(&row.profile()?)?);
        // Of a device that is not named here the word comes along with the newer key.
        let comes = |left: &Left| row.step == Step::Newer && left.setting == "mfa_serial" && left.here.is_none();
        let mut left = other_vault::kept_back(found, ours);
        left.retain(|left| !comes(left));
        Some(left)
    });
    let mut all: Vec<Left> = kept_back.flatten().collect();
    let names: BTreeSet<&str> = stays.iter().map(|row| row.name.as_str()).collect();
    let is_beside = |left: &Left| {
        left.origin.source == Source::Vault && left.profile.as_ref().is_none_or(|name| names.contains(name.as_str()))
    };
    let beside = |left: Left| if is_beside(&left) { other_vault::beside(left, vault) } else { Some(left) };
    all.extend(left.into_iter().filter_map(beside));
    all
}

fn skipped(skipped: Skipped) -> Row {
    Row { name: skipped.name, found: None, origins: vec![skipped.origin], step: Step::Skip(skipped.why) }
}

/// One row of all that has this name.
fn row(group: Vec<Found>, vault: Option<&Document>, replace: bool) -> Row {
    let name = group[0].name.clone();
    let origins = group.iter().map(|found| found.origin.clone()).collect();
    let duplicate = group.iter().find_map(|found| found.duplicate);
    let agree = group.iter().all(|found| same(found, &group[0]));
    let found = merged(group);
    let step = match (name.parse::<ProfileName>(), duplicate) {
        (Err(_), _) => Step::Skip(Why::Name),
        (_, Some(line)) => Step::Conflict(Conflict::Duplicate { line }),
        (Ok(_), None) if !agree => Step::Conflict(Conflict::Sources),
        (Ok(name), None) => beside(vault.and_then(|vault| vault.profiles.get(&name)), &found, replace),
    };
    Row { name, found: Some(found), origins, step }
}

/// What it is beside the vault's profile of that name.
fn beside(ours: Option<&Profile>, found: &Found, replace: bool) -> Step {
    let Some(ours) = ours else { return Step::Add };
    match (&ours.access_key, &found.key) {
        (Some(held), Some(key)) if held.access_key().is_same_pair(&key.pair) => Step::Present,
        (None, None) if ours.role_arn == found.settings.role_arn => Step::Present,
        _ if ours.is_rotating() => Step::Conflict(Conflict::Rotating),
        _ if replace => Step::Replace,
        (Some(held), Some(FoundKey { added: Some(_), user_arn, .. })) => {
            let known_and_different = |ours: &String| user_arn.as_ref().is_some_and(|theirs| theirs != ours);
            match held.user_arn.as_ref().is_some_and(known_and_different) {
                true => Step::Conflict(Conflict::OtherUser),
                false => Step::Newer,
            }
        }
        _ => Step::Conflict(Conflict::Taken),
    }
}

/// Until none is left: a role may lead to a role.
fn drop_roles_that_lead_nowhere(rows: &mut [Row], vault: Option<&Document>) {
    let leads = |rows: &[Row], source: &ProfileName| {
        let in_vault = vault.is_some_and(|vault| vault.profiles.contains_key(source));
        in_vault || rows.iter().any(|row| row.changes_the_vault() && row.name == source.as_str())
    };
    loop {
        let source = |row: &Row| row.found.as_ref().and_then(|found| found.settings.source_profile.clone());
        let lost = rows.iter().enumerate().filter(|(_, row)| row.changes_the_vault()).find_map(|(index, row)| {
            let source = source(row)?;
            (!leads(rows, &source)).then_some((index, source))
        });
        let Some((index, source)) = lost else { return };
        rows[index].step = Step::Skip(Why::NoSource(source.to_string()));
    }
}

fn same(one: &Found, other: &Found) -> bool {
    match (&one.key, &other.key) {
        (Some(one), Some(other)) => one.pair.is_same_pair(&other.pair),
        (None, None) => one.settings.role_arn == other.settings.role_arn,
        _ => false,
    }
}

/// The first, with what the others add. Where they contradict each other nothing is taken, and AWS or the owner says it.
fn merged(group: Vec<Found>) -> Found {
    let mut all = group.into_iter();
    let mut first = all.next().expect("a group has its first member from the start");
    for other in all {
        agreed(&mut first.settings.region, other.settings.region);
        agreed(&mut first.settings.mfa_serial, other.settings.mfa_serial);
        agreed(&mut first.settings.destination_profile, other.settings.destination_profile);
    }
    first
}

fn agreed<T: PartialEq>(first: &mut Option<T>, other: Option<T>) {
    match (first.as_ref(), other) {
        (None, other) => *first = other,
        (Some(said), Some(other)) if *said != other => *first = None,
        _ => {}
    }
}

#[cfg(test)]
mod tests;
