//! `vault set`.

use crate::names::ProfileName;
use crate::store::document::Document;

use super::failure::Failure;
use super::names_given;
use super::settings;
use super::unlock;
use super::world::World;

/// Change settings of a profile, or with --vault of the whole vault
///
/// Settings of a profile, under the names AWS uses: region, mfa_serial, mfa_process, duration_seconds, role_arn,
/// source_profile, external_id, role_session_name, destination_profile, endpoint_url. Of the vault: default_profile,
/// session_duration.
#[derive(clap::Args)]
pub struct Args {
    /// The profile, and what to set, such as region=eu-central-1
    #[arg(value_name = "NAME> <KEY=VALUE", required = true)]
    words: Vec<String>,
    /// Set it for the whole vault: no NAME
    #[arg(long)]
    vault: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let (name, assignments) = split(&args.words, args.vault)?;
    let pairs: Vec<(&str, &str)> = assignments.iter().map(|text| assignment(text)).collect::<Result<_, _>>()?;
    let changes: Vec<(&str, Option<&str>)> = pairs.iter().map(|(key, value)| (*key, Some(*value))).collect();
    let mut vault = unlock::open_vault(world)?;
    vault.edit(&world.stamp(), |document| apply(document, name.as_ref(), &changes))?;
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| *key).collect();
    world.say(&format!("set {}", keys.join(", ")));
    Ok(())
}

/// The words of the command line: a profile's name, unless the whole vault is meant, and at least one setting.
pub fn split(words: &[String], of_vault: bool) -> Result<(Option<ProfileName>, &[String]), Failure> {
    let (name, settings) = match words.split_first() {
        Some((name, settings)) if !of_vault => (Some(name.parse()?), settings),
        _ => (None, words),
    };
    if settings.is_empty() { Err(Failure::NoSettingNamed) } else { Ok((name, settings)) }
}

fn assignment(text: &str) -> Result<(&str, &str), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key, value)),
        _ => Err(Failure::NotAnAssignment(text.to_owned())),
    }
}

/// Applies all changes or, at the first that doesn't fit, none: the document is saved only when this returns Ok.
pub fn apply(
    document: &mut Document,
    name: Option<&ProfileName>,
    changes: &[(&str, Option<&str>)],
) -> Result<(), Failure> {
    for (key, value) in changes {
        match name {
            Some(name) => {
                settings::change(&settings::OF_A_PROFILE, names_given::in_vault_mut(document, name)?, key, *value)?
            }
            None => settings::change(&settings::OF_THE_VAULT, &mut document.settings, key, *value)?,
        }
    }
    Ok(())
}
