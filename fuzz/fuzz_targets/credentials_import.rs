//! A plaintext credentials file of any tool: every long-term key in it is found once and has a place in the plan, nothing
//! that runs or leads elsewhere comes along, and no key is chosen over another.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vault::aws_files::credentials::{CredentialsFile, Holds};
use vault::import::credentials;
use vault::import::found::{Found, Reading, Source};
use vault::import::plan::Plan;

const TOOLS: [Source; 4] = [Source::AwsMfa, Source::AwsRecipes, Source::Awsmfa, Source::Credentials];

fuzz_target!(|bytes: &[u8]| {
    let reading = credentials::read(bytes, Path::new("credentials"), &TOOLS);
    check_keys(bytes, &reading);
    for Found { settings, .. } in &reading.found {
        assert!(settings.mfa_process.is_none() && settings.endpoint_url.is_none() && settings.rest.is_empty());
    }
    let found = reading.found.clone();
    let plan = Plan::of(reading, None, false);
    for found in &found {
        let mut rows = plan.rows.iter().filter(|row| row.found.is_some() && row.name == found.name);
        let row = rows.next().expect("a row for what was found");
        assert!(rows.next().is_none() && row.origins.contains(&found.origin));
        assert!(!row.changes_the_vault() || row.profile().is_some_and(|name| name.as_str() == found.name));
        if let (Some(found), Some(taken), true) = (&found.key, row.key(), row.changes_the_vault()) {
            assert!(found.pair.is_same_pair(taken), "a key was chosen over another");
        }
    }
});

/// What the reader found are the long-term keys of the file, in its order.
fn check_keys(bytes: &[u8], reading: &Reading) {
    let file = CredentialsFile::parse(bytes);
    let mut in_file = file.sections().filter_map(|section| match &section.holds {
        Holds::LongTerm(key) => Some((section.line, key)),
        _ => None,
    });
    let found = reading.found.iter().filter_map(|found| Some((found.origin.line?, &found.key.as_ref()?.pair)));
    for (line, pair) in found {
        assert!(in_file.next().is_some_and(|(here, key)| here == line && key.is_same_pair(pair)));
    }
    assert!(in_file.next().is_none(), "a key was not found");
}
