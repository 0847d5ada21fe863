//! Which profile a command means: the one named, or the default; and what to suggest when there is none of that name.

use crate::aws_files::config::ConfigFile;
use crate::names::ProfileName;
use crate::store::document::{Document, Profile};

use super::failure::Failure;
use super::picker;
use super::world::World;

/// How alike two names must be for one to be suggested for the other (Jaro-Winkler, 0 to 1).
pub const ALIKE: f64 = 0.8;

/// The name given, else `$AWS_PROFILE`, else the setting `default_profile`, else the only profile there is, else the one that
/// the person chooses.
pub fn or_default(given: Option<ProfileName>, document: &Document, world: &World) -> Result<ProfileName, Failure> {
    if let Some(name) = given {
        return Ok(name);
    }
    if let Some(name) = world.name_in("AWS_PROFILE")? {
        return Ok(name);
    }
    if let Some(name) = &document.settings.default_profile {
        return Ok(name.clone());
    }
    let mut names = document.profiles.keys();
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => picker::pick(document, world)?
            .ok_or_else(|| Failure::NameNeeded { names: document.profiles.keys().cloned().collect() }),
    }
}

pub fn in_vault<'a>(document: &'a Document, name: &ProfileName) -> Result<&'a Profile, Failure> {
    document.profiles.get(name).ok_or_else(|| unknown(name, document.profiles.keys().map(ProfileName::as_str)))
}

/// One whose keys may be taken away: an unfinished rotation has secrets that are nowhere else.
pub fn not_rotating<'a>(document: &'a Document, name: &ProfileName) -> Result<&'a Profile, Failure> {
    match in_vault(document, name)? {
        profile if profile.is_rotating() => Err(Failure::RotationUnfinished(name.clone())),
        profile => Ok(profile),
    }
}

pub fn in_vault_mut<'a>(document: &'a mut Document, name: &ProfileName) -> Result<&'a mut Profile, Failure> {
    if !document.profiles.contains_key(name) {
        return Err(unknown(name, document.profiles.keys().map(ProfileName::as_str)));
    }
    document.profiles.get_mut(name).ok_or_else(|| unknown(name, []))
}

/// Neither in the vault nor in the config file.
pub fn known_nowhere(name: &ProfileName, document: &Document, config: &ConfigFile) -> Failure {
    unknown(name, all(document, config))
}

/// The one of all profiles that was meant, perhaps.
pub fn alike_anywhere(name: &ProfileName, document: &Document, config: &ConfigFile) -> Option<String> {
    alike(name.as_str(), all(document, config)).map(str::to_owned)
}

fn all<'a>(document: &'a Document, config: &'a ConfigFile) -> impl Iterator<Item = &'a str> {
    document.profiles.keys().map(ProfileName::as_str).chain(config.names())
}

/// There is no such profile; perhaps one of these was meant.
pub fn unknown<'a>(name: &ProfileName, known: impl IntoIterator<Item = &'a str>) -> Failure {
    Failure::UnknownProfile { name: name.clone(), suggestion: alike(name.as_str(), known).map(str::to_owned), by: None }
}

/// The one that was meant, perhaps. A tie is no guess.
pub fn alike<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |known: &str| strsim::jaro_winkler(name, known);
    let mut alike: Vec<(f64, &str)> = known.into_iter().map(|known| (score(known), known)).collect();
    alike.retain(|(score, _)| *score >= ALIKE);
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    // A profile that both the vault and the config file have is no tie with itself.
    alike.dedup_by_key(|(_, name)| *name);
    match alike[..] {
        [] => None,
        [(_, only)] => Some(only),
        [(first, best), (second, _), ..] => (first - second > f64::EPSILON).then_some(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(name: &str, known: &[&str]) -> Option<String> {
        match unknown(&name.parse().unwrap(), known.iter().copied()) {
            Failure::UnknownProfile { suggestion, .. } => suggestion,
            _ => panic!("another failure"),
        }
    }

    #[test]
    fn the_nearest_name_is_suggested_and_a_tie_or_a_stranger_is_not() {
        assert_eq!(suggestion("prodd", &["prod", "staging"]).as_deref(), Some("prod"));
        assert_eq!(suggestion("prod-x", &["prod-a", "prod-b"]), None);
        assert_eq!(suggestion("prodd", &["prod", "staging", "prod"]).as_deref(), Some("prod"));
        assert_eq!(suggestion("zzz", &["prod", "staging"]), None);
        assert_eq!(suggestion("prod", &[]), None);
    }
}
