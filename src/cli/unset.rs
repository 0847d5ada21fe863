//! `vault unset`.

use super::failure::Failure;
use super::set;
use super::unlock;
use super::world::World;

/// Remove settings of a profile, or with --vault of the whole vault
#[derive(clap::Args)]
pub struct Args {
    /// The profile, and what to remove, such as region
    #[arg(value_name = "NAME> <KEY", required = true)]
    words: Vec<String>,
    /// Remove it from the whole vault: no NAME
    #[arg(long)]
    vault: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let (name, keys) = set::split(&args.words, args.vault)?;
    let changes: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let mut vault = unlock::open_vault(world)?;
    vault.edit(&world.stamp(), |document| set::apply(document, name.as_ref(), &changes))?;
    world.say(&format!("unset {}", keys.join(", ")));
    Ok(())
}
