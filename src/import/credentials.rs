//! `~/.aws/credentials`, and the files of other tools that look like it. The tools keep the long-term pair under names of
//! their own and put sessions where the AWS tools look:
//!
//! | tool | the pair | its sessions |
//! |---|---|---|
//! | aws-mfa | `[NAME-long-term]`, with `aws_mfa_device` and `assume_role` | `[NAME]` |
//! | AWS-recipes | `[NAME-nomfa]`, earlier `[NAME]` of `credentials.no-mfa`, with `aws_mfa_serial` | `[NAME]` |
//! | awsmfa | `[identity]` | `[default]` |
//! | stscreds | `[NAME]` of `~/.stscreds/credentials` | `[NAME]` |

use std::path::Path;

use super::aws_mfa;
use super::found::{Found, Left, Origin, Reading, Skipped, Source, Why};
use crate::aws_files::credentials::{CredentialsFile, CredentialsSection, Holds};
use crate::aws_files::ini::{Ini, Section};
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::store::document::Profile;

const AWS_RECIPES_SUFFIX: &str = "-nomfa";
const AWSMFA_IDENTITY: &str = "identity";
const DEFAULT: &str = "default";

/// What the tools call the device beside the pair.
const SERIAL_KEYS: [&str; 3] = ["mfa_serial", "aws_mfa_serial", "aws_mfa_device"];

/// Run or lead elsewhere, wherever they stand.
pub(super) const NEVER_TAKEN: [&str; 3] = ["mfa_process", "credential_process", "endpoint_url"];

/// Reads `~/.aws/credentials` by the layouts that are wanted, each section by the first that knows it.
pub fn read(bytes: &[u8], path: &Path, wanted: &[Source]) -> Reading {
    let file = CredentialsFile::parse(bytes);
    let sessions_in_default = file.section(DEFAULT).is_some_and(|it| matches!(it.holds, Holds::Session { .. }));
    sections(bytes, path, |section| {
        let knows = |source, suffix: &str| {
            let name = section.strip_suffix(suffix).filter(|name| !name.is_empty())?;
            wanted.contains(&source).then(|| Placed { source, name: name.to_owned(), destination: None })
        };
        let is_identity = section == AWSMFA_IDENTITY && (sessions_in_default || *wanted == [Source::Awsmfa]);
        let identity = (is_identity && wanted.contains(&Source::Awsmfa)).then(|| Placed {
            source: Source::Awsmfa,
            name: section.to_owned(),
            destination: DEFAULT.parse().ok(),
        });
        let plain = || wanted.contains(&Source::Credentials).then(|| Placed::plain(Source::Credentials, section));
        knows(Source::AwsMfa, aws_mfa::SUFFIX)
            .or_else(|| knows(Source::AwsRecipes, AWS_RECIPES_SUFFIX))
            .or(identity)
            .or_else(plain)
    })
}

/// Reads a file of which every section is a profile of that name.
pub fn read_plain(bytes: &[u8], path: &Path, source: Source) -> Reading {
    sections(bytes, path, |section| Some(Placed::plain(source, section)))
}

/// What a layout makes of a section.
struct Placed {
    source: Source,
    name: String,
    destination: Option<ProfileName>,
}

impl Placed {
    fn plain(source: Source, section: &str) -> Self {
        Self { source, name: section.to_owned(), destination: None }
    }
}

fn sections(bytes: &[u8], path: &Path, place: impl Fn(&str) -> Option<Placed>) -> Reading {
    let ini = Ini::parse(bytes);
    let file = CredentialsFile::parse(bytes);
    let mut reading = Reading::default();
    for (section, read) in ini.sections().zip(file.sections()) {
        if let Some(placed) = place(&read.name) {
            reading.extend(one(path, section, read, placed));
        }
    }
    reading
}

fn one(path: &Path, section: &Section<'_>, read: &CredentialsSection, placed: Placed) -> Reading {
    let origin = Origin {
        source: placed.source,
        path: Some(path.to_owned()),
        section: Some(read.name.clone()),
        line: Some(read.line),
    };
    let skipped = |why, origin| {
        let skipped = Skipped { name: read.name.clone(), why, origin };
        Reading { skipped: vec![skipped], ..Reading::default() }
    };
    match &read.holds {
        Holds::Nothing => Reading::default(),
        // Ours: it comes and goes by login and logout.
        Holds::Session { .. } if read.written_by_us => Reading::default(),
        Holds::Session { .. } => skipped(Why::Session, origin),
        Holds::Unclear { line } => skipped(Why::Unclear, Origin { line: Some(*line), ..origin }),
        Holds::LongTerm(key) => long_term(section, read, key, placed, origin),
    }
}

