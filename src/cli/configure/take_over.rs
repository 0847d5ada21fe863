//! A role that moves from `~/.aws/config` into the vault, and whether it is there as it came.

use crate::aws_files::config::ConfigFile;
use crate::aws_files::ini::Ini;
use crate::aws_files::ini::edit::TakenLine;
use crate::cli::failure::Failure;
use crate::cli::settings::{self, OF_A_PROFILE};
use crate::export::process_line::{ROLE_KEYS, key_of};
use crate::names::ProfileName;
use crate::store::document::{Document, Profile, StoredLine};

/// The vault's key would sign for the user, and the AWS tools would assume the role: one name can't mean both.
pub fn no_role_beside_a_key(name: &ProfileName, config: &ConfigFile) -> Result<(), Failure> {
    let section = config.profile(name)?;
    let key = ["role_arn", "source_profile"].into_iter().find_map(|key| Some((key, section?.line_of(key)?)));
    match key {
        Some((key, line)) => {
            Err(Failure::RoleBesideKey { path: config.path().to_owned(), line, name: name.clone(), key })
        }
        None => Ok(()),
    }
}

/// Puts the lines' settings into the profile, and the lines themselves. Until they are gone from the config file both say the
/// same, and the vault is believed first: a crash between the two saves changes nothing for anybody.
pub fn into_document(
    document: &mut Document,
    name: &ProfileName,
    lines: &[TakenLine],
    config: &ConfigFile,
) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    if let Some(section) = config.profile(name)? {
        // Whatever is wrong with one is told by its line.
        section.role_arn()?;
        section.source_profile()?;
        section.mfa_serial()?;
        section.duration()?;
    }
    let held = document.profiles.get(name).filter(|held| !is_as_it_came(held));
    let mut profile = held.cloned().unwrap_or_default();
    for (key, value) in settings_in(lines) {
        let Some(setting) = OF_A_PROFILE.iter().find(|setting| setting.name == key) else { continue };
        let before = (setting.get)(&profile);
        settings::change(&OF_A_PROFILE, &mut profile, &key, Some(&value))?;
        if before.is_some() && before != (setting.get)(&profile) {
            let line = config.profile(name)?.and_then(|section| section.line_of(setting.name)).unwrap_or_default();
            let path = config.path().to_owned();
            return Err(Failure::TakenDiffers { path, line, name: name.clone(), key: setting.name });
        }
    }
    let stored = |line: &TakenLine| StoredLine {
        at: u32::try_from(line.at).unwrap_or(u32::MAX),
        text: line.text.clone(),
        rest: toml::Table::new(),
    };
    profile.taken_over = lines.iter().map(stored).collect();
    document.profiles.insert(name.clone(), profile);
    Ok(())
}

/// The lines as they stood in the config file.
pub fn lines(profile: &Profile) -> Vec<TakenLine> {
    let line = |line: &StoredLine| TakenLine { at: line.at as usize, text: line.text.clone() };
    profile.taken_over.iter().map(line).collect()
}

/// Whether nothing is in the profile but what its lines say.
pub fn is_as_it_came(profile: &Profile) -> bool {
    let mut made = Profile { taken_over: profile.taken_over.clone(), ..Profile::default() };
    let set = |(key, value): (String, String)| settings::change(&OF_A_PROFILE, &mut made, &key, Some(&value)).is_ok();
    !profile.taken_over.is_empty()
        && profile.access_key.is_none()
        && settings_in(&lines(profile)).into_iter().all(set)
        && same(&made, profile)
}

fn same(one: &Profile, other: &Profile) -> bool {
    let table = |profile: &Profile| toml::Table::try_from(profile).ok();
    table(one).is_some_and(|one| table(other) == Some(one))
}

/// Keys and values of those that make a role.
fn settings_in(lines: &[TakenLine]) -> Vec<(String, String)> {
    let of_role = lines.iter().filter(|line| ROLE_KEYS.contains(&key_of(line).as_str()));
    let section: String =
        std::iter::once("[role]\n").chain(of_role.flat_map(|line| [line.text.trim_end(), "\n"])).collect();
    let ini = Ini::parse(section.as_bytes());
    let entries = ini.sections().flat_map(|section| section.entries());
    entries.filter_map(|entry| Some((entry.key().to_owned(), entry.text()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 3] =
        ["Role_Arn = arn:aws:iam::123456789012:role/x ; mine\r\n", "source_profile=a\n", "duration_seconds: 1h"];

    fn profile() -> Profile {
        let line = |text: &&str| StoredLine { at: 1, text: (*text).to_owned(), rest: toml::Table::new() };
        Profile {
            role_arn: Some("arn:aws:iam::123456789012:role/x".parse().unwrap()),
            source_profile: Some("a".parse().unwrap()),
            duration_seconds: Some(3600),
            taken_over: LINES.iter().map(line).collect(),
            ..Profile::default()
        }
    }

    #[test]
    fn a_role_is_as_it_came_until_anything_of_it_changes() {
        assert!(is_as_it_came(&profile()));
        let region = Some("eu-central-1".parse().unwrap());
        let unknown: toml::Table = [("later".to_owned(), true.into())].into_iter().collect();
        for changed in [
            Profile { region, ..profile() },
            Profile { duration_seconds: None, ..profile() },
            Profile { source_profile: Some("b".parse().unwrap()), ..profile() },
            Profile { rest: unknown, ..profile() },
            Profile { taken_over: Vec::new(), ..profile() },
        ] {
            assert!(!is_as_it_came(&changed));
        }
    }
}
