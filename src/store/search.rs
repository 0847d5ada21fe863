//! Looks for an access key's secret in what stands beside the vault: a save that a crash or a sync program took out of the
//! vault, or that was killed before it came into it, may have left it there.

use super::document::{Document, Profile, StoredAccessKey};
use super::file::Place;
use super::fingerprint::Fingerprint;
use super::history::content;
use super::opener::Opener;
use crate::names::AccessKeyId;

/// What came of it.
pub enum Search {
    Found(Box<StoredAccessKey>),
    /// Every file was looked into.
    NotFound,
    /// It is in none that could be looked into and believed; what the others hold nobody knows.
    Unknown,
}

/// In all earlier generations, conflicted copies and what killed saves left.
pub(super) fn search(id: &AccessKeyId, place: &Place, opener: &Opener, own: &Fingerprint) -> Search {
    let Ok(files) = place.files_beside() else { return Search::Unknown };
    let mut outcome = Search::NotFound;
    for file in files {
        match content(place, &file, opener, own).map_or(Search::Unknown, |(document, _)| search_in(&document, id)) {
            Search::Found(key) => return Search::Found(key),
            Search::Unknown => outcome = Search::Unknown,
            Search::NotFound => {}
        }
    }
    outcome
}

fn search_in(document: &Document, id: &AccessKeyId) -> Search {
    let mut outcome = Search::NotFound;
    for found in document.profiles.values().flat_map(|profile| keys_of(profile, id)) {
        match found {
            Some(key) => return Search::Found(Box::new(key)),
            None => outcome = Search::Unknown,
        }
    }
    outcome
}

/// Its keys of this id; None for one that can't be read.
fn keys_of(profile: &Profile, id: &AccessKeyId) -> impl Iterator<Item = Option<StoredAccessKey>> {
    let own = profile.access_key.iter().filter(|key| key.id == *id).cloned().map(Some);
    let journal = profile.rest.get(Profile::ROTATION);
    let in_journal = ["new", "old"].into_iter().filter_map(move |which| journal?.get(which));
    let of_id = in_journal.filter(|key| key.get("id").and_then(|found| found.as_str()) == Some(id.as_ref()));
    own.chain(of_id.map(|key| key.clone().try_into().ok()))
}

#[cfg(test)]
mod tests;
