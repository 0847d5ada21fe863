use super::*;
use crate::aws_files::ini::edit::EditError;
use crate::disk::RealDisk;
use crate::secret::{SecretAccessKey, SessionToken};
use std::fs;
use std::path::PathBuf;

const OWN_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const OWN_SECRET: &str = "own/secret";

/// CRLF, tabs, comments between keys, upper-case keys, others' sections, bytes that are no UTF-8, no final newline.
const NASTY: &[u8] = b"\xef\xbb\xbf# made by hand \xff\xfe\r\n\
[other]\r\n\
AWS_ACCESS_KEY_ID\t=\tAKIAOTHEROTHEROTHER1\r\n\
# between\r\n\
aws_secret_access_key=others/secret+=\r\n\
\r\n\
[prod]\r\n\
# mine\r\n\
AWS_ACCESS_KEY_ID\t= AKIAIOSFODNN7EXAMPLE\r\n\
Region:us-east-1\r\n\
; half\r\n\
aws_secret_access_key = own/secret\r\n\
aws_security_token = stale\r\n\
s3 =\r\n\
\tmax_concurrent_requests = 1\r\n\
\r\n\
# about last\r\n\
[last]\r\n\
aws_session_token\t= x\r\n\
aws_access_key_id = ASIALASTLASTLASTLAST";

const NASTY_WRITTEN: &[u8] = b"\xef\xbb\xbf# made by hand \xff\xfe\r\n\
[other]\r\n\
AWS_ACCESS_KEY_ID\t=\tAKIAOTHEROTHEROTHER1\r\n\
# between\r\n\
aws_secret_access_key=others/secret+=\r\n\
\r\n\
[prod]\r\n\
# session of vault (ASIA...MPLE): login renews it, logout removes it\r\n\
# mine\r\n\
aws_access_key_id = ASIAIOSFODNN7EXAMPLE\r\n\
Region:us-east-1\r\n\
; half\r\n\
aws_secret_access_key = wJalr/XUtnFEMI+K7=\r\n\
s3 =\r\n\
\tmax_concurrent_requests = 1\r\n\
aws_session_token = token/of+session==\r\n\
aws_credential_expiration = 2026-01-02T03:04:05Z\r\n\
\r\n\
# about last\r\n\
[last]\r\n\
aws_session_token\t= x\r\n\
aws_access_key_id = ASIALASTLASTLASTLAST";

struct Home {
    _folder: tempfile::TempDir,
    credentials: PathBuf,
    config: ConfigFile,
}

impl Home {
    fn with(credentials: &[u8], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("credentials");
        fs::write(&path, credentials).unwrap();
        let config = ConfigFile::parse(Path::new("/config"), config.as_bytes());
        Self { _folder: folder, credentials: path, config }
    }

    fn bytes(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.credentials).unwrap()).into_owned()
    }

    /// Prepares and commits, the vault holding `OWN_KEY`.
    fn export(&self, target: &str, replace_long_term: bool) -> Result<Option<AccessKey>, ExportError> {
        let name = target.parse().unwrap();
        let own = AccessKey { id: OWN_KEY.parse().unwrap(), secret: SecretAccessKey::new(OWN_SECRET.into()) };
        let target = Target { name: &name, vault_key: Some(&own), replace_long_term };
        let prepared = prepare(&RealDisk, &self.credentials, &self.config, target)?;
        let replaces = prepared.replaces().cloned();
        prepared.commit(&RealDisk, &session()).map(|()| replaces)
    }

    /// What it was refused for; the file must be as before.
    fn refusal(&self, target: &str) -> ExportError {
        let before = self.bytes();
        let refused = self.export(target, false).err().expect("was written");
        assert_eq!(self.bytes(), before);
        refused
    }
}

fn session() -> SessionCredentials {
    SessionCredentials {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
        secret_access_key: SecretAccessKey::new("wJalr/XUtnFEMI+K7=".into()),
        session_token: SessionToken::new("token/of+session==".into()),
        expiration: "2026-01-02T03:04:05.6Z".parse().unwrap(),
    }
}

