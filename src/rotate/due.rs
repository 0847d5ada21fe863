//! Which keys are due, and what is pending: one answer for reports and for who rotates.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::journal::Journal;
use super::plan::State;
use super::rules::Rules;
use crate::names::{AccessKeyId, ProfileName};
use crate::store::document::{Document, Profile, StoredAccessKey};

/// An access key of the vault, which several profiles may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDue {
    pub key: AccessKeyId,
    pub profiles: Vec<ProfileName>,
    /// When AWS made it or, where that is not known, when it came into the vault.
    pub since: Timestamp,
    /// Where it is not known when AWS made it: it is so old at least.
    pub may_be_older: bool,
    /// How old it may grow, by the strictest of its profiles.
    pub limit: Option<Duration>,
    pub pending: Option<Pending>,
}

/// A rotation that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The profile that has the journal.
    pub profile: ProfileName,
    pub stage: Stage,
    /// The key that was replaced has its place again, and the newer one is what is left to delete.
    pub is_undone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// And since when.
    Known(State, Timestamp),
    /// The new key is in use, and the old one was to stay active.
    OldKept(AccessKeyId, Timestamp),
    /// Of a later version.
    Unreadable,
}

/// What happens to the key next, if anything does by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A new one is made in its place.
    Rotate { at: Timestamp },
    /// The key that it replaced is deleted.
    Delete { old: AccessKeyId, at: Timestamp },
    /// A rotation is taken up again that stopped.
    Resume { since: Timestamp },
    /// A later version of this program has to look at it.
    Unreadable,
}

impl Next {
    /// Whether it is high time.
    pub fn is_due(&self, now: Timestamp) -> bool {
        match self {
            Self::Rotate { at } | Self::Delete { at, .. } => *at <= now,
            Self::Resume { .. } | Self::Unreadable => true,
        }
    }
}

impl KeyDue {
    fn of(key: &StoredAccessKey) -> Self {
        let (profiles, since, may_be_older) = (Vec::new(), key.since(), key.created.is_none());
        Self { key: key.id.clone(), profiles, since, may_be_older, limit: None, pending: None }
    }

    /// Zero where a clock was wrong.
    pub fn age(&self, now: Timestamp) -> Duration {
        now.duration_since(self.since).try_into().unwrap_or(Duration::ZERO)
    }

    /// When it reaches its limit.
    pub fn due_at(&self) -> Option<Timestamp> {
        let limit = SignedDuration::try_from(self.limit?).ok()?;
        self.since.checked_add(limit).ok()
    }

    pub fn next(&self) -> Option<Next> {
        Some(match self.pending.as_ref().map(|pending| &pending.stage) {
            None => Next::Rotate { at: self.due_at()? },
            Some(Stage::Known(State::Retired { old, until }, _)) => Next::Delete { old: old.clone(), at: *until },
            Some(Stage::Known(_, since)) => Next::Resume { since: *since },
            Some(Stage::Unreadable) => Next::Unreadable,
            // The next one begins when a person has said that the old key may go.
            Some(Stage::OldKept(..)) => Next::Rotate { at: self.due_at()? },
        })
    }

    /// The limit of a key that has reached it, unless a rotation that stopped comes first. A key that waits for the one
    /// beside it to be deleted, or that an undo took back, goes on growing old.
    pub fn overdue(&self, now: Timestamp) -> Option<Duration> {
        let stays = match self.pending.as_ref().map(|pending| &pending.stage) {
            None | Some(Stage::OldKept(..) | Stage::Known(State::Retired { .. }, _)) => true,
            Some(Stage::Known(..) | Stage::Unreadable) => false,
        };
        self.limit.filter(|_| stays && self.due_at().is_some_and(|at| at <= now))
    }

