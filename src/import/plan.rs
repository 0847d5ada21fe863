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
mod tests {
    use super::*;
    use crate::import::found::Source;
    use crate::secret::SecretAccessKey;
    use crate::store::document::StoredAccessKey;
    use crate::store::identity;
    use jiff::Timestamp;

    const ONE: &str = "AKIAIOSFODNN7EXAMPL1";
    const TWO: &str = "AKIAIOSFODNN7EXAMPL2";

    fn pair(id: &str) -> AccessKey {
        AccessKey { id: id.parse().unwrap(), secret: SecretAccessKey::new(format!("secret of {id}")) }
    }

    fn found(name: &str, id: &str) -> Found {
        let origin = Origin { source: Source::Credentials, path: None, section: Some(name.to_owned()), line: Some(1) };
        let (name, settings) = (name.to_owned(), Profile::default());
        Found { name, key: Some(pair(id).into()), settings, origin, duplicate: None }
    }

    fn role(name: &str, source: &str) -> Found {
        let settings = Profile {
            role_arn: "arn:aws:iam::123456789012:role/admin".parse().ok(),
            source_profile: source.parse().ok(),
            ..Profile::default()
        };
        Found { key: None, settings, ..found(name, ONE) }
    }

    fn vault(profiles: &[(&str, &str, Option<&str>)]) -> Document {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        for (name, id, user_arn) in profiles {
            let AccessKey { id, secret } = pair(id);
            let key = StoredAccessKey {
                id,
                secret,
                user_arn: user_arn.map(str::to_owned),
                added: Timestamp::UNIX_EPOCH,
                created: None,
                verified: None,
                endpoint: None,
                rest: toml::Table::new(),
            };
            let profile = Profile { access_key: Some(key), ..Profile::default() };
            document.profiles.insert(name.parse().unwrap(), profile);
        }
        document
    }

    fn plan(found: Vec<Found>, vault: Option<&Document>, replace: bool) -> Plan {
        Plan::of(Reading { found, ..Reading::default() }, vault, replace)
    }

    fn steps(found: Vec<Found>, vault: Option<&Document>, replace: bool) -> Vec<(String, Step)> {
        plan(found, vault, replace).rows.into_iter().map(|row| (row.name, row.step)).collect()
    }

    fn step(found: Vec<Found>, vault: Option<&Document>, replace: bool) -> Step {
        let mut steps = steps(found, vault, replace);
        assert_eq!(steps.len(), 1);
        steps.remove(0).1
    }

    #[test]
    fn what_the_vault_lacks_is_added_and_what_it_has_is_left() {
        let held = vault(&[("held", ONE, None)]);
        assert_eq!(
            steps(vec![found("new", ONE), found("held", ONE)], Some(&held), false),
            [("new".to_owned(), Step::Add), ("held".to_owned(), Step::Present)]
        );
        assert_eq!(step(vec![found("held", ONE)], None, false), Step::Add);
    }

    #[test]
    fn a_name_that_is_taken_is_a_conflict_unless_replacing_was_asked_for() {
        let held = vault(&[("p", ONE, None)]);
        assert_eq!(step(vec![found("p", TWO)], Some(&held), false), Step::Conflict(Conflict::Taken));
        assert_eq!(step(vec![found("p", TWO)], Some(&held), true), Step::Replace);
        let mut other_secret = found("p", ONE);
        other_secret.key.as_mut().unwrap().pair.secret = SecretAccessKey::new("mistyped".to_owned());
        let mut rotating = vault(&[("p", ONE, None)]);
        rotating
            .profiles
            .values_mut()
            .for_each(|profile| drop(profile.rest.insert("rotation".into(), toml::Table::new().into())));
        assert_eq!(step(vec![found("p", TWO)], Some(&rotating), true), Step::Conflict(Conflict::Rotating));
        assert_eq!(step(vec![found("p", ONE)], Some(&rotating), true), Step::Present);
        assert_eq!(step(vec![other_secret], Some(&held), false), Step::Conflict(Conflict::Taken), "the id is not all");
    }

