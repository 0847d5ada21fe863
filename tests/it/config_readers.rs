//! `~/.aws/config` means the same to this program as to AWS's SDK for Rust, wherever both take it. Where the SDKs themselves
//! differ, ours reads what any of them does, as src/aws_files/ini.rs says; those ways of writing are left out here.

use std::path::Path;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use proptest::prelude::*;
use vault::aws_files::config::ConfigFile;
use vault::names::ProfileName;

const NAMES: [&str; 3] = ["default", "a", "b-2"];
const KEYS: [&str; 6] =
    ["role_arn", "source_profile", "region", "external_id", "credential_process", "duration_seconds"];

fn sdk(text: &str) -> Option<EnvConfigSections> {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (fs, env) = (Fs::from_slice(&[]), Env::from_slice(&[]));
    let source = runtime.block_on(source::load(&env, &fs, &files)).ok()?;
    EnvConfigSections::parse(source).ok()
}

/// What ours reads, or none where it refuses the profile.
fn ours(config: &ConfigFile, name: &ProfileName, key: &str) -> Option<Option<String>> {
    let Some(profile) = config.profile(name).ok()? else { return Some(None) };
    let found = profile.settings().find(|(known, ..)| *known == key);
    match found {
        // On several lines: refused once it is used.
        Some((_, None, _)) => None,
        Some((_, Some(text), _)) => Some(Some(text.to_owned()).filter(|text| !text.is_empty())),
        None => Some(None),
    }
}

fn compare(text: &str) -> Result<(), TestCaseError> {
    let Some(theirs) = sdk(text) else { return Ok(()) };
    let config = ConfigFile::parse(Path::new("config"), text.as_bytes());
    for name in NAMES {
        let parsed = name.parse().unwrap();
        for key in KEYS {
            let Some(ours) = ours(&config, &parsed, key) else { continue };
            let theirs = theirs.get_profile(name).and_then(|profile| profile.get(key));
            // More lines of a value, an indented comment among them, are read in as many ways as there are tools.
            if theirs.is_some_and(|text| text.contains('\n')) {
                continue;
            }
            // A value that looks like a comment is none to ours: no role, region or command starts like that.
            let theirs = theirs.filter(|text| !text.is_empty() && !text.starts_with(['#', ';'])).map(str::to_owned);
            prop_assert_eq!(ours, theirs, "`{}` of {} in\n{}", key, name, text);
        }
    }
    Ok(())
}

/// Without quotes around the name, which botocore takes off and the SDK for Rust does not.
fn header() -> impl Strategy<Value = String> {
    let name = prop::sample::select(NAMES.to_vec());
    (name, 0..7usize).prop_map(|(name, form)| match form {
        0..=2 => format!("[profile {name}]"),
        3 => format!("[{name}]"),
        4 => format!("[ profile  {name} ]"),
        5 => format!("[profile {name}] # note"),
        _ => format!("[sso-session {name}]"),
    })
}

/// Without `:` for `=`, which is botocore's alone too.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select([&KEYS[..], &["output", "s3", "Region"]].concat());
    let value = prop::sample::select(vec![
        "x",
        "arn:aws:iam::123456789012:role/a",
        "a b",
        "x # note",
        "x #note",
        "x;y",
        "x ; y",
        "\"x\"",
        "1=2",
        "",
        "#",
        "é",
    ]);
    let equals = prop::sample::select(vec![" = ", "=", " =", "= ", "\t=\t"]);
    let setting = (key, equals, value).prop_map(|(key, equals, value)| format!("{key}{equals}{value}"));
    let other =
        prop::sample::select(vec!["", "# note", "; note", "  # indented", "  deep = 1", "\tmore", " ", "[", "words"]);
    prop_oneof![2 => header(), 6 => setting, 2 => other.prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_setting_is_read_as_awss_sdk_for_rust_reads_it(
        first in header(),
        lines in prop::collection::vec(line(), 0..12),
        end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        compare(&([vec![first], lines].concat().join(end) + end))?;
    }
}
