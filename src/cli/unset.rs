//! `vault unset`.

use crate::names::ProfileName;

use super::failure::Failure;
use super::set;
use super::unlock;
use super::world::World;

/// Remove settings of a profile, or with --vault of the whole vault
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    #[arg(required_unless_present = "vault")]
    name: Option<ProfileName>,
    /// What to remove, such as region
    #[arg(value_name = "KEY", required = true)]
    settings: Vec<String>,
    /// Remove it from the whole vault
    #[arg(long)]
    vault: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let changes: Vec<(&str, Option<&str>)> = args.settings.iter().map(|key| (key.as_str(), None)).collect();
    let mut vault = unlock::open_vault(world)?;
    vault.edit(&world.stamp(), |document| set::apply(document, args.name.as_ref(), &changes))?;
    world.say(&format!("unset {}", args.settings.join(", ")));
    Ok(())
}
