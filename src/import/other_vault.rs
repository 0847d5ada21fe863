//! Another vault's profiles: a branch of this one that another machine saved, or somebody else's. Its keys and roles come
//! along; what runs something, leads elsewhere or says who may open a vault does not.

use std::borrow::Cow;
use std::path::Path;

use toml::Value;

use super::found::{Found, FoundKey, Left, Origin, Reading, Source};
use crate::names::ProfileName;
use crate::store::difference::settings_of;
use crate::store::document::{AgentSettings, Document, Profile, Settings};

pub fn read(document: &Document, path: &Path) -> Reading {
    let mut reading = Reading::default();
    for (name, profile) in &document.profiles {
        let origin = origin(path, Some(name.as_str()));
        let left = never_carried(profile).into_iter().map(|(setting, value)| Left { value, ..left(setting, &origin) });
        reading.left.extend(left);
        reading.found.push(found(name.as_str(), profile, origin));
    }
    let origin = origin(path, None);
    // The ways in that every vault has of its own are none that anybody would miss.
    let recipients =
        document.recipients.iter().filter(|recipient| !["passphrase", "recovery"].contains(&&*recipient.name));
    let recipients = recipients.map(|recipient| ("recipient".into(), Some(recipient.name.clone())));
    let of_vault = of_vault(document).into_iter().chain(recipients);
    reading.left.extend(of_vault.map(|(setting, value)| Left { value, ..left(setting, &origin) }));
    reading
}

/// Of what another vault has, beside what stands in ours and stays: None where that says the same.
pub fn beside(left: Left, ours: &Document) -> Option<Left> {
    let here = match &left.profile {
        Some(name) => ours.profiles.get(&name.parse::<ProfileName>().ok()?).map(never_carried).unwrap_or_default(),
        None => of_vault(ours),
    };
    let here = here.into_iter().find(|(setting, _)| *setting == left.setting).and_then(|(_, value)| value);
    let same = here.is_some() && here == left.value;
    (!same).then_some(Left { here, ..left })
}

/// What would come along, if the profile did not stand here with settings of its own.
pub fn kept_back(found: &Found, ours: &Profile) -> Vec<Left> {
    let (here, there) = (settings_of(&carried(ours)), settings_of(&found.settings));
    let other = there.into_iter().filter(|(setting, value)| here.get(setting) != Some(value));
    let left = other.map(|(setting, value)| Left {
        value: Some(text(&value)),
        here: here.get(&setting).map(text),
        ..left(setting.into(), &found.origin)
    });
    left.collect()
}

fn found(name: &str, profile: &Profile, origin: Origin) -> Found {
    let key = profile.access_key.clone().map(|key| FoundKey {
        pair: key.access_key(),
        added: Some(key.added),
        created: key.created,
        user_arn: key.user_arn,
    });
    Found { name: name.to_owned(), key, settings: carried(profile), origin, duplicate: None }
}

/// The settings that come along.
fn carried(profile: &Profile) -> Profile {
    // Field by field, so that nothing of a later version is taken, or left behind in silence, before somebody has thought
    // about it.
    let Profile {
        access_key: _,
        region,
        mfa_serial,
        role_arn,
        source_profile,
        duration_seconds,
        external_id,
        role_session_name,
        source_identity,
        session_tags,
        transitive_session_tags,
        policy_arns,
        protected,
        destination_profile,
        // Told by `never_carried`.
        mfa_process: _,
        rotate_every: _,
        grace: _,
        rotate_on_login: _,
        rotate_hook: _,
        mfa_max_age: _,
        endpoint_url: _,
        taken_over: _,
        // A rotation's journal and what a later version wrote, which are told, too.
        rest: _,
    } = profile.clone();
    Profile {
        region,
        mfa_serial,
        role_arn,
        source_profile,
        duration_seconds,
        external_id,
        role_session_name,
        source_identity,
        session_tags,
        transitive_session_tags,
        policy_arns,
        protected,
        destination_profile,
        ..Profile::default()
    }
}

