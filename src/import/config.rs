//! What `~/.aws/config` adds to a profile that was found elsewhere: its region and its device. Whoever runs the import sees
//! both in the plan before they are taken.

use super::credentials::NEVER_TAKEN;
use super::found::{Found, Left, Origin, Reading, Source};
use crate::aws_files::config::{ConfigFile, ConfigProfile};

/// Fills in what the sources of the keys left open.
pub fn complete(reading: &mut Reading, config: &ConfigFile) {
    for found in reading.found.iter_mut().filter(|found| found.key.is_some()) {
        let Some(profile) = profile_of(found, config) else { continue };
        let settings = &mut found.settings;
        if settings.region.is_none() {
            settings.region = profile.region().ok().flatten().map(|region| region.value);
        }
        if settings.mfa_serial.is_none() {
            settings.mfa_serial = profile.mfa_serial().ok().flatten().map(|serial| serial.value);
        }
        let unreadable = [("region", profile.region().is_err()), ("mfa_serial", profile.mfa_serial().is_err())];
        let unreadable = unreadable.into_iter().filter_map(|(setting, wrong)| wrong.then_some(setting));
        let left = unreadable.chain(NEVER_TAKEN).filter_map(|setting| left(&found.name, setting, profile, config));
        reading.left.extend(left);
    }
}

/// By the name that the profile is to have, else by its section's.
fn profile_of<'c>(found: &Found, config: &'c ConfigFile) -> Option<&'c ConfigProfile> {
    let names = std::iter::once(&found.name).chain(&found.origin.section);
    // A profile that stands there twice says nothing for sure.
    names.filter_map(|name| name.parse().ok()).find_map(|name| config.profile(&name).ok().flatten())
}

fn left(name: &str, setting: &'static str, profile: &ConfigProfile, config: &ConfigFile) -> Option<Left> {
    let (_, value, line) = profile.settings().find(|(key, _, _)| *key == setting)?;
    if value == Some("") {
        return None;
    }
    let origin = Origin {
        source: Source::Credentials,
        path: Some(config.path().to_owned()),
        section: Some(profile.name().to_owned()),
        line: Some(line),
    };
    let (setting, value) = (setting.into(), value.map(str::to_owned));
    Some(Left { setting, profile: Some(name.to_owned()), value, here: None, origin })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::credentials::read;
    use std::path::Path;

    const PAIR: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";
    const DEVICE: &str = "arn:aws:iam::123456789012:mfa/alice";

    fn completed(credentials: &str, config: &str) -> Reading {
        let wanted = [Source::Credentials, Source::AwsMfa];
        let mut reading = read(credentials.as_bytes(), Path::new("/credentials"), &wanted);
        complete(&mut reading, &ConfigFile::parse(Path::new("/config"), config.as_bytes()));
        reading
    }

    #[test]
    fn region_and_device_come_from_the_profile_of_the_same_name() {
        let config = format!("[profile a]\nregion = eu-central-1\nmfa_serial = {DEVICE}\n");
        for section in ["a", "a-long-term"] {
            let reading = completed(&format!("[{section}]\n{PAIR}"), &config);
            let settings = &reading.found[0].settings;
            assert_eq!(settings.region.as_ref().unwrap().as_str(), "eu-central-1");
            assert_eq!(settings.mfa_serial.as_ref().unwrap().as_str(), DEVICE);
        }
    }

    #[test]
    fn what_stands_beside_the_key_wins_and_other_profiles_say_nothing() {
        let credentials = format!("[a]\n{PAIR}region = us-west-2\n");
        let reading =
            completed(&credentials, "[profile a]\nregion = eu-central-1\n[profile b]\nmfa_serial = 123456789\n");
        assert_eq!(reading.found[0].settings.region.as_ref().unwrap().as_str(), "us-west-2");
        assert_eq!(reading.found[0].settings.mfa_serial, None);
    }

    #[test]
    fn commands_endpoints_roles_and_what_can_not_be_read_stay_where_they_are() {
        let config = "[profile a]\nmfa_process = otp\ncredential_process = other\nendpoint_url = http://x\n\
                      role_arn = arn:aws:iam::123456789012:role/x\nregion = Not A Region\n";
        let reading = completed(&format!("[a]\n{PAIR}"), config);
        let left: Vec<_> = reading.left.iter().map(|left| (&*left.setting, left.origin.line.unwrap())).collect();
        assert_eq!(left, [("region", 6), ("mfa_process", 2), ("credential_process", 3), ("endpoint_url", 4)]);
        let settings = &reading.found[0].settings;
        assert!(settings.role_arn.is_none() && settings.mfa_process.is_none() && settings.endpoint_url.is_none());
    }
}
