//! `vault remove`.

use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::due::due_of;
use crate::store::document::Document;

use super::configure;
use super::confirming;
use super::failure::{Failure, Need};
use super::names_given;
use super::opening;
use super::session_records;
use super::world::World;

/// Remove a profile from the vault, with its cached sessions
///
/// Its access key stays at AWS as it is. What `login` wrote to ~/.aws/credentials stays until it expires; `vault logout`
/// removes it.
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    name: ProfileName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let mut vault = opening::open_vault(world)?;
    let profile = names_given::not_rotating(vault.document(), &args.name)?;
    let key = profile.access_key.as_ref().map(|key| key.id.clone());
    let dependents = dependents(vault.document(), &args.name);
    if !args.yes {
        let with_it = with_it(key.as_ref(), &args.name, vault.document());
        let closed = vault.close();
        let question = format!("Remove `{}` {with_it}?", args.name);
        confirming::confirm(&question, Need::Confirmation { flag: "--yes" })?;
        vault = closed.open()?;
    }
    session_records::forget(world, vault.document(), &args.name);
    vault.edit(&world.stamp(), |document| {
        names_given::not_rotating(document, &args.name)?;
        document.profiles.remove(&args.name);
        Ok::<(), Failure>(())
    })?;
    world.say(&format!("removed `{}`", args.name));
    session_records::say_what_stays(world, &args.name);
    configure::say_what_stays(world, &args.name);
    if let Some(id) = key {
        let others = due_of(vault.document(), &id).map(|key| key.profiles).unwrap_or_default();
        let others: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
        let kept =
            if others.is_empty() { String::new() } else { format!(", and in the vault as {}", others.join(", ")) };
        world.say(&format!("its access key {} stays at AWS as it is{kept}", id.short()));
    }
    for dependent in dependents {
        world.warn(&format!("`{dependent}` has `{}` as its source_profile and can't sign in any more", args.name));
    }
    Ok(())
}

/// What goes with the profile.
fn with_it(key: Option<&AccessKeyId>, name: &ProfileName, document: &Document) -> String {
    let Some(key) = key else { return "(a role profile, no key)".to_owned() };
    let holders = due_of(document, key).map(|key| key.profiles).unwrap_or_default();
    match holders.into_iter().find(|holder| holder != name) {
        Some(other) => format!("(its access key stays in the vault as `{other}`)"),
        None => "and the access key in it, which may be the only copy and goes on working at AWS".to_owned(),
    }
}

fn dependents(document: &Document, name: &ProfileName) -> Vec<ProfileName> {
    let names = document.profiles.iter().filter(|(_, profile)| profile.source_profile.as_ref() == Some(name));
    names.map(|(name, _)| name.clone()).collect()
}
