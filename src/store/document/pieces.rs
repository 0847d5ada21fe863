//! A large document read piece by piece. The parser of a whole text first lists all of its tokens, then all events of its
//! grammar, then all tables: for ten thousand profiles a hundred megabytes that the system has to find, and that are wiped
//! again. A piece at a time stays within the processor's caches, and two pieces can be read at once.
//!
//! It is an optimisation and no second grammar: a text cut at the start of a line is the sum of its pieces if each is valid
//! by itself, since then no string and no array reaches over a cut, and if no two of them name the same thing. Whatever is
//! not so, wrong or only unusual, is left to the parser of whole texts, and so is saying what is wrong.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::de::DeTable;

use super::{Document, Profile};
use crate::names::ProfileName;
use crate::process::at_once;

/// Bytes at least; a dozen times as much is needed to read it.
const PIECE: usize = 32 * 1024;

/// What is between the profiles' first and last line; nothing else may stand there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    profile: Profiles,
}

/// As they stand, for one map to be made of all in one go.
struct Profiles(Vec<(ProfileName, Profile)>);

/// None where the text is small, or is not to be read in pieces.
pub(super) fn read(text: &str) -> Option<Document> {
    read_by(text, PIECE)
}

fn read_by(text: &str, size: usize) -> Option<Document> {
    let (head, pieces) = cut(text, size)?;
    let (first, second) = pieces.split_at(pieces.len() / 2);
    let (second, first) = at_once(|| profiles(second), || Some((read_head(head)?, profiles(first)?)));
    let (mut document, mut read) = first?;
    read.extend(second?);
    document.profiles = united(read)?;
    Some(document)
}

/// All before the first profile; it has no word about profiles itself, not even that there are none.
fn read_head(text: &str) -> Option<Document> {
    let table = DeTable::parse(text).ok()?;
    if table.get_ref().contains_key("profile") {
        return None;
    }
    <Document as Deserialize>::deserialize(toml::Deserializer::from(table)).ok()
}

fn profiles(pieces: &[&str]) -> Option<Vec<Profiles>> {
    pieces.iter().map(|piece| Some(toml::from_str::<Piece>(piece).ok()?.profile)).collect()
}

/// None where a profile is in two pieces.
fn united(pieces: Vec<Profiles>) -> Option<BTreeMap<ProfileName, Profile>> {
    let count = pieces.iter().map(|piece| piece.0.len()).sum();
    let mut all = Vec::with_capacity(count);
    pieces.into_iter().for_each(|mut piece| all.append(&mut piece.0));
    let all = BTreeMap::from_iter(all);
    (all.len() == count).then_some(all)
}

/// The head and at least two pieces, each of which starts with a profile's own header.
fn cut(text: &str, size: usize) -> Option<(&str, Vec<&str>)> {
    let (head, mut rest) = text.split_at(header_from(text, 0)?);
    if !rest.lines().all(is_of_a_profile) {
        return None;
    }
    let mut pieces = Vec::new();
    while let Some(end) = header_from(rest, size) {
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    (pieces.len() > 1).then_some((head, pieces))
}

/// Where the next `[profile.NAME]` starts, as we write it: a cut before any other line of a profile would part it.
fn header_from(text: &str, from: usize) -> Option<usize> {
    const START: &str = "\n[profile.";
    let from = text.ceil_char_boundary(from);
    let mut found = text[from..].match_indices(START).map(|(at, _)| from + at);
    let at = found.find(|at| is_name(text[at + START.len()..].split('\n').next().unwrap_or_default()))?;
    Some(at + 1)
}

/// Whether a line, if it is a header, is of a profile or of what is in one. The table of all profiles may have a header too, and
/// two of those in two pieces would be one too many that nobody sees.
fn is_of_a_profile(line: &str) -> bool {
    let line = line.trim_start();
    !line.starts_with('[') || line.starts_with("[profile.") || line.starts_with("[[profile.")
}

/// A name in quotes or without, and the end of the header; not one of a table within a profile.
fn is_name(header: &str) -> bool {
    let Some(name) = header.strip_suffix(']') else { return false };
    match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').is_some_and(|name| !name.contains('"')),
        None => !name.contains('.'),
    }
}

impl<'de> Deserialize<'de> for Profiles {
    fn deserialize<D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        table.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Profiles;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("profiles")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Profiles, A::Error> {
        let mut profiles = Vec::new();
        while let Some(profile) = table.next_entry()? {
            profiles.push(profile);
        }
        Ok(Profiles(profiles))
    }
}

#[cfg(test)]
mod tests;
