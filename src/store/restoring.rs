//! What an earlier generation of a profile brings back, decided from both states. An access key moves on by rotation, and
//! the key of an earlier generation may be dead at AWS: settings come back, a key that is there stays.

use super::difference::settings_of;
use super::document::{Document, Profile, StoredAccessKey};
use crate::names::ProfileName;

/// Where the access key of a restored profile comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// It has none.
    None,
    /// It stays.
    Standing,
    /// From this generation.
    Generation(u64),
}

/// A profile as it would be.
pub struct Restored {
    pub profile: Profile,
    pub key: KeySource,
}

/// A profile in a generation that was kept.
pub struct Earlier<'a> {
    pub generation: u64,
    pub profile: &'a Profile,
}

/// A key is not to be replaced while its rotation is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished;

/// `old` is the profile in the generation asked for, `standing` what the vault has now. With `force` the key is that of the
/// generation asked for, whatever stands.
pub fn restored(
    old: Earlier,
    standing: Option<&Profile>,
    newest: Option<Earlier>,
    force: bool,
) -> Result<Restored, Unfinished> {
    let standing = standing.filter(|profile| profile.access_key.is_some() || profile.is_rotating());
    let (from, key) = match (standing, force) {
        (Some(standing), true) if standing.is_rotating() => return Err(Unfinished),
        (Some(standing), false) => (Some(standing), KeySource::Standing),
        (_, true) => (Some(old.profile), KeySource::Generation(old.generation)),
        (None, false) => match &newest {
            Some(newest) => (Some(newest.profile), KeySource::Generation(newest.generation)),
            None => (None, KeySource::None),
        },
    };
    let mut profile = Profile { access_key: None, ..old.profile.clone() };
    profile.take_rotation_of(from.unwrap_or(&Profile::default()));
    let Some(from) = from else { return Ok(Restored { profile, key }) };
    profile.access_key.clone_from(&from.access_key);
    let key = if profile.access_key.is_some() { key } else { KeySource::None };
    Ok(Restored { profile, key })
}

/// Another profile of the vault that has a journal of the same user. That one is the newer: with two, nobody could tell which
/// of the keys in them is the current one.
pub fn rival<'a>(document: &'a Document, name: &ProfileName, restored: &Profile) -> Option<&'a ProfileName> {
    let user = restored.rotating_user()?;
    let of_user = |profile: &Profile| profile.rotating_user() == Some(user);
    document.profiles.iter().find(|(other, profile)| *other != name && of_user(profile)).map(|(other, _)| other)
}

/// Whether restoring would change anything.
pub fn differs(standing: Option<&Profile>, restored: &Profile) -> bool {
    standing.is_none_or(|standing| !same(standing, restored))
}

/// What is not known to this version counts too.
fn same(one: &Profile, other: &Profile) -> bool {
    settings_of(one) == settings_of(other) && same_key(one.access_key.as_ref(), other.access_key.as_ref())
}