#[test]
fn a_nasty_file_keeps_every_byte_that_is_not_ours() {
    let home = Home::with(NASTY, "");
    assert!(home.export("prod", false).unwrap().is_none());
    assert_eq!(home.bytes(), String::from_utf8_lossy(NASTY_WRITTEN));
    assert!(home.export("prod", false).unwrap().is_none(), "our own session is replaced unasked");
    assert_eq!(home.bytes(), String::from_utf8_lossy(NASTY_WRITTEN));
}

#[test]
fn a_new_section_is_written_as_all_sdks_read_it_and_taken_away_again() {
    let before = [NASTY, b"\r\n"].concat();
    let home = Home::with(&before, "");
    home.export("new", false).unwrap();
    let section = "[new]\r\n# session of vault (ASIA...MPLE): login renews it, logout removes it\r\n\
        aws_access_key_id = ASIAIOSFODNN7EXAMPLE\r\naws_secret_access_key = wJalr/XUtnFEMI+K7=\r\n\
        aws_session_token = token/of+session==\r\naws_credential_expiration = 2026-01-02T03:04:05Z\r\n";
    assert_eq!(home.bytes(), String::from_utf8_lossy(&before) + section);
    let removed = remove_exported(&RealDisk, &home.credentials, Exported::All).unwrap();
    assert_eq!(removed, ["new"]);
    assert_eq!(fs::read(&home.credentials).unwrap(), before);
}

#[test]
fn a_logout_leaves_what_is_not_ours_in_the_section() {
    let home = Home::with(NASTY, "");
    home.export("prod", false).unwrap();
    remove_exported(&RealDisk, &home.credentials, Exported::All).unwrap();
    let left = home.bytes();
    assert!(
        left.contains("[prod]\r\n# mine\r\nRegion:us-east-1\r\n; half\r\ns3 =\r\n\tmax_concurrent_requests = 1\r\n")
    );
    assert!(left.starts_with(&*String::from_utf8_lossy(&NASTY[..100])));
    assert!(
        left.ends_with("# about last\r\n[last]\r\naws_session_token\t= x\r\naws_access_key_id = ASIALASTLASTLASTLAST")
    );
}

#[test]
fn a_logout_takes_only_sections_that_we_wrote_and_that_were_meant() {
    let home = Home::with(b"[theirs]\naws_access_key_id = ASIATHEIRSTHEIRS1234\naws_secret_access_key = s\n", "");
    home.export("a", false).unwrap();
    home.export("b", false).unwrap();
    let names = ["b".parse().unwrap(), "theirs".parse().unwrap()];
    assert_eq!(
        remove_exported(&RealDisk, &home.credentials, Exported::Of { names: &names, sessions: &[] }).unwrap(),
        ["b"]
    );
    assert!(home.bytes().contains("[theirs]\n") && home.bytes().contains("[a]\n"));
    assert_eq!(remove_exported(&RealDisk, &home.credentials, Exported::All).unwrap(), ["a"]);
    assert_eq!(remove_exported(&RealDisk, &home.credentials, Exported::All).unwrap(), [""; 0]);
    assert!(home.bytes().starts_with("[theirs]\n") && !home.bytes().contains("[a]"));
}

#[test]
fn an_expired_session_goes_once_no_clock_can_be_wrong_about_it() {
    let home = Home::with(b"[theirs]\naws_session_token = t\naws_credential_expiration = 2020-01-01T00:00:00Z\n", "");
    home.export("over", false).unwrap();
    let at = |time: &str| Exported::Expired { now: time.parse().unwrap() };
    let before = home.bytes();
    for still in ["2026-01-02T03:04:04Z", "2026-01-02T03:09:05Z"] {
        assert_eq!(remove_exported(&RealDisk, &home.credentials, at(still)).unwrap(), [""; 0]);
    }
    assert_eq!(home.bytes(), before);
    assert_eq!(remove_exported(&RealDisk, &home.credentials, at("2026-01-02T03:09:06Z")).unwrap(), ["over"]);
    assert!(home.bytes().starts_with("[theirs]\naws_session_token = t\n") && !home.bytes().contains("[over]"));
}