fn long_term(
    section: &Section<'_>,
    read: &CredentialsSection,
    key: &AccessKey,
    placed: Placed,
    origin: Origin,
) -> Reading {
    let mut left = Vec::new();
    let settings = Profile {
        region: parsed(section, &["region"], &placed.name, &origin, &mut left),
        mfa_serial: parsed(section, &SERIAL_KEYS, &placed.name, &origin, &mut left),
        destination_profile: placed.destination,
        ..Profile::default()
    };
    let role = role_of(section, read, &placed.name, &origin, &mut left);
    left.extend(never_taken(section, &placed.name, &origin));
    // With a role, the tool's sessions are the role's: they keep the name, and the pair its own.
    let name = if role.is_some() { read.name.clone() } else { placed.name };
    let user = Found { name, key: Some(key.clone().into()), settings, origin, duplicate: read.duplicate };
    Reading { found: std::iter::once(user).chain(role).collect(), left, ..Reading::default() }
}

/// The role that aws-mfa signs in to by itself.
fn role_of(
    section: &Section<'_>,
    read: &CredentialsSection,
    name: &str,
    origin: &Origin,
    left: &mut Vec<Left>,
) -> Option<Found> {
    if origin.source != Source::AwsMfa {
        return None;
    }
    let role_arn = parsed(section, &["assume_role"], name, origin, left)?;
    let source_profile = Some(read.name.parse().ok()?);
    let settings = Profile { role_arn: Some(role_arn), source_profile, ..Profile::default() };
    Some(Found { name: name.to_owned(), key: None, settings, origin: origin.clone(), duplicate: read.duplicate })
}