fn same_key(one: Option<&StoredAccessKey>, other: Option<&StoredAccessKey>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.access_key().is_same_pair(&other.access_key()),
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretAccessKey;
    use jiff::Timestamp;

    fn profile(region: &str, key: Option<&str>, journal: bool) -> Profile {
        let mut profile = Profile { region: Some(region.parse().unwrap()), ..Profile::default() };
        profile.access_key = key.map(|last| StoredAccessKey {
            id: format!("AKIAIOSFODNN7EXAMPL{last}").parse().unwrap(),
            secret: SecretAccessKey::new(last.repeat(40)),
            user_arn: None,
            added: Timestamp::UNIX_EPOCH,
            created: None,
            verified: None,
            endpoint: None,
            rest: toml::Table::new(),
        });
        if journal {
            profile.rest.insert("rotation".to_owned(), toml::Value::String(format!("of {region}")));
        }
        profile
    }

    /// What comes of it: region, last character of the key, journal, source.
    fn outcome(
        old: &Profile,
        standing: Option<&Profile>,
        newest: Option<&Profile>,
        force: bool,
    ) -> (String, Option<String>, Option<String>, KeySource) {
        let old = Earlier { generation: 3, profile: old };
        let newest = newest.map(|profile| Earlier { generation: 7, profile });
        let Restored { profile, key } = restored(old, standing, newest, force).unwrap();
        let last = profile.access_key.map(|key| key.secret.expose()[..1].to_owned());
        let journal = profile.rest.get("rotation").map(|value| value.as_str().unwrap().to_owned());
        (profile.region.unwrap().to_string(), last, journal, key)
    }

    #[test]
    fn a_journal_does_not_come_back_beside_another_one_of_the_same_user() {
        let rotating = |user: &str| {
            let mut profile = profile(OLD, Some("A"), false);
            let journal: toml::Value = toml::from_str(&format!("user_arn = '{user}'")).unwrap();
            profile.rest.insert("rotation".to_owned(), journal);
            profile
        };
        let seed = crate::store::identity::generate();
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), seed).unwrap();
        document.profiles.insert("main".parse().unwrap(), rotating("alice"));
        let rival_of =
            |name: &str, profile: &Profile| rival(&document, &name.parse().unwrap(), profile).map(ToString::to_string);
        assert_eq!(rival_of("prod", &rotating("alice")).as_deref(), Some("main"));
        assert_eq!(rival_of("main", &rotating("alice")), None);
        assert_eq!(rival_of("prod", &rotating("bob")), None);
        assert_eq!(rival_of("prod", &profile(OLD, Some("A"), false)), None);
    }

    const OLD: &str = "eu-west-1";
    const NOW: &str = "us-east-1";

    #[test]
    fn settings_come_back_and_the_standing_key_and_journal_stay() {
        let old = profile(OLD, Some("A"), true);
        let now = profile(NOW, Some("B"), true);
        let expected = (OLD.to_owned(), Some("B".to_owned()), Some(format!("of {NOW}")), KeySource::Standing);
        assert_eq!(outcome(&old, Some(&now), Some(&old), false), expected);
        let now = profile(NOW, Some("B"), false);
        let expected = (OLD.to_owned(), Some("B".to_owned()), None, KeySource::Standing);
        assert_eq!(outcome(&old, Some(&now), None, false), expected);
    }

    #[test]
    fn a_profile_that_is_gone_comes_back_with_the_newest_key_that_was_kept_and_its_journal() {
        let (old, newest) = (profile(OLD, Some("A"), false), profile(NOW, Some("C"), true));
        let expected = (OLD.to_owned(), Some("C".to_owned()), Some(format!("of {NOW}")), KeySource::Generation(7));
        assert_eq!(outcome(&old, None, Some(&newest), false), expected);
        let role = profile(NOW, None, false);
        assert_eq!(
            outcome(&old, Some(&role), Some(&newest), false),
            expected,
            "one that became a role lost its key too"
        );
        assert_eq!(outcome(&role, None, None, false), (NOW.to_owned(), None, None, KeySource::None));
    }

    #[test]
    fn an_older_key_comes_back_by_force_only_and_never_over_an_unfinished_rotation() {
        let (old, now) = (profile(OLD, Some("A"), false), profile(NOW, Some("B"), false));
        let expected = (OLD.to_owned(), Some("A".to_owned()), None, KeySource::Generation(3));
        assert_eq!(outcome(&old, Some(&now), Some(&now), true), expected);
        assert_eq!(outcome(&old, None, Some(&now), true), expected);
        let rotating = profile(NOW, Some("B"), true);
        let old = Earlier { generation: 3, profile: &old };
        assert_eq!(restored(old, Some(&rotating), None, true).err(), Some(Unfinished));
    }

    #[test]
    fn what_is_the_same_is_not_restored() {
        let one = profile(OLD, Some("A"), true);
        assert!(!differs(Some(&one), &one.clone()));
        assert!(differs(None, &one));
        for other in [profile(NOW, Some("A"), true), profile(OLD, Some("B"), true), profile(OLD, Some("A"), false)] {
            assert!(differs(Some(&one), &other));
        }
    }
}