    /// Whether somebody should do something about it, be it that they have to wait for that.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.overdue(now).is_some() || self.next().is_some_and(|next| next.is_due(now))
    }

    /// Of a key that is overdue: till when the one beside it is kept, before which no new one can be made.
    pub fn waits(&self, now: Timestamp) -> Option<Timestamp> {
        self.overdue(now)?;
        match self.next()? {
            Next::Delete { at, .. } => Some(at).filter(|at| *at > now),
            Next::Rotate { .. } | Next::Resume { .. } | Next::Unreadable => None,
        }
    }

    fn join(&mut self, name: &ProfileName, profile: &Profile, key: &StoredAccessKey, limit: Option<Duration>) {
        self.profiles.push(name.clone());
        // The same key may have been seen at AWS for one profile and not for the other.
        self.since = self.since.min(key.since());
        self.may_be_older &= key.created.is_none();
        self.limit = [self.limit, limit].into_iter().flatten().min();
        let journal = Journal::of(name, profile);
        let is_undone = matches!(&journal, Ok(Some(journal)) if journal.is_undone(key));
        let stage = match journal {
            Ok(None) => return,
            Ok(Some(Journal::Proven { kept: true, old, since, .. })) => Stage::OldKept(old.id, since),
            Ok(Some(journal)) => Stage::Known(journal.state(), journal.since()),
            Err(_) => Stage::Unreadable,
        };
        self.pending = Some(Pending { profile: name.clone(), stage, is_undone });
    }
}

/// Every key of the vault once, by the names of the profiles that have it.
pub fn due(document: &Document) -> Vec<KeyDue> {
    let mut keys: Vec<KeyDue> = Vec::new();
    let mut places: BTreeMap<&AccessKeyId, usize> = BTreeMap::new();
    for (name, profile) in &document.profiles {
        let Some(key) = &profile.access_key else { continue };
        let place = *places.entry(&key.id).or_insert_with(|| {
            keys.push(KeyDue::of(key));
            keys.len() - 1
        });
        keys[place].join(name, profile, key, Rules::of(profile, &document.settings).every);
    }
    keys
}

