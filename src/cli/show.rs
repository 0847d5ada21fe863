//! `vault show`.

mod sources;

use serde_json::{Map, Value, json};

use crate::aws_files::config::{ConfigFile, ConfigProfile};
use crate::names::ProfileName;
use crate::rotate::due::{Pending, due_of};
use crate::store::document::{Document, Profile, StoredAccessKey};

use super::escape::escape;
use super::failure::Failure;
use super::names_given;
use super::opening;
use super::report::due as words;
use super::settings;
use super::world::World;

/// Show what the vault, or else ~/.aws/config, holds of a profile; never a secret
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Show the settings of the whole vault
    #[arg(long, conflicts_with_all = ["name", "sources"])]
    vault: bool,
    /// Show what holds for the profile, and where each value comes from
    #[arg(long)]
    sources: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    if args.vault {
        return of_the_vault(vault.document(), args.json, world);
    }
    let name = names_given::or_default(args.name, vault.document(), world)?;
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    if args.sources {
        return sources::show(&name, vault.document(), &config, args.json, world);
    }
    let facts = match (vault.document().profiles.get(&name), config.profile(&name)?) {
        (Some(profile), _) => facts(profile),
        (None, Some(profile)) => config_facts(profile),
        (None, None) => return Err(names_given::known_nowhere(&name, vault.document(), &config)),
    };
    let pending = pending(vault.document(), &name);
    if args.json {
        let fields: Map<String, Value> = facts.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let pending = pending.as_ref().map(words::pending_json);
        return world.print_json(json!({ "name": name, "profile": fields, "rotation": pending }));
    }
    let pending = pending.map(|pending| ("rotation", words::pending_and_how(&pending, world.clock.now())));
    let lines = facts.into_iter().chain(pending).map(|(key, value)| format!("{key} = {}\n", escape(&value)));
    world.print(&lines.collect::<String>())
}

fn of_the_vault(document: &Document, json: bool, world: &World) -> Result<(), Failure> {
    let of = |setting: &settings::Setting<_>| Some((setting.name, (setting.get)(&document.settings)?));
    let facts: Vec<(&str, String)> = settings::OF_THE_VAULT.iter().filter_map(of).collect();
    if json {
        let settings: Map<String, Value> =
            facts.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        return world.print_json(json!({ "settings": settings }));
    }
    if facts.is_empty() {
        world.say("the vault has no settings; `vault help set` names those that there are");
    }
    world.print(&facts.iter().map(|(key, value)| format!("{key} = {}\n", escape(value))).collect::<String>())
}

/// Of the profile's key; the journal may stand with another profile that has it.
fn pending(document: &Document, name: &ProfileName) -> Option<Pending> {
    due_of(document, &document.profiles.get(name)?.access_key.as_ref()?.id)?.pending
}

fn facts(profile: &Profile) -> Vec<(&'static str, String)> {
    let settings = settings::OF_A_PROFILE.iter().filter_map(|setting| Some((setting.name, (setting.get)(profile)?)));
    settings.chain(profile.access_key.iter().flat_map(key_facts)).collect()
}

/// Of a profile that only the config file knows.
fn config_facts(profile: &ConfigProfile) -> Vec<(&'static str, String)> {
    profile.settings().filter_map(|(key, text, _)| Some((key, text?.to_owned()))).collect()
}

fn key_facts(key: &StoredAccessKey) -> Vec<(&'static str, String)> {
    let facts = [
        ("access_key", Some(key.id.to_string())),
        ("user_arn", key.user_arn.clone()),
        ("added", Some(key.added.to_string())),
        ("created", key.created.map(|time| time.to_string())),
        ("verified", key.verified.map(|time| time.to_string())),
        ("endpoint", key.endpoint.clone()),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
