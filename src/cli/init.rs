//! `vault init`.

use std::path::PathBuf;

use crate::memory::Memory;
use crate::store::file::LoadError;
use crate::store::passphrase::Cost;
use crate::store::pin::Pin;
use crate::store::vault::{self, CreateError, NewVault, Vault};

use super::agent_access;
use super::confirming;
use super::failure::{Failure, Need};
use super::new_passphrase::{self, Origin};
use super::recovery_key;
use super::report;
use super::secret_file;
use super::terminal::Terminal;
use super::world::World;

/// Make the vault: an encrypted file that your passphrase opens
///
/// Asks for a passphrase twice and shows a recovery key: an age identity that opens the vault when the passphrase is
/// forgotten. `vault add` does the same by itself where there is no vault yet.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    new_vault: NewVaultArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Making the vault")]
pub struct NewVaultArgs {
    /// Make the passphrase: six random words, shown once, or written to the new file that --passphrase-file names
    #[arg(long)]
    generate: bool,
    /// What deriving the key costs: `standard` (256 MiB) or `small` (64 MiB) [default: by this machine's memory]
    #[arg(long, value_name = "COST")]
    kdf: Option<Cost>,
    /// Write the recovery key to this new file instead of showing it
    #[arg(long, value_name = "FILE", conflicts_with = "no_recovery")]
    recovery_key: Option<PathBuf>,
    /// Make no recovery key: a forgotten passphrase is then final
    #[arg(long)]
    no_recovery: bool,
    /// Make it although the vault that this machine knows in this place is missing
    #[arg(long)]
    forget_missing: bool,
}

/// What names the file that the passphrase comes from or goes to.
const PASSPHRASE_FLAG: &str = "--passphrase-file";

/// What can be said instead of a file for the recovery key.
const NO_KEY: &str = "`--no-recovery`";

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    make_vault(world, &args.new_vault, || {})?;
    world.say("next: vault add NAME");
    Ok(())
}

/// Makes the vault, with a word on what was made. Every flag is checked before anything is asked or written, and `begin` is
/// called then: nothing that is known by now stands in the way.
pub fn make_vault<'a>(world: &World<'a>, args: &NewVaultArgs, begin: impl FnOnce()) -> Result<Vault<'a>, Failure> {
    let place = world.place();
    if place.exists().map_err(LoadError::Io)? {
        return Err(CreateError::Exists.into());
    }
    let missing = missing(world)?;
    if let Some(missing) = missing.iter().find(|_| !args.forget_missing) {
        confirm(world, missing)?;
    }
    let recovery_file = args.recovery_key.as_deref();
    if !args.no_recovery {
        recovery_key::check(world, recovery_file, NO_KEY)?;
    }
    let origin = origin(world, args)?;
    new_passphrase::check(world, &origin, PASSPHRASE_FLAG)?;
    begin();
    let typed = matches!(origin, Origin::Typed);
    let passphrase = new_passphrase::obtain(world, origin, PASSPHRASE_FLAG)?;
    let recovery = match args.no_recovery {
        true => None,
        false => Some(recovery_key::hand_out(world, recovery_file, NO_KEY)?),
    };
    let stamp = world.stamp();
    let cost = args.kdf.unwrap_or_else(|| Cost::default_for(Memory::of_this_process()));
    let kdf = cost.parameters().map_err(Failure::Randomness)?;
    let memory = world.unlock.memory();
    let new = NewVault { passphrase, kdf, memory, recovery, now: stamp.now, writer: stamp.writer };
    if missing.is_some() {
        // First: were the power to go between making the vault and remembering it, it would look exchanged for the missing one.
        place.pins().forget_places(&place.places()).map_err(LoadError::from)?;
    }
    let vault = vault::create(&place, new).inspect_err(|error| {
        // A vault that may stand is one that its recovery key must open.
        if !matches!(error, CreateError::NotDurable(_)) {
            args.recovery_key.iter().for_each(|path| secret_file::take_back(world, path));
        }
    })?;
    world.say(&format!("made the vault {}", world.vault_shown()));
    vault.warnings().iter().for_each(|warning| report::vault_warning(world, warning));
    if typed {
        agent_access::keep(world, &vault);
    }
    Ok(vault)
}

/// A disk that is not mounted or a sync that has not come through looks like no vault at all, and a new vault in the old
/// one's place would then be taken for it, on every machine.
pub fn missing(world: &World) -> Result<Option<Pin>, Failure> {
    Ok(world.place().known().map_err(LoadError::from)?)
}

fn confirm(world: &World, missing: &Pin) -> Result<(), Failure> {
    let Pin { generation, written_at, writer, .. } = missing;
    let show = |terminal: &mut Terminal| {
        let state = report::vault_state(*generation, *written_at, writer);
        terminal.show(&format!("A vault stood at {}: {state}. It is missing.\n", world.vault_shown()));
        terminal.show("If its disk is not mounted or its folder not synced yet, bring it back instead.\n");
    };
    let need = Need::MissingVault { generation: *generation };
    confirming::confirm_after(show, "Make a new, empty vault in its place?", need)
}

fn origin<'a>(world: &'a World, args: &NewVaultArgs) -> Result<Origin<'a>, Failure> {
    if args.generate {
        return Ok(Origin::Generated(world.unlock.passphrase_file()));
    }
    Ok(world.unlock.passphrase(world)?.map_or(Origin::Typed, Origin::Given))
}
