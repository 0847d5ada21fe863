use super::*;
use crate::store::document::RecipientKind;
use crate::store::identity;
use jiff::Timestamp;

fn document(text: &str) -> Document {
    let seed = identity::generate();
    let new = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), seed).unwrap();
    let bare = new.encode().unwrap().replace("[settings]\n", "");
    Document::decode(format!("{bare}\n{text}").as_bytes()).unwrap()
}

fn difference(one: &str, later: &str) -> Difference {
    Content::of(&document(one)).difference(&Content::of(&document(later)))
}

fn profile(text: &str) -> Profile {
    toml::from_str(text).unwrap()
}

fn settings(one: &str, later: &str) -> Vec<String> {
    let change = Change::of_profile(&profile(one), &profile(later));
    change.map(|change| change.settings().to_vec()).unwrap_or_default()
}

const KEY: &str = "[access_key]\nid = 'AKIAIOSFODNN7EXAMPLE'\nadded = '2026-01-02T03:04:05Z'\n";

#[test]
fn two_vaults_of_the_same_content_do_not_differ_whatever_their_ids_and_logs() {
    let text = "[settings]\ngrace = '7d'\n[profile.prod]\nregion = 'eu-central-1'\n";
    let saved = format!("{text}[log.host]\nlength = 1\n");
    assert_eq!(difference(text, &saved), Difference::default());
}

#[test]
fn settings_of_the_whole_vault_are_named_as_one_sets_them_and_those_of_a_later_version_too() {
    let one = "[settings]\ngrace = '7d'\nshiny = 1\n[settings.agent]\nidle = 60\nmax = 60\n[table]\nx = 1\n";
    let later = "[settings]\nshiny = 2\n[settings.agent]\nidle = 90\nmax = 60\nnew = 'a'\n[table]\nx = 2\n";
    let names = ["agent.idle", "agent.new", "grace", "shiny", "table"];
    assert_eq!(difference(one, later).settings, names);
    assert_eq!(difference(later, one).settings, names);
}

#[test]
fn what_a_later_version_says_beside_the_vaults_own_keys_is_named() {
    let with = |key: &str| {
        let mut document = document("");
        document.meta.rest.insert("sealed_by".to_owned(), key.into());
        document.auth.rest.insert("scheme".to_owned(), key.into());
        document.session.rest.insert("scheme".to_owned(), key.into());
        Content::of(&document)
    };
    let names = with("a").difference(&with("b")).settings;
    assert_eq!(names, ["auth.scheme", "meta.sealed_by", "session.scheme"]);
}

#[test]
fn profiles_come_go_and_change_and_each_setting_of_theirs_is_named() {
    let one = "[profile.gone]\n[profile.same]\nregion = 'eu-west-1'\n[profile.prod]\nregion = 'eu-west-1'\nrole_arn = 'arn:aws:iam::123456789012:role/x'\n";
    let later = "[profile.new]\nregion = 'us-east-1'\n[profile.same]\nregion = 'eu-west-1'\n[profile.prod]\nregion = 'us-east-1'\nprotected = true\n";
    let changed =
        Change::Changed { key: false, settings: ["protected", "region", "role_arn"].map(str::to_owned).to_vec() };
    let name = |name: &str| name.parse::<ProfileName>().unwrap();
    let expected = [(name("new"), Change::Added), (name("prod"), changed), (name("gone"), Change::Removed)];
    assert_eq!(difference(one, later).profiles, expected);
}

#[test]
fn a_journal_lines_taken_over_and_keys_of_a_later_version_count_by_name() {
    assert_eq!(settings("[rotation]\nx = 's'\n", "[rotation]\nx = 't'\n"), ["rotation"]);
    assert_eq!(settings("", "[[taken_over]]\nat = 1\ntext = 'x'\n"), ["taken_over"]);
    assert_eq!(settings("shiny = 1\n", "shiny = '1'\n"), ["shiny"]);
    assert_eq!(settings("session_tags = { team = 'a' }\n", "session_tags = { team = 'b' }\n"), ["session_tags"]);
}

#[test]
fn another_secret_is_another_key_and_what_is_told_of_the_same_one_is_named() {
    let one = format!("{KEY}secret = 's'\n");
    let change = |later: &str| Change::of_profile(&profile(&one), &profile(later));
    assert_eq!(change(&one), None);
    let other = Change::Changed { key: true, settings: Vec::new() };
    assert_eq!(change(&format!("{KEY}secret = 't'\nverified = '2026-01-02T03:04:05Z'\n")), Some(other.clone()));
    assert_eq!(change(""), Some(other));
    assert_eq!(
        settings(&one, &format!("{one}endpoint = 'http://x'\nshiny = 1\n")),
        ["access_key.endpoint", "access_key.shiny"]
    );
}

#[test]
fn a_recipient_that_comes_goes_or_is_another_program_from_now_on_is_named() {
    let with = |recipients: &[(&str, &str, &str)]| {
        let mut document = document("");
        document.recipients = recipients
            .iter()
            .map(|(name, recipient, plugin)| Recipient {
                plugin: Some((*plugin).into()),
                ..Recipient::new(name, RecipientKind::Plugin, (*recipient).to_owned(), Timestamp::UNIX_EPOCH, "host")
            })
            .collect();
        Content::of(&document)
    };
    let one = with(&[("gone", "age1g", "/p"), ("stick", "age1s", "/p"), ("same", "age1a", "/p")]);
    let later = with(&[("new", "age1n", "/p"), ("stick", "age1s", "/evil"), ("same", "age1a", "/p")]);
    let changed = Change::Changed { key: false, settings: vec!["plugin".to_owned()] };
    let expected = [("new", Change::Added), ("stick", changed), ("gone", Change::Removed)];
    assert_eq!(one.difference(&later).recipients, expected.map(|(name, change)| (name.to_owned(), change)));
}
