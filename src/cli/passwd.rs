//! `vault passwd`.

use std::path::PathBuf;

use crate::memory::Memory;
use crate::secret::Passphrase;
use crate::store::passphrase::Cost;
use crate::store::vault::{NewPassphrase, Vault};

use super::agent_access;
use super::failure::Failure;
use super::new_passphrase::{self, Origin};
use super::opening::{self, Unlocked};
use super::passphrase_source::PassphraseSource;
use super::rekeyed::Rekeyed;
use super::secret_file;
use super::trusting;
use super::world::World;

/// Change the passphrase, or what deriving it costs
///
/// Opens the vault first; with `--identity recovery.txt` the old passphrase is not needed. The vault gets new keys of its
/// own: cached sessions and earlier generations beside the vault are dropped, and other machines ask for `vault trust`.
#[derive(clap::Args)]
pub struct Args {
    /// Keep the passphrase: change only the cost and the salt
    #[arg(long, conflicts_with_all = ["generate", "new_passphrase_file", "new_passphrase_fd", "new_passphrase_command"])]
    keep: bool,
    /// Make the passphrase: six random words, shown once, or written to the new file that --new-passphrase-file names
    #[arg(long, conflicts_with_all = ["new_passphrase_fd", "new_passphrase_command"])]
    generate: bool,
    /// What deriving the key is to cost: `standard` (256 MiB) or `small` (64 MiB) [default: as it is]
    #[arg(long, value_name = "COST")]
    kdf: Option<Cost>,
    /// Read the new passphrase from this file
    #[arg(long, value_name = "FILE", group = "new_passphrase")]
    new_passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from this open file descriptor
    #[arg(long, value_name = "N", group = "new_passphrase")]
    new_passphrase_fd: Option<i32>,
    /// Take the new passphrase from what this command prints; words, no shell
    #[arg(long, value_name = "COMMAND", group = "new_passphrase")]
    new_passphrase_command: Option<String>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let Unlocked { opened, passphrase, typed } = opening::in_person(world)?;
    let vault = trusting::believe(world, opened)?;
    let by_identity = passphrase.is_none();
    if args.keep {
        let passphrase = passphrase.ok_or(Failure::PassphraseNotAtHand)?;
        return change(&args, world, vault, &passphrase, typed);
    }
    // The vault is closed, and what opened it gone, while a person thinks of a passphrase.
    let closed = vault.close();
    drop(passphrase);
    let origin = args.origin(world)?;
    let typed = matches!(origin, Origin::Typed);
    let passphrase = new_passphrase::obtain(world, origin, "--new-passphrase-file")?;
    let reopened = closed.open().map_err(Failure::from);
    let changed = reopened.and_then(|vault| change(&args, world, vault, &passphrase, typed));
    changed.inspect_err(|failure| args.take_back(world, failure))?;
    if by_identity {
        world.hint("what opened it, such as a recovery key, opens it still; keep that elsewhere than on this machine");
    }
    Ok(())
}

/// `typed`: by a person, who need not type it again for a while.
fn change(args: &Args, world: &World, mut vault: Vault, new: &Passphrase, typed: bool) -> Result<(), Failure> {
    let standing = vault.document().kdf().map(Cost::of);
    let cost = args.kdf.or(standing).unwrap_or_else(|| Cost::default_for(Memory::of_this_process()));
    let kdf = cost.parameters().map_err(Failure::Randomness)?;
    let passphrase = NewPassphrase::derive(new, kdf, world.unlock.memory()).map_err(Failure::Derive)?;
    let rekeyed = Rekeyed::before(world, &vault)?;
    vault.rekey(Some(passphrase), &world.stamp(), |_| Ok::<(), Failure>(()))?;
    let what = if args.keep { "cost" } else { "passphrase" };
    world.say(&format!("changed the {what} of {}", world.vault_shown()));
    rekeyed.say(world, &vault, if args.keep { "this passphrase" } else { "the old passphrase" });
    if typed {
        agent_access::keep(world, &vault);
    }
    Ok(())
}

impl Args {
    /// The generated passphrase that opens nothing.
    fn take_back(&self, world: &World, failure: &Failure) {
        if self.generate && !matches!(failure, Failure::NotDurable(_)) {
            self.new_passphrase_file.iter().for_each(|path| secret_file::take_back(world, path));
        }
    }

    fn origin(&self, world: &World) -> Result<Origin<'_>, Failure> {
        if self.generate {
            return Ok(Origin::Generated(self.new_passphrase_file.as_deref()));
        }
        let command = self.new_passphrase_command.as_deref().map(|command| ("--new-passphrase-command", command));
        let file = self.new_passphrase_file.as_deref();
        let source = PassphraseSource { file, descriptor: self.new_passphrase_fd, command };
        Ok(source.read(world)?.map_or(Origin::Typed, Origin::Given))
    }
}