/// One of them.
pub fn due_of(document: &Document, id: &AccessKeyId) -> Option<KeyDue> {
    let mut found: Option<KeyDue> = None;
    for (name, profile) in &document.profiles {
        let Some(key) = profile.access_key.as_ref().filter(|key| key.id == *id) else { continue };
        let limit = Rules::of(profile, &document.settings).every;
        found.get_or_insert_with(|| KeyDue::of(key)).join(name, profile, key, limit);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity;

    const NOW: &str = "2026-06-01T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Profiles by name, each with the last digit of its key, further keys of that, and its own settings and tables.
    fn vault(settings: &str, profiles: &[(&str, u8, &str, &str)]) -> Document {
        let mut document = Document::new(at(NOW), "host".to_owned(), identity::generate()).unwrap();
        document.settings = toml::from_str(settings).unwrap();
        for (name, key, facts, own) in profiles {
            let text = format!("{own}\n[access_key]\nid = 'AKIAIOSFODNN7EXAMPL{key}'\nsecret = 's'\n{facts}");
            document.profiles.insert(name.parse().unwrap(), toml::from_str(&text).unwrap());
        }
        document
    }

    fn only(settings: &str, facts: &str, own: &str) -> KeyDue {
        due(&vault(settings, &[("prod", 1, facts, own)])).pop().unwrap()
    }

    const ADDED: &str = "added = '2026-05-01T00:00:00Z'";

    #[test]
    fn a_key_is_as_old_as_aws_says_or_as_the_vault_has_it_and_due_by_the_nearest_limit() {
        let made = format!("{ADDED}\ncreated = '2026-03-03T00:00:00Z'");
        for (vault, facts, own, days, due_at, is_due) in [
            ("", ADDED, "", 31, None, false),
            ("rotate_every = '90d'", ADDED, "", 31, Some("2026-07-30T00:00:00Z"), false),
            ("rotate_every = '90d'", ADDED, "rotate_every = '30d'", 31, Some("2026-05-31T00:00:00Z"), true),
            ("rotate_every = '30d'", ADDED, "rotate_every = '90d'", 31, Some("2026-07-30T00:00:00Z"), false),
            ("rotate_every = '31d'", ADDED, "", 31, Some(NOW), true),
            ("rotate_every = '90d'", &made, "", 90, Some(NOW), true),
            ("rotate_every = '91d'", &made, "", 90, Some("2026-06-02T00:00:00Z"), false),
            ("rotate_every = '99999999w'", ADDED, "", 31, None, false),
            ("", "added = '2026-07-01T00:00:00Z'", "", 0, None, false),
        ] {
            let key = only(vault, facts, own);
            assert_eq!(key.age(at(NOW)).as_secs(), days * 86_400, "{vault} {facts} {own}");
            assert_eq!(key.due_at(), due_at.map(at), "{vault} {facts} {own}");
            assert_eq!(key.next(), due_at.map(|due_at| Next::Rotate { at: at(due_at) }));
            assert_eq!(key.next().is_some_and(|next| next.is_due(at(NOW))), is_due, "{vault} {facts} {own}");
            assert_eq!(key.overdue(at(NOW)).is_some(), is_due, "{vault} {facts} {own}");
        }
    }

    #[test]
    fn a_key_of_several_profiles_is_one_with_the_strictest_limit_the_greatest_age_and_any_journal() {
        let earlier = "added = '2026-04-01T00:00:00Z'";
        let own =
            "rotate_every = '60d'\n[rotation]\nstate = 'intended'\nuser_arn = 'u'\nsince = '2026-05-31T00:00:00Z'";
        let document = vault(
            "rotate_every = '90d'",
            &[
                ("a", 1, ADDED, ""),
                ("b", 2, ADDED, ""),
                ("c", 1, earlier, own),
                ("d", 1, ADDED, "rotate_every = '80d'"),
            ],
        );
        let keys = due(&document);
        let names: Vec<Vec<&str>> =
            keys.iter().map(|key| key.profiles.iter().map(ProfileName::as_str).collect()).collect();
        assert_eq!(names, [vec!["a", "c", "d"], vec!["b"]]);
        assert_eq!((keys[0].since, keys[0].limit.unwrap().as_secs()), (at("2026-04-01T00:00:00Z"), 60 * 86_400));
        assert_eq!(keys[0].pending.as_ref().map(|pending| pending.profile.as_str()), Some("c"));
        keys.iter().for_each(|key| assert_eq!(due_of(&document, &key.key).as_ref(), Some(key)));
        assert_eq!((keys[1].limit.unwrap().as_secs(), &keys[1].pending), (90 * 86_400, &None));
    }

    #[test]
    fn a_key_may_be_older_than_it_looks_until_some_profile_knows_when_aws_made_it() {
        let made = format!("{ADDED}\ncreated = '2026-03-03T00:00:00Z'");
        for (facts, may_be_older) in [([ADDED, ADDED], true), ([ADDED, &made], false), ([&made, &made], false)] {
            let [a, b] = facts;
            let document = vault("", &[("a", 1, a, ""), ("b", 1, b, "")]);
            assert_eq!(due(&document).pop().unwrap().may_be_older, may_be_older, "{facts:?}");
        }
    }

    #[test]
    fn a_rotation_that_is_not_over_comes_before_the_next_one() {
        let since = "2026-05-31T00:00:00Z";
        let table = |state: &str, more: &str| {
            format!("[rotation]\nstate = '{state}'\nuser_arn = 'u'\nsince = '{since}'\n{more}")
        };
        let key = |name: &str| format!("[rotation.{name}]\nid = 'AKIAIOSFODNN7EXAMPL2'\nsecret = 's'\n{ADDED}");
        let retired = |until: &str| table("retired", &format!("until = '{until}'\n{}", key("old")));
        let delete = |until: &str| Next::Delete { old: "AKIAIOSFODNN7EXAMPL2".parse().unwrap(), at: at(until) };
        let resume = Next::Resume { since: at(since) };
        for (journal, next, is_due) in [
            (table("intended", ""), resume.clone(), true),
            (table("created", &key("new")), resume.clone(), true),
            (table("proven", &key("old")), resume.clone(), true),
            (table("undoing", &key("old")), resume, true),
            (retired("2026-06-02T00:00:00Z"), delete("2026-06-02T00:00:00Z"), false),
            (retired(NOW), delete(NOW), true),
            (table("frozen", ""), Next::Unreadable, true),
            (table("intended", "more = 1"), Next::Unreadable, true),
        ] {
            let key = only("rotate_every = '90d'", ADDED, &journal);
            assert_eq!(key.next().as_ref(), Some(&next), "{journal}");
            assert_eq!((next.is_due(at(NOW)), key.is_due(at(NOW))), (is_due, is_due), "{journal}");
            // The key in use has nothing but age where the other one only waits to be deleted.
            let key = only("rotate_every = '1d'", ADDED, &journal);
            let is_over = matches!(next, Next::Delete { .. });
            assert_eq!((key.is_due(at(NOW)), key.overdue(at(NOW)).is_some()), (true, is_over), "{journal}");
            let waits = Some(at("2026-06-02T00:00:00Z")).filter(|_| is_over && !is_due);
            assert_eq!(key.waits(at(NOW)), waits, "{journal}");
        }
    }
}