    #[test]
    fn two_sources_of_one_name_agree_or_neither_is_taken() {
        let mut with_region = found("p", ONE);
        with_region.settings.region = "eu-central-1".parse().ok();
        let together = plan(vec![found("p", ONE), with_region], None, false);
        assert_eq!((together.rows.len(), together.rows[0].origins.len()), (1, 2));
        assert!(together.rows[0].found.as_ref().unwrap().settings.region.is_some());
        let apart = step(vec![found("p", ONE), found("p", TWO)], None, true);
        assert_eq!(apart, Step::Conflict(Conflict::Sources), "--replace is about the vault");
        assert_eq!(step(vec![found("p", ONE), role("p", "x")], None, false), Step::Conflict(Conflict::Sources));
    }

    #[test]
    fn sources_that_name_different_devices_name_none() {
        let with = |serial: &str| {
            let mut found = found("p", ONE);
            found.settings.mfa_serial = serial.parse().ok();
            found
        };
        let plan = plan(vec![with("GAHT12345678"), with("GAHT87654321")], None, false);
        assert_eq!(plan.rows[0].found.as_ref().unwrap().settings.mfa_serial, None);
    }

    #[test]
    fn a_section_that_stands_twice_is_never_chosen_from() {
        let doubled = Found { duplicate: Some(7), ..found("p", ONE) };
        assert_eq!(step(vec![doubled], None, true), Step::Conflict(Conflict::Duplicate { line: 7 }));
        assert_eq!(step(vec![found("no name", ONE)], None, true), Step::Skip(Why::Name));
    }

    #[test]
    fn between_two_vaults_keys_of_one_user_aws_decides_and_between_two_users_nobody() {
        let theirs = |user: Option<&str>| {
            let mut found = found("p", TWO);
            let key = found.key.as_mut().unwrap();
            key.added = Some(Timestamp::UNIX_EPOCH);
            key.user_arn = user.map(str::to_owned);
            vec![found]
        };
        let held = vault(&[("p", ONE, Some("alice"))]);
        assert_eq!(step(theirs(Some("alice")), Some(&held), false), Step::Newer);
        assert_eq!(step(theirs(None), Some(&held), false), Step::Newer);
        assert_eq!(step(theirs(Some("bob")), Some(&held), false), Step::Conflict(Conflict::OtherUser));
        assert_eq!(step(theirs(Some("bob")), Some(&held), true), Step::Replace);
    }

    #[test]
    fn a_role_comes_along_where_it_leads_to_a_profile() {
        let rows = vec![role("b", "a"), role("a", "user"), found("user", ONE), role("d", "c"), role("c", "nowhere")];
        let lost = |source: &str| Step::Skip(Why::NoSource(source.to_owned()));
        let told = steps(rows, None, false).into_iter().map(|(_, step)| step);
        assert!(told.eq([Step::Add, Step::Add, Step::Add, lost("c"), lost("nowhere")]));
        let held = vault(&[("user", ONE, None)]);
        assert_eq!(step(vec![role("a", "user")], Some(&held), false), Step::Add);
    }

    #[test]
    fn names_choose_by_profile_or_section_and_those_that_mean_nothing_are_told() {
        let mut renamed = found("prod", ONE);
        renamed.origin.section = Some("prod-long-term".to_owned());
        let choose = |names: &[&str]| {
            let mut plan = plan(vec![renamed.clone(), found("dev", TWO)], None, false);
            let names: Vec<ProfileName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let unknown = plan.keep_only(&names);
            (plan.rows.into_iter().map(|row| row.name).collect::<Vec<_>>(), unknown.len())
        };
        assert_eq!(choose(&[]), (vec!["prod".to_owned(), "dev".to_owned()], 0));
        assert_eq!(choose(&["prod-long-term"]), (vec!["prod".to_owned()], 0));
        assert_eq!(choose(&["dev", "none"]), (vec!["dev".to_owned()], 1));
    }
}