#[test]
fn a_key_that_its_owner_put_into_our_section_survives_a_logout_and_a_login() {
    let home = Home::with(b"", "");
    home.export("prod", false).unwrap();
    // As `aws configure` does it: the token stays.
    let configured = home.bytes().replace("ASIAIOSFODNN7EXAMPLE", "AKIANEWNEWNEWNEWNEW1");
    fs::write(&home.credentials, &configured).unwrap();
    assert!(remove_exported(&RealDisk, &home.credentials, Exported::All).unwrap().is_empty());
    assert!(matches!(home.refusal("prod"), ExportError::HoldsLongTermKey { .. }));
    assert_eq!(home.bytes(), configured);
}

#[test]
fn a_long_term_key_that_is_not_the_vaults_is_handed_over_before_it_is_replaced() {
    let home = Home::with(NASTY, "");
    let ExportError::HoldsLongTermKey { path, line, name, id } = home.refusal("other") else { panic!("other refusal") };
    assert_eq!((path, line, &*name, id.as_str()), (home.credentials.clone(), 2, "other", "AKIAOTHEROTHEROTHER1"));
    let handed = home.export("other", true).unwrap().expect("a key to be saved");
    assert_eq!((handed.id.as_str(), handed.secret.expose()), ("AKIAOTHEROTHEROTHER1", "others/secret+="));
    assert!(!home.bytes().contains("others/secret"));
}

#[test]
fn a_key_that_came_after_the_check_is_not_replaced() {
    let home = Home::with(b"", "");
    let name = "prod".parse().unwrap();
    let target = Target { name: &name, vault_key: None, replace_long_term: true };
    let prepared = prepare(&RealDisk, &home.credentials, &home.config, target).unwrap();
    fs::write(&home.credentials, "[prod]\naws_access_key_id = AKIANEWNEWNEWNEWNEW1\naws_secret_access_key = s\n")
        .unwrap();
    let before = home.bytes();
    assert!(matches!(prepared.commit(&RealDisk, &session()), Err(ExportError::ChangedMeanwhile { .. })));
    assert_eq!(home.bytes(), before);
}

#[test]
fn a_secret_of_unknown_kind_is_never_replaced() {
    let home = Home::with(b"[prod]\naws_access_key_id = test\naws_secret_access_key = test\n", "");
    assert!(matches!(home.refusal("prod"), ExportError::HoldsUnclearKey { line: 3, .. }));
    assert!(home.export("prod", true).is_err());
}

#[test]
fn a_double_is_refused_by_its_line() {
    let home = Home::with(b"[prod]\n[x]\n[prod]\n[y]\nk=1\nK=2\n", "");
    let refused = home.refusal("prod");
    assert!(matches!(refused, ExportError::Edit { error: EditError::DuplicateSection { line: 3 }, .. }));
    assert!(matches!(home.refusal("y"), ExportError::Edit { error: EditError::DuplicateKey { line: 6, .. }, .. }));
}

#[test]
fn a_section_that_sdks_pass_over_is_never_the_target() {
    let config = "[profile role]\nregion = x\nrole_arn = y\n[profile twice]\n[profile twice]\n";
    let home = Home::with(b"[prod]\nsso_account_id = 1\n", config);
    let ExportError::Outranked { path, line: 3, section, key, .. } = home.refusal("role") else {
        panic!("other refusal")
    };
    assert_eq!((path, &*section, &*key), (PathBuf::from("/config"), "profile role", "role_arn"));
    let ExportError::Outranked { path, line: 2, section, key, .. } = home.refusal("prod") else {
        panic!("other refusal")
    };
    assert_eq!((path, &*section, &*key), (home.credentials.clone(), "prod", "sso_account_id"));
    assert!(matches!(home.refusal("twice"), ExportError::Config(_)));
    assert!(matches!(home.refusal("DEFAULT"), ExportError::ReservedName { .. }));
}

#[test]
fn a_credential_process_that_the_session_hides_is_told() {
    let home = Home::with(b"", "[profile prod]\ncredential_process = x\n");
    let name = "prod".parse().unwrap();
    let target = Target { name: &name, vault_key: None, replace_long_term: false };
    let prepared = prepare(&RealDisk, &home.credentials, &home.config, target).unwrap();
    assert_eq!(prepared.shadows_credential_process(), Some(2));
}

