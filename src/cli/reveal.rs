//! `vault reveal`.

use serde_json::json;

use crate::log::{Act, Event};
use crate::names::ProfileName;

use super::failure::{Failure, Need};
use super::names_given;
use super::opening;
use super::terminal::Terminal;
use super::world::World;

/// What has to be typed before the vault identity is shown.
const IDENTITY: &str = "identity";

/// Print a long-term access key, or the vault identity for stock age; asks first, and writes it to the log
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    #[arg(required_unless_present = "identity_of_vault", conflicts_with = "identity_of_vault")]
    name: Option<ProfileName>,
    /// Print the age identity that opened the vault: `age -d -i FILE` opens the vault with it
    #[arg(id = "identity_of_vault", long = "vault-identity")]
    identity: bool,
    /// Instead of typing it: the profile's name, or `identity`
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let closed = {
        let vault = opening::open_in_person(world)?;
        if let Some(name) = &args.name {
            let profile = names_given::in_vault(vault.document(), name)?;
            profile.access_key.as_ref().ok_or_else(|| Failure::NoAccessKey(name.clone()))?;
        }
        vault.close()
    };
    confirm(&args, world)?;
    let vault = closed.open()?;
    // Written before it is shown.
    let Some(name) = &args.name else {
        world.log(&Event { act: Act::IdentityRevealed, profile: None, access_key: None, role: None });
        let identity = vault.opener().identity().expect("it was opened without the agent");
        return print_identity(args.json, identity.expose(), world);
    };
    let profile = names_given::in_vault(vault.document(), name)?;
    let key = profile.access_key.as_ref().ok_or_else(|| Failure::NoAccessKey(name.clone()))?;
    world.log(&Event { act: Act::Revealed, profile: Some(name), access_key: Some(&key.id), role: None });
    if args.json {
        return world.print_json(json!({
            "name": name, "aws_access_key_id": key.id, "aws_secret_access_key": key.secret.expose(),
        }));
    }
    world.print(&format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret.expose()))
}

fn print_identity(json: bool, identity: &str, world: &World) -> Result<(), Failure> {
    if json { world.print_json(json!({ "identity": identity })) } else { world.print(&format!("{identity}\n")) }
}

fn confirm(args: &Args, world: &World) -> Result<(), Failure> {
    let wanted = args.name.as_ref().map_or(IDENTITY, |name| name.as_str());
    let typed = match &args.confirm {
        Some(text) => text.clone(),
        None => {
            let need = || Need::Confirmation { flag: "--confirm NAME" };
            let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
            terminal.show(&format!("This prints a long-term secret of {} to the screen.\n", world.vault_shown()));
            terminal.ask(&format!("Type `{wanted}` to go on: ")).map_err(|error| Failure::prompt(error, need()))?
        }
    };
    if typed == wanted { Ok(()) } else { Err(Failure::Declined) }
}
