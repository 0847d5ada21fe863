//! `vault init`.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::memory::Memory;
use crate::secret::IdentityText;
use crate::store::file::LoadError;
use crate::store::passphrase::Cost;
use crate::store::recovery::RecoveryKey;
use crate::store::vault::{self, CreateError, NewVault, Vault};

use super::escape::shown_path;
use super::failure::{Failure, Need};
use super::new_passphrase;
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
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    make_vault(world, &args.new_vault)?;
    world.say("next: vault add NAME");
    Ok(())
}

/// Makes the vault, with a word on what was made. Every flag is checked before anything is asked or written.
pub fn make_vault<'a>(world: &World<'a>, args: &NewVaultArgs) -> Result<Vault<'a>, Failure> {
    let place = world.place();
    if place.exists().map_err(LoadError::Io)? {
        return Err(Failure::VaultExists);
    }
    match &args.recovery_key {
        Some(path) => secret_file::check_free(world, path)?,
        None if args.no_recovery => {}
        None => drop(Terminal::open().map_err(|error| Failure::prompt(error, Need::RecoveryKeyChoice))?),
    }
    let passphrase = new_passphrase::obtain(world, args.generate)?;
    let recovery = if args.no_recovery { None } else { Some(hand_out_recovery_key(world, args)?) };
    let stamp = world.stamp();
    let cost = args.kdf.unwrap_or_else(|| Cost::default_for(Memory::of_this_process()));
    let kdf = cost.parameters().map_err(Failure::Randomness)?;
    let new = NewVault { passphrase, kdf, recovery, now: stamp.now, writer: stamp.writer };
    let vault = vault::create(&place, new).inspect_err(|error| {
        // A vault that may stand is one that its recovery key must open.
        if !matches!(error, CreateError::NotDurable(_)) {
            args.recovery_key.iter().for_each(|path| secret_file::take_back(world, path));
        }
    })?;
    world.say(&format!("made the vault {}", world.vault_shown()));
    Ok(vault)
}

/// Makes a recovery key and sees to it that the person has it before the vault counts on it. Gives its recipient.
fn hand_out_recovery_key(world: &World, args: &NewVaultArgs) -> Result<String, Failure> {
    let key = RecoveryKey::generate();
    match &args.recovery_key {
        Some(path) => {
            let text = Zeroizing::new(format!(
                "# recovery key of {}\n# recipient: {}\n{}\n",
                world.vault_shown(),
                key.recipient,
                key.identity.expose()
            ));
            secret_file::write(world, path, &text)?;
            world.say(&format!("wrote the recovery key to {}; move it off this machine", shown_path(path)));
        }
        None => show_recovery_key(&key.identity)?,
    }
    Ok(key.recipient)
}

fn show_recovery_key(identity: &IdentityText) -> Result<(), Failure> {
    let prompt_failed = |error| Failure::prompt(error, Need::RecoveryKeyChoice);
    let mut terminal = Terminal::open().map_err(prompt_failed)?;
    let text = identity.expose();
    terminal.show(&format!("\nYour recovery key opens the vault when the passphrase is forgotten:\n\n    {text}\n\n"));
    terminal.show("Print it, or keep it in another safe place: not on this machine. It is shown only now.\n");
    let last_four = &text[text.len() - 4..];
    loop {
        let typed = terminal.ask("Its last 4 characters, to show that you have it: ").map_err(prompt_failed)?;
        if typed.eq_ignore_ascii_case(last_four) {
            return Ok(());
        }
        terminal.show("Those are not its last 4 characters.\n");
    }
}
