//! Another vault's profiles: a branch of this one that another machine saved, or somebody else's. Its keys and roles come
//! along; what runs something, leads elsewhere or says who may open a vault does not.

use std::path::Path;

use super::found::{Found, FoundKey, Left, Origin, Reading, Source};
use crate::store::document::{Document, Profile};

pub fn read(document: &Document, path: &Path) -> Reading {
    let mut reading = Reading::default();
    for (name, profile) in &document.profiles {
        let origin = origin(path, Some(name.as_str()));
        reading.left.extend(left_of(profile, &origin));
        reading.found.push(found(name.as_str(), profile, origin));
    }
    let settings = &document.settings;
    let of_vault = [
        ("default_profile", settings.default_profile.as_ref().map(ToString::to_string)),
        ("session_duration", settings.session_duration.map(|seconds| seconds.to_string())),
        ("rotate_every", settings.rotate_every.as_ref().map(ToString::to_string)),
        ("grace", settings.grace.as_ref().map(ToString::to_string)),
        ("rotate_on_login", settings.rotate_on_login.as_ref().map(ToString::to_string)),
    ];
    let of_vault = of_vault.into_iter().filter_map(|(setting, value)| Some((setting, value?)));
    // The ways in that every vault has of its own are none that anybody would miss.
    let recipients =
        document.recipients.iter().filter(|recipient| !["passphrase", "recovery"].contains(&&*recipient.name));
    let recipients = recipients.map(|recipient| ("recipient", recipient.name.clone()));
    reading.left.extend(of_vault.chain(recipients).map(|(setting, value)| Left {
        setting,
        profile: None,
        value: Some(value),
        origin: origin(path, None),
    }));
    reading
}

fn found(name: &str, profile: &Profile, origin: Origin) -> Found {
    let key = profile.access_key.as_ref().map(|key| FoundKey {
        pair: key.access_key(),
        added: Some(key.added),
        created: key.created,
        user_arn: key.user_arn.clone(),
    });
    // Field by field: what a later version adds is not taken before somebody has thought about it.
    let settings = Profile {
        region: profile.region.clone(),
        mfa_serial: profile.mfa_serial.clone(),
        role_arn: profile.role_arn.clone(),
        source_profile: profile.source_profile.clone(),
        duration_seconds: profile.duration_seconds,
        external_id: profile.external_id.clone(),
        role_session_name: profile.role_session_name.clone(),
        destination_profile: profile.destination_profile.clone(),
        ..Profile::default()
    };
    Found { name: name.to_owned(), key, settings, origin, duplicate: None }
}

fn left_of(profile: &Profile, origin: &Origin) -> Vec<Left> {
    let confirmed_by = profile.access_key.as_ref().and_then(|key| key.endpoint.clone());
    let settings = [
        ("mfa_process", profile.mfa_process.clone()),
        ("endpoint_url", profile.endpoint_url.clone().or(confirmed_by)),
        ("rotate_every", profile.rotate_every.as_ref().map(ToString::to_string)),
        ("grace", profile.grace.as_ref().map(ToString::to_string)),
        ("rotate_on_login", profile.rotate_on_login.as_ref().map(ToString::to_string)),
        ("rotate_hook", profile.rotate_hook.clone()),
        ("mfa_max_age", profile.mfa_max_age.map(|seconds| seconds.to_string())),
    ];
    // What it stands for is between that vault and AWS: a second one that went on with it would be another machine at work.
    let rotation =
        Left { setting: Profile::ROTATION, profile: origin.section.clone(), value: None, origin: origin.clone() };
    let left = |(setting, value): (&'static str, Option<String>)| {
        Some(Left { setting, profile: origin.section.clone(), value: Some(value?), origin: origin.clone() })
    };
    let rotation = profile.is_rotating().then_some(rotation);
    rotation.into_iter().chain(settings.into_iter().filter_map(left)).collect()
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
            "region = 'eu-central-1'\nmfa_serial = 'arn:aws:iam::123456789012:mfa/alice'\nmfa_process = 'evil'\n\
             endpoint_url = 'http://evil'\nrotate_on_login = 'always'\nrotate_hook = 'evil'\n[access_key]\nid = 'AKIAIOSFODNN7EXAMPLE'\nsecret = 's'\n\
             added = '2026-01-02T03:04:05Z'\ncreated = '2025-01-02T03:04:05Z'\n[rotation]\nx = 1\n",
        )
        .unwrap();
        document.profiles.insert("prod".parse().unwrap(), profile);
        document.settings.default_profile = "prod".parse().ok();
        document.settings.grace = "7d".parse().ok();
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
        assert!(settings.mfa_process.is_none() && settings.endpoint_url.is_none() && settings.rest.is_empty());
        assert!(settings.rotate_hook.is_none() && settings.rotate_on_login.is_none());
        let left: Vec<_> =
            reading.left.iter().map(|left| (left.setting, left.value.as_deref().unwrap_or_default())).collect();
        let of_prod = [("rotation", ""), ("mfa_process", "evil"), ("endpoint_url", "http://evil")];
        assert_eq!(left[..3], of_prod);
        let runs = [("rotate_on_login", "always"), ("rotate_hook", "evil")];
        assert_eq!(left[3..5], runs);
        assert_eq!(left[5..], [("default_profile", "prod"), ("grace", "7d")]);
    }
}
