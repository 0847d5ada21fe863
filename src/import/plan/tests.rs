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
