use super::*;

const FILE: &str = r#"[default]
region = us-east-1
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
[profile admin] # the role
ROLE_ARN = arn:aws:iam::123456789012:role/admin ; note
source_profile=default
mfa_serial = arn:aws:iam::123456789012:user/alice
session_duration = 2h
aws_secret_access_key = never kept
s3 =
  max_concurrent_requests = 1
[profile "my sso"]
sso_session = corp
[profile 'two']
region = eu-central-1
[bare]
region = us-west-2
[profile two]
"#;

fn name(text: &str) -> ProfileName {
    text.parse().unwrap()
}

fn config(text: &str) -> ConfigFile {
    ConfigFile::parse(Path::new("/c"), text.as_bytes())
}

fn used<'c>(config: &'c ConfigFile, profile: &str) -> &'c ConfigProfile {
    config.profile(&name(profile)).unwrap().unwrap()
}

#[test]
fn profiles_are_found_by_every_header_the_sdks_take_and_no_other() {
    let config = config(FILE);
    assert_eq!(config.names().collect::<Vec<_>>(), ["default", "admin", "my sso", "two"]);
    assert!(config.profile(&name("bare")).unwrap().is_none());
    assert_eq!(profile_name(b"profilex"), None);
    assert_eq!(profile_name(b"profile a b"), None);
    assert_eq!(profile_name(b"profile\t a"), Some("a"));
}

#[test]
fn a_setting_says_what_it_is_and_where_it_stands() {
    let config = config(FILE);
    let admin = used(&config, "admin");
    assert_eq!((admin.name(), admin.line()), ("admin", 5));
    let role = admin.role_arn().unwrap().unwrap();
    assert_eq!((role.value.role_name(), role.line), ("admin", 6));
    assert_eq!(admin.source_profile().unwrap().unwrap().value, name("default"));
    let duration = admin.duration().unwrap().unwrap();
    assert_eq!((duration.value.as_secs(), duration.line), (7200, 9));
    assert!(admin.region().unwrap().is_none());
    let keys: Vec<_> = admin.settings().map(|(key, _, line)| (key, line)).collect();
    assert_eq!(keys, [("role_arn", 6), ("source_profile", 7), ("mfa_serial", 8), ("session_duration", 9)]);
}

#[test]
fn awss_own_spelling_of_the_duration_wins() {
    let config = config("[default]\nduration = 1h\nsession_duration = 2h\nduration_seconds = 900\n");
    assert_eq!(used(&config, "default").duration().unwrap().unwrap().value.as_secs(), 900);
    let spelled = super::tests::config("[default]\nduration = 1h\n");
    assert_eq!(used(&spelled, "default").duration().unwrap().unwrap().value.as_secs(), 3600);
}

#[test]
fn a_wrong_setting_is_an_error_only_where_it_is_used() {
    let config = config(FILE);
    let admin = used(&config, "admin");
    let Err(ConfigError::Name { path, line: 8, key: "mfa_serial", reason }) = admin.mfa_serial() else {
        panic!("a user's ARN was taken for a serial")
    };
    assert_eq!(path, Path::new("/c"));
    assert!(matches!(reason, NameError::UserArnAsSerial { .. }));
    let wrong = super::tests::config("[profile x]\nduration_seconds = soon\nregion =\n  eu-central-1\n");
    let x = used(&wrong, "x");
    assert!(matches!(x.duration(), Err(ConfigError::Duration { line: 2, key: "duration_seconds", .. })));
    assert!(matches!(x.region(), Err(ConfigError::NotOneLine { line: 3, key: "region", .. })));
    assert!(x.external_id().unwrap().is_none());
}

#[test]
fn a_second_section_or_key_is_an_error_for_that_profile_alone() {
    let config = config(FILE);
    assert!(matches!(config.profile(&name("two")), Err(ConfigError::DuplicateProfile { line: 19, .. })));
    let doubled = super::tests::config("[profile a]\nregion = x\nRegion = y\n[profile b]\n");
    assert!(
        matches!(doubled.profile(&name("a")), Err(ConfigError::DuplicateKey { line: 3, key, .. }) if key == "region")
    );
    assert!(doubled.profile(&name("b")).unwrap().is_some());
    let default = super::tests::config("[default]\n[profile default]\n");
    assert!(matches!(default.profile(&name("default")), Err(ConfigError::DuplicateProfile { line: 2, .. })));
}

#[test]
fn keys_that_sdks_take_before_a_session_are_named() {
    for key in ["role_arn", "sso_account_id", "sso_session", "web_identity_token_file", "credential_source"] {
        let config = config(&format!("[profile x]\nregion = eu-central-1\n{key} =\n"));
        assert_eq!(used(&config, "x").outranks_credentials(), Some((key, 3)));
    }
    let process = config("[profile x]\ncredential_process = y\nregion = eu-central-1\n");
    assert_eq!(used(&process, "x").outranks_credentials(), None);
    assert_eq!(used(&process, "x").line_of("credential_process"), Some(2));
    assert!(!used(&process, "x").is_sso());
    assert!(used(&config("[profile x]\nsso_session = y\n"), "x").is_sso());
}

#[test]
fn the_digest_changes_with_the_meaning_and_with_nothing_else() {
    let digest = |text: &str| config(text).digest(&name("a"));
    let base = digest("[profile a]\nregion = x-1\nrole_arn = y\n[profile b]\n");
    assert_eq!(base, digest("# c\n[profile b]\nregion=z\n[profile \"a\"]\nROLE_ARN=y # n\nother = 1\nregion=x-1"));
    for other in [
        "",
        "[profile a]\n",
        "[profile a]\nregion = x-1\n",
        "[profile a]\nregion = x-1\nrole_arn = z\n",
        "[profile a]\nregion = y\nrole_arn = x-1\n",
        "[profile a]\nregion = x-1\nrole_arn =\n  y\n",
    ] {
        assert_ne!(base, digest(other), "{other}");
    }
    assert_ne!(digest(""), digest("[profile a]\n"));
}