fn parsed<T: std::str::FromStr>(
    section: &Section<'_>,
    keys: &[&'static str],
    name: &str,
    origin: &Origin,
    left: &mut Vec<Left>,
) -> Option<T> {
    let (setting, entry) = keys.iter().find_map(|key| Some((*key, section.entry(key)?)))?;
    if entry.is_empty() {
        return None;
    }
    let value = entry.text().and_then(|text| text.parse().ok());
    if value.is_none() {
        left.push(left_at(setting, name, entry.text(), origin, entry.line_number()));
    }
    value
}

fn never_taken<'s>(section: &'s Section<'_>, name: &'s str, origin: &'s Origin) -> impl Iterator<Item = Left> + 's {
    NEVER_TAKEN.into_iter().filter_map(move |setting| {
        let entry = section.entry(setting).filter(|entry| !entry.is_empty())?;
        Some(left_at(setting, name, entry.text(), origin, entry.line_number()))
    })
}

fn left_at(setting: &'static str, name: &str, value: Option<&str>, origin: &Origin, line: usize) -> Left {
    Left {
        setting: setting.into(),
        profile: Some(name.to_owned()),
        value: value.map(str::to_owned),
        here: None,
        origin: Origin { line: Some(line), ..origin.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Source; 4] = [Source::Credentials, Source::AwsMfa, Source::AwsRecipes, Source::Awsmfa];
    const DEVICE: &str = "arn:aws:iam::123456789012:mfa/alice";
    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SESSION: &str = "[default]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n\
                           aws_session_token = t\n";

    fn pair(section: &str) -> String {
        format!("[{section}]\naws_access_key_id = {ID}\naws_secret_access_key = secret/of/{section}\n")
    }

    fn read_all(text: &str) -> Reading {
        read(text.as_bytes(), Path::new("/f"), &ALL)
    }

    fn told(reading: &Reading) -> Vec<(&str, &str)> {
        reading.found.iter().map(|found| (found.name.as_str(), found.origin.source.name())).collect()
    }

    #[test]
    fn each_tools_layout_gives_the_name_that_its_sessions_had() {
        let text = ["prod-long-term", "dev-nomfa", "identity", "plain"].map(pair).concat() + SESSION;
        let reading = read_all(&text);
        assert_eq!(
            told(&reading),
            [("prod", "aws-mfa"), ("dev", "aws-recipes"), ("identity", "awsmfa"), ("plain", "credentials")]
        );
        let secrets = reading.found.iter().map(|found| found.key.as_ref().unwrap().pair.secret.expose());
        assert!(
            secrets.eq(["prod-long-term", "dev-nomfa", "identity", "plain"].map(|name| format!("secret/of/{name}")))
        );
        assert_eq!(reading.found[2].settings.destination_profile, "default".parse().ok());
        let lines: Vec<_> = reading.found.iter().map(|found| found.origin.line.unwrap()).collect();
        assert_eq!(lines, [1, 4, 7, 10]);
    }

    #[test]
    fn a_layout_that_is_not_asked_for_is_not_looked_for() {
        let text = ["prod-long-term", "dev-nomfa", "identity"].map(pair).concat();
        let only = |source| read(text.as_bytes(), Path::new("/f"), &[source]);
        assert_eq!(told(&only(Source::AwsMfa)), [("prod", "aws-mfa")]);
        assert_eq!(told(&only(Source::AwsRecipes)), [("dev", "aws-recipes")]);
        assert_eq!(told(&only(Source::Awsmfa)), [("identity", "awsmfa")]);
        let plain = ["prod-long-term", "dev-nomfa", "identity"].map(|name| (name, "credentials"));
        assert_eq!(told(&only(Source::Credentials)), plain);
        assert_eq!(told(&read_all(&pair("identity"))), [("identity", "credentials")], "without awsmfa's own session");
    }

    #[test]
    fn the_device_is_found_under_every_name_it_has_beside_a_key() {
        for (section, key) in [
            ("p-long-term", "aws_mfa_device"),
            ("p-nomfa", "aws_mfa_serial"),
            ("p", "mfa_serial"),
            ("p", "Aws_Mfa_Serial"),
        ] {
            let reading = read_all(&format!("{}{key} = {DEVICE}\nregion = eu-central-1\n", pair(section)));
            let found = &reading.found[0];
            assert_eq!((found.name.as_str(), found.settings.mfa_serial.as_ref().unwrap().as_str()), ("p", DEVICE));
            assert_eq!(found.settings.region.as_ref().unwrap().as_str(), "eu-central-1");
        }
        let wrong = read_all(&format!("{}mfa_serial = arn:aws:iam::123456789012:user/alice\n", pair("p")));
        assert_eq!(wrong.found[0].settings.mfa_serial, None);
        assert_eq!((&*wrong.left[0].setting, wrong.left[0].origin.line), ("mfa_serial", Some(4)));
    }

    #[test]
    fn a_role_that_aws_mfa_signed_in_to_keeps_the_name_and_the_pair_keeps_its_own() {
        let role = "arn:aws:iam::123456789012:role/admin";
        let reading = read_all(&format!("{}assume_role = {role}\n", pair("prod-long-term")));
        assert_eq!(told(&reading), [("prod-long-term", "aws-mfa"), ("prod", "aws-mfa")]);
        let settings = &reading.found[1].settings;
        assert_eq!(settings.role_arn.as_ref().unwrap().as_str(), role);
        assert_eq!(settings.source_profile.as_ref().unwrap().as_str(), "prod-long-term");
        assert!(reading.found[1].key.is_none());
    }

    #[test]
    fn sessions_and_halves_are_named_and_our_own_sections_are_not() {
        let id = "ASIAIOSFODNN7EXAMPLE".parse().unwrap();
        let ours = SESSION.replace("[default]\n", &format!("[ours]\n{}\n", crate::aws_files::credentials::mark(&id)));
        let text = format!("{SESSION}{ours}[half]\naws_secret_access_key = s\n[empty]\nregion = x\n");
        let reading = read_all(&text);
        let skipped: Vec<_> = reading.skipped.iter().map(|it| (it.name.as_str(), &it.why, it.origin.line)).collect();
        assert_eq!(skipped, [("default", &Why::Session, Some(1)), ("half", &Why::Unclear, Some(11))]);
        assert!(reading.found.is_empty());
    }

    #[test]
    fn commands_and_endpoints_are_left_and_doubles_are_told() {
        let text = format!("{}mfa_process = evil\nendpoint_url = http://evil\n[p]\n", pair("p"));
        let reading = read_all(&text);
        let left: Vec<_> = reading.left.iter().map(|it| (&*it.setting, it.value.as_deref().unwrap())).collect();
        assert_eq!(left, [("mfa_process", "evil"), ("endpoint_url", "http://evil")]);
        assert_eq!(reading.found[0].duplicate, Some(6));
        let settings = &reading.found[0].settings;
        assert!(settings.mfa_process.is_none() && settings.endpoint_url.is_none() && settings.rest.is_empty());
    }

    #[test]
    fn a_file_of_stscreds_has_profiles_by_their_own_names() {
        let text = format!("{}temp_credentials_expire = 2026-01-01T00:00:00Z\n", pair("default"));
        let reading = read_plain(text.as_bytes(), Path::new("/f"), Source::Stscreds);
        assert_eq!(told(&reading), [("default", "stscreds")]);
    }
}
