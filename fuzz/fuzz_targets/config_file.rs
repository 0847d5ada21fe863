//! A config file of any kind: what is read from a profile, written plainly, is read from there again.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vault::aws_files::config::{ConfigFile, ConfigProfile};
use vault::names::ProfileName;

fuzz_target!(|bytes: &[u8]| {
    let config = ConfigFile::parse(Path::new("config"), bytes);
    for name in config.names().filter_map(|name| name.parse::<ProfileName>().ok()) {
        let Ok(profile) = config.profile(&name) else { continue };
        let profile = profile.expect("a profile that is named is there");
        let Some(plain) = written_plainly(profile) else { continue };
        let again = ConfigFile::parse(Path::new("again"), plain.as_bytes());
        assert_eq!(again.names().collect::<Vec<_>>(), [name.as_str()]);
        assert_eq!(again.digest(&name), config.digest(&name), "{plain}");
        let same = again.profile(&name).ok().flatten().expect("one profile without doubles");
        assert_eq!(told(same), told(profile), "{plain}");
    }
});

/// None where a value is not one line of text.
fn written_plainly(profile: &ConfigProfile) -> Option<String> {
    let line = |(key, text, _)| Some(format!("{key} = {}\n", Option::<&str>::as_deref(&text)?));
    let lines = profile.settings().map(line).collect::<Option<String>>()?;
    Some(format!("[profile {}]\n{lines}", profile.name()))
}

/// What the settings are once they are parsed; what is wrong with one is another matter.
fn told(profile: &ConfigProfile) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        profile.role_arn().ok().flatten().map(|setting| setting.value.to_string()),
        profile.source_profile().ok().flatten().map(|setting| setting.value.to_string()),
        profile.mfa_serial().ok().flatten().map(|setting| setting.value.to_string()),
        profile.region().ok().flatten().map(|setting| setting.value.to_string()),
        profile.session_tags().ok().flatten().map(|setting| setting.value.to_string()),
        profile.transitive_session_tags().ok().flatten().map(|setting| setting.value.to_string()),
        profile.duration().ok().flatten().map(|setting| setting.value),
        profile.is_sso(),
        profile.outranks_credentials().map(|(key, _)| key),
    )
}