/// A setting's name, and its value where that counts.
type Said = (Cow<'static, str>, Option<String>);

fn never_carried(profile: &Profile) -> Vec<Said> {
    let confirmed_by = profile.access_key.as_ref().and_then(|key| key.endpoint.clone());
    let taken_over = profile.taken_over.iter().map(|line| line.text.as_str()).collect::<String>();
    let settings = [
        ("mfa_process", profile.mfa_process.clone()),
        ("endpoint_url", profile.endpoint_url.clone().or(confirmed_by)),
        ("rotate_every", as_text(&profile.rotate_every)),
        ("grace", as_text(&profile.grace)),
        ("rotate_on_login", as_text(&profile.rotate_on_login)),
        ("rotate_hook", profile.rotate_hook.clone()),
        ("mfa_max_age", as_text(&profile.mfa_max_age)),
        // Of a file of the machine where they stood.
        ("taken_over", Some(taken_over).filter(|lines| !lines.is_empty())),
    ];
    // What it stands for is between that vault and AWS: a second one that went on with it would be another machine at work.
    let rotation =
        profile.is_rotating().then(|| (Profile::ROTATION.into(), profile.rotation_state().map(str::to_owned)));
    let later = profile.rest.iter().filter(|(key, _)| *key != Profile::ROTATION);
    rotation.into_iter().chain(set(settings)).chain(unknown("", later)).collect()
}

fn of_vault(document: &Document) -> Vec<Said> {
    let Settings { default_profile, session_duration, rotate_every, grace, rotate_on_login, agent, rest } =
        &document.settings;
    let AgentSettings { enabled, idle, max, session, rest: of_agent } = agent;
    let settings = [
        ("default_profile", as_text(default_profile)),
        ("session_duration", as_text(session_duration)),
        ("rotate_every", as_text(rotate_every)),
        ("grace", as_text(grace)),
        ("rotate_on_login", as_text(rotate_on_login)),
        ("agent.enabled", as_text(enabled)),
        ("agent.idle", as_text(idle)),
        ("agent.max", as_text(max)),
        ("agent.session", as_text(session)),
    ];
    set(settings)
        .chain(unknown("", rest))
        .chain(unknown("agent.", of_agent))
        .chain(unknown("", &document.rest))
        .collect()
}

/// Those that are set.
fn set<const N: usize>(settings: [(&'static str, Option<String>); N]) -> impl Iterator<Item = Said> {
    settings.into_iter().filter(|(_, value)| value.is_some()).map(|(setting, value)| (setting.into(), value))
}

/// What a later version says: not for showing, since nobody knows what it is.
fn unknown<'t>(below: &'t str, rest: impl IntoIterator<Item = (&'t String, &'t Value)>) -> impl Iterator<Item = Said> {
    rest.into_iter().map(move |(key, value)| (format!("{below}{key}").into(), Some(text(value))))
}

fn as_text(setting: &Option<impl ToString>) -> Option<String> {
    setting.as_ref().map(ToString::to_string)
}

/// As `vault set` takes it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Table(pairs) => {
            pairs.iter().map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

fn left(setting: Cow<'static, str>, origin: &Origin) -> Left {
    Left { setting, profile: origin.section.clone(), value: None, here: None, origin: origin.clone() }
}

fn origin(path: &Path, profile: Option<&str>) -> Origin {
    Origin { source: Source::Vault, path: Some(path.to_owned()), section: profile.map(str::to_owned), line: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity;
    use jiff::Timestamp;

    fn other() -> Document {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        let profile: Profile = toml::from_str(
            "protected = true\npolicy_arns = ['arn:aws:iam::aws:policy/X']\nsession_tags = { team = 'a' }\n\
             transitive_session_tags = ['team']\nsource_identity = 'alice'\nregion = 'eu-central-1'\nmfa_serial = 'arn:aws:iam::123456789012:mfa/alice'\nmfa_process = 'evil'\n\
             endpoint_url = 'http://evil'\nrotate_on_login = 'always'\nrotate_hook = 'evil'\n[access_key]\nid = 'AKIAIOSFODNN7EXAMPLE'\nsecret = 's'\n\
             added = '2026-01-02T03:04:05Z'\ncreated = '2025-01-02T03:04:05Z'\n[rotation]\nx = 1\n\
             [[taken_over]]\nat = 1\ntext = 'x = 1'\n",
        )
        .unwrap();
        document.profiles.insert("prod".parse().unwrap(), profile);
        document.settings.default_profile = "prod".parse().ok();
        document.settings.grace = "7d".parse().ok();
        document.settings.agent.enabled = Some(false);
        document.settings.agent.idle = Some(60);
        document.settings.agent.max = Some(120);
        document.settings.agent.session = Some(0);
        document
    }

    #[test]
    fn the_key_and_its_plain_settings_come_along_and_nothing_that_runs_or_leads_elsewhere() {
        let reading = read(&other(), Path::new("/other.age"));
        let found = &reading.found[0];
        let key = found.key.as_ref().unwrap();
        assert_eq!((found.name.as_str(), key.pair.secret.expose()), ("prod", "s"));
        assert_eq!(key.added, "2026-01-02T03:04:05Z".parse().ok());
        assert_eq!(key.created, "2025-01-02T03:04:05Z".parse().ok());
        let settings = &found.settings;
        assert!(settings.region.is_some() && settings.mfa_serial.is_some());
        assert_eq!(settings.policy_arns.as_ref().unwrap().0, ["arn:aws:iam::aws:policy/X"]);
        assert_eq!(settings.session_tags.as_ref().unwrap().to_string(), "team=a");
        assert_eq!(settings.transitive_session_tags.as_ref().unwrap().0, ["team"]);
        assert_eq!((settings.is_protected(), settings.source_identity.as_deref()), (true, Some("alice")));
        assert!(settings.taken_over.is_empty());
        assert!(settings.mfa_process.is_none() && settings.endpoint_url.is_none() && settings.rest.is_empty());
        assert!(settings.rotate_hook.is_none() && settings.rotate_on_login.is_none());
        let left: Vec<_> =
            reading.left.iter().map(|left| (&*left.setting, left.value.as_deref().unwrap_or_default())).collect();
        let of_prod = [("rotation", ""), ("mfa_process", "evil"), ("endpoint_url", "http://evil")];
        assert_eq!(left[..3], of_prod);
        assert_eq!(left[3..5], [("rotate_on_login", "always"), ("rotate_hook", "evil")]);
        assert_eq!(left[5..8], [("taken_over", "x = 1"), ("default_profile", "prod"), ("grace", "7d")]);
        let of_agent = [("enabled", "false"), ("idle", "60"), ("max", "120"), ("session", "0")];
        let of_agent = of_agent.map(|(setting, value)| (format!("agent.{setting}"), value));
        assert!(left[8..].iter().map(|(setting, value)| ((*setting).to_owned(), *value)).eq(of_agent));
    }
}