#[test]
fn a_hostile_token_cannot_add_a_line() {
    let home = Home::with(b"[a]\nk = 1\n", "");
    let name = "prod".parse().unwrap();
    let target = Target { name: &name, vault_key: None, replace_long_term: false };
    let prepared = prepare(&RealDisk, &home.credentials, &home.config, target).unwrap();
    let hostile = SessionCredentials { session_token: SessionToken::new("x\n[a]\nk = 2".into()), ..session() };
    let refused = prepared.commit(&RealDisk, &hostile);
    assert!(
        matches!(refused, Err(ExportError::Edit { error: EditError::Unwritable { key }, .. }) if key == SESSION_TOKEN)
    );
    assert_eq!(home.bytes(), "[a]\nk = 1\n");
}

#[test]
fn eight_writers_of_eight_sections_leave_eight_sections() {
    for _ in 0..20 {
        let home = Home::with(NASTY, "");
        let names: Vec<String> = (0..8).map(|number| format!("profile{number}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                scope.spawn(|| home.export(name, false).unwrap());
            }
        });
        let file = crate::aws_files::credentials::CredentialsFile::load(&RealDisk, &home.credentials).unwrap();
        assert!(names.iter().all(|name| file.section(name).is_some_and(|section| section.written_by_us)));
        assert_eq!(file.sections().count(), 3 + 8);
        assert!(fs::read(&home.credentials).unwrap().starts_with(NASTY));
    }
}

/// The id and the token that the Rust SDK finds for a profile.
#[expect(deprecated, reason = "the crate that these types moved to is no dependency of ours")]
fn read_by_the_rust_sdk(file: &Path, profile: &str) -> (String, String) {
    use aws_config::profile::ProfileFileCredentialsProvider;
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
    use aws_config::provider_config::ProviderConfig;
    use aws_sdk_sts::config::ProvideCredentials;

    let files = ProfileFiles::builder().with_file(ProfileFileKind::Credentials, file).build();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let configured = ProviderConfig::empty().with_http_client(http);
    let provider = ProfileFileCredentialsProvider::builder().configure(&configured).profile_files(files);
    let provider = provider.profile_name(profile).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(provider.provide_credentials()).unwrap();
    (found.access_key_id().to_owned(), found.session_token().unwrap_or_default().to_owned())
}

#[test]
fn the_rust_sdk_reads_what_we_wrote_and_what_stood_there() {
    let before = "[other]\r\nAWS_ACCESS_KEY_ID\t=\tAKIAOTHEROTHEROTHER1\r\n# between\r\naws_secret_access_key=s\r\n\
        [prod]\r\nAws_Access_Key_Id=AKIAIOSFODNN7EXAMPLE\r\naws_secret_access_key=own/secret\r\ns3 =\r\n\tmax = 1";
    let home = Home::with(before.as_bytes(), "");
    let written = ("ASIAIOSFODNN7EXAMPLE".to_owned(), "token/of+session==".to_owned());
    for target in ["prod", "default", "team/a.b@c:d+e"] {
        home.export(target, false).unwrap();
        assert_eq!(read_by_the_rust_sdk(&home.credentials, target), written, "{target}");
    }
    assert_eq!(read_by_the_rust_sdk(&home.credentials, "other").0, "AKIAOTHEROTHEROTHER1");
}

#[test]
fn a_key_of_the_vaults_id_with_another_secret_is_not_the_vaults_key() {
    let home =
        Home::with(b"[prod]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = the/right/one\n", "");
    assert!(matches!(home.refusal("prod"), ExportError::HoldsLongTermKey { .. }));
    let saved = home.export("prod", true).ok().flatten().unwrap();
    assert_eq!(saved.secret.expose(), "the/right/one");
}

#[test]
fn a_file_that_is_no_text_in_utf8_gets_nothing_appended() {
    let utf16: Vec<u8> = "\u{feff}[other]\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = Home::with(&utf16, "").refusal("prod");
    assert!(matches!(refused, ExportError::Edit { error: EditError::NotText, .. }));
}
