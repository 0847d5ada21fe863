//! `vault unset`.

use crate::names::ProfileName;

use super::failure::Failure;
use super::opening;
use super::set;
use super::world::World;

/// Remove settings of a profile, or with --vault of the whole vault
#[derive(clap::Args)]
#[command(override_usage = "vault unset <NAME> <KEY>...\n       vault unset --vault <KEY>...")]
pub struct Args {
    /// The profile
    #[arg(required_unless_present = "vault")]
    name: Option<ProfileName>,
    /// What to remove, such as region
    #[arg(value_name = "KEY", required_unless_present = "vault")]
    settings: Vec<String>,
    /// Remove these from the whole vault
    #[arg(long, value_name = "KEY", num_args = 1.., conflicts_with_all = ["name", "settings"])]
    vault: Vec<String>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let settings = if args.name.is_some() { &args.settings } else { &args.vault };
    let changes: Vec<(&str, Option<&str>)> = settings.iter().map(|key| (key.as_str(), None)).collect();
    let mut vault = opening::open_vault(world)?;
    vault.edit(&world.stamp(), |document| set::apply(document, args.name.as_ref(), &changes))?;
    world.say(&format!("unset {}", settings.join(", ")));
    Ok(())
}
