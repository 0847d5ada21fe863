//! `vault set`.

use crate::aws_files::config::ConfigFile;
use crate::names::ProfileName;
use crate::session::ChainError;
use crate::store::document::{Document, Profile};

use super::configured_command;
use super::exported;
use super::failure::Failure;
use super::names_given;
use super::opening;
use super::report::Report;
use super::resolved;
use super::session_records;
use super::settings;
use super::world::World;

/// Change settings of a profile, or with --vault of the whole vault
///
/// Settings of a profile, under the names AWS uses: region, mfa_serial, mfa_process, duration_seconds, role_arn,
/// source_profile, external_id, role_session_name, source_identity, session_tags (team=blue,cost=7),
/// transitive_session_tags (team,cost), policy_arns, destination_profile, endpoint_url; and protected (true or false): such a
/// profile's session is for `vault exec` alone. They go before what ~/.aws/config says, also for a profile that only stands
/// there. About its access key: rotate_every (90d), grace (24h), rotate_on_login (ask, always or never), rotate_hook and
/// mfa_max_age (55m). Of the vault: default_profile, session_duration, agent.enabled (true or false), agent.idle, agent.max,
/// agent.session, and rotate_every, grace and rotate_on_login for all profiles that say nothing else.
#[derive(clap::Args)]
#[command(override_usage = "vault set <NAME> <KEY=VALUE>...\n       vault set --vault <KEY=VALUE>...")]
pub struct Args {
    /// The profile
    #[arg(required_unless_present = "vault", value_parser = parse_name)]
    name: Option<ProfileName>,
    /// What to set, such as region=eu-central-1
    #[arg(value_name = "KEY=VALUE", required_unless_present = "vault", value_parser = settings::parse_assignment)]
    settings: Vec<(String, String)>,
    /// Set these for the whole vault
    #[arg(
        long,
        value_name = "KEY=VALUE",
        num_args = 1..,
        conflicts_with_all = ["name", "settings"],
        value_parser = settings::parse_assignment
    )]
    vault: Vec<(String, String)>,
}

const DEFAULT: &str = "default_profile";

/// What a role leads to.
const SOURCES: [&str; 2] = ["source_profile", "role_arn"];

/// What is said of how long sessions last makes those at hand sessions of something else.
const DURATIONS: [&str; 2] = ["duration_seconds", "session_duration"];

fn parse_name(text: &str) -> Result<ProfileName, String> {
    let named = text.parse().map_err(|error: crate::names::NameError| error.to_string());
    match settings::parse_assignment(text) {
        Ok(_) if named.is_err() => {
            Err(format!("say `vault set NAME {text}` for a profile, `vault set --vault {text}` for all"))
        }
        _ => named,
    }
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let settings = if args.name.is_some() { &args.settings } else { &args.vault };
    let changes: Vec<(&str, Option<&str>)> =
        settings.iter().map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect();
    let mut vault = opening::open_vault(world)?;
    let only_in_config = match &args.name {
        Some(name) if !vault.document().profiles.contains_key(name) => {
            ConfigFile::load(world.disk, &world.paths.aws_config)?.profile(name)?.map(|_| name)
        }
        _ => None,
    };
    vault.edit(&world.stamp(), |document| {
        if let Some(name) = only_in_config {
            document.profiles.entry(name.clone()).or_default();
        }
        apply(document, args.name.as_ref(), &changes)
    })?;
    world.say(&format!("set {}", settings.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")));
    settings.iter().for_each(|(key, value)| configured_command::warn_where_none_would_start(key, value, world));
    let document = vault.document();
    let said = |known: &[&str]| settings.iter().any(|(key, _)| known.contains(&key.as_str()));
    if said(&DURATIONS) {
        session_records::say_which_are_of_another_duration(args.name.as_ref(), document, world)?;
    }
    let to_sign_in_to = match &args.name {
        Some(name) => Some(name).filter(|_| said(&SOURCES)),
        None => document.settings.default_profile.as_ref().filter(|_| said(&[DEFAULT])),
    };
    if let Some(name) = to_sign_in_to {
        warn_of_its_chain(name, document, world);
    }
    let is_protected = |name: &&ProfileName| document.profiles.get(name).is_some_and(Profile::is_protected);
    if let Some(name) = args.name.as_ref().filter(is_protected) {
        // A session that lies in a file is open to everything that reads it.
        let cache = session_records::cache(world, document)?;
        exported::say_removed(&exported::take_back(name, document, &cache, world)?, "", world);
    }
    Ok(())
}

/// Taken as it was said: the source may be still to come, and so may the profile.
fn warn_of_its_chain(name: &ProfileName, document: &Document, world: &World) {
    let Ok(config) = ConfigFile::load(world.disk, &world.paths.aws_config) else { return };
    if let Err(failure) = resolved::chain(name, document, &config) {
        let Report { message, hint, .. } = Report::of(&failure);
        world.warn(&message);
        hint.into_iter().for_each(|hint| world.hint(&hint));
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
    if let Some(name) = name {
        let profile = names_given::in_vault(document, name)?;
        if profile.access_key.is_some() && (profile.role_arn.is_some() || profile.source_profile.is_some()) {
            return Err(ChainError::KeyAndRole { profile: name.clone() }.into());
        }
    }
    Ok(())
}
