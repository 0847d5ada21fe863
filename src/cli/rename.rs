//! `vault rename`.

use crate::names::ProfileName;
use crate::store::document::Document;

use super::configure;
use super::failure::Failure;
use super::names_given;
use super::opening;
use super::session_records;
use super::world::World;

/// Give a profile another name; role profiles that lead to it follow
///
/// Cached sessions of the old name are dropped. Sections that `login` wrote to ~/.aws/credentials keep their name until
/// `vault logout`.
#[derive(clap::Args)]
pub struct Args {
    /// What it is called
    old: ProfileName,
    /// What it is to be called
    new: ProfileName,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let mut vault = opening::open_vault(world)?;
    vault.edit(&world.stamp(), |document| rename(document, &args.old, &args.new))?;
    session_records::forget(world, vault.document(), &args.old);
    world.say(&format!("`{}` is now `{}`", args.old, args.new));
    session_records::say_what_stays(world, &args.old);
    configure::say_what_stays(world, &args.old);
    Ok(())
}

fn rename(document: &mut Document, old: &ProfileName, new: &ProfileName) -> Result<(), Failure> {
    names_given::in_vault(document, old)?;
    if document.profiles.contains_key(new) {
        return Err(Failure::NameTaken(new.clone()));
    }
    if let Some(profile) = document.profiles.remove(old) {
        document.profiles.insert(new.clone(), profile);
    }
    let referring = document.profiles.values_mut().filter(|profile| profile.source_profile.as_ref() == Some(old));
    for profile in referring {
        profile.source_profile = Some(new.clone());
    }
    if document.settings.default_profile.as_ref() == Some(old) {
        document.settings.default_profile = Some(new.clone());
    }
    Ok(())
}
