//! The keys that unfinished rotations hold: nobody else may change them at AWS meanwhile.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::journal::Journal;
use crate::names::{AccessKeyId, ProfileName};
use crate::store::document::Document;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The profile that has the journal.
    pub profile: ProfileName,
    pub part: Part,
}

/// What a key is in its rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The profile's own.
    Current,
    /// Made, and not yet proven.
    New,
    /// Replaced; deleted after that time, where it is inactive already.
    Old { until: Option<Timestamp> },
    /// The newer one of a rotation that was undone; deleted as an old one is.
    GivenBack { until: Option<Timestamp> },
    /// The profile's own, and which others there are this version can't read: it may be any of the user's.
    Unreadable,
}

pub fn held(document: &Document) -> BTreeMap<AccessKeyId, Held> {
    let mut held = BTreeMap::new();
    for (name, profile) in &document.profiles {
        let journal = Journal::of(name, profile);
        let mut put = |id: &AccessKeyId, part| {
            // Of two profiles that have a key the one that can't be read has the last word.
            if held.get(id).is_none_or(|standing: &Held| standing.part != Part::Unreadable) {
                held.insert(id.clone(), Held { profile: name.clone(), part });
            }
        };
        let own = match &journal {
            Ok(None) => continue,
            Ok(Some(_)) => Part::Current,
            Err(_) => Part::Unreadable,
        };
        profile.access_key.iter().for_each(|key| put(&key.id, own));
        if let Ok(Some(journal)) = &journal {
            let is_undone = profile.access_key.as_ref().is_some_and(|key| journal.is_undone(key));
            journal.other_key().into_iter().for_each(|key| put(&key.id, part_of_other(journal, is_undone)));
        }
    }
    held
}

fn part_of_other(journal: &Journal, is_undone: bool) -> Part {
    let until = match journal {
        Journal::Intended { .. } | Journal::Created { .. } => return Part::New,
        Journal::Retired { until, .. } => Some(*until),
        Journal::Proven { .. } | Journal::Undoing { .. } => None,
    };
    if is_undone { Part::GivenBack { until } } else { Part::Old { until } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity;

    #[test]
    fn a_journal_holds_its_keys_and_the_profiles_own() {
        let until: Timestamp = "2026-06-02T00:00:00Z".parse().unwrap();
        let mut document = Document::new(until, "host".to_owned(), identity::generate()).unwrap();
        let key =
            |last: u8| format!("id = 'AKIAIOSFODNN7EXAMPL{last}'\nsecret = 's'\nadded = '2026-05-01T00:00:00Z'\n");
        let younger = |last: u8| key(last).replace("2026-05", "2026-06");
        let journals = [
            "".to_owned(),
            "state = 'intended'\n".to_owned(),
            format!("state = 'created'\nnew = {{ {} }}\n", key(7).trim().replace('\n', ", ")),
            format!("state = 'retired'\nuntil = '{until}'\nold = {{ {} }}\n", key(8).trim().replace('\n', ", ")),
            format!("state = 'proven'\nold = {{ {} }}\n", key(9).trim().replace('\n', ", ")),
            "state = 'frozen'\n".to_owned(),
            format!("state = 'retired'\nuntil = '{until}'\nold = {{ {} }}\n", younger(0).trim().replace('\n', ", ")),
        ];
        for (last, journal) in (0..).zip(&journals) {
            let journal = match journal.as_str() {
                "" => String::new(),
                text => format!("[rotation]\nuser_arn = 'u'\nsince = '2026-05-01T00:00:00Z'\n{text}"),
            };
            let profile = format!("[access_key]\n{}{journal}", key(last));
            document.profiles.insert(format!("p{last}").parse().unwrap(), toml::from_str(&profile).unwrap());
        }
        // The same key as of the one that can't be read, which has the last word.
        let intended = "[rotation]\nuser_arn = 'u'\nsince = '2026-05-01T00:00:00Z'\nstate = 'intended'\n";
        let twin = format!("[access_key]\n{}{intended}", key(5));
        document.profiles.insert("p9".parse().unwrap(), toml::from_str(&twin).unwrap());
        let found: Vec<_> = held(&document)
            .into_iter()
            .map(|(id, held)| (id.as_str()[19..].to_owned(), held.profile.to_string(), held.part))
            .collect();
        let expected = [
            ("0", "p6", Part::GivenBack { until: Some(until) }),
            ("1", "p1", Part::Current),
            ("2", "p2", Part::Current),
            ("3", "p3", Part::Current),
            ("4", "p4", Part::Current),
            ("5", "p5", Part::Unreadable),
            ("6", "p6", Part::Current),
            ("7", "p2", Part::New),
            ("8", "p3", Part::Old { until: Some(until) }),
            ("9", "p4", Part::Old { until: None }),
        ];
        assert_eq!(found, expected.map(|(id, name, part)| (id.to_owned(), name.to_owned(), part)));
    }
}
