//! Makes a recovery key and sees to it that the person has it before the vault counts on it.

use std::path::Path;

use zeroize::Zeroizing;

use crate::process::HeldSignals;
use crate::secret::IdentityText;
use crate::store::recovery::RecoveryKey;

use super::escape::shown_path;
use super::failure::{Failure, Need};
use super::secret_file;
use super::terminal::Terminal;
use super::world::World;

/// Refuses early what [`hand_out`] would refuse: by then a passphrase has been typed.
/// `instead` says what may be given in place of a file.
pub fn check(world: &World, file: Option<&Path>, instead: &'static str) -> Result<(), Failure> {
    match file {
        Some(path) => secret_file::check_free(world, path),
        None => Terminal::open().map(drop).map_err(|error| Failure::prompt(error, Need::RecoveryKeyChoice { instead })),
    }
}

/// Into the file, or onto the terminal. Gives its recipient.
pub fn hand_out(world: &World, file: Option<&Path>, instead: &'static str) -> Result<String, Failure> {
    let key = RecoveryKey::generate();
    match file {
        Some(path) => write(world, path, &key)?,
        None => show(world, &key.identity, instead)?,
    }
    Ok(key.recipient)
}

fn write(world: &World, path: &Path, key: &RecoveryKey) -> Result<(), Failure> {
    let (vault, recipient, identity) = (world.vault_shown(), &key.recipient, key.identity.expose());
    let text = Zeroizing::new(format!("# recovery key of {vault}\n# recipient: {recipient}\n{identity}\n"));
    secret_file::write(world, path, &text)?;
    world.say(&format!("wrote the recovery key to {}; move it off this machine", shown_path(path)));
    Ok(())
}

fn show(world: &World, identity: &IdentityText, instead: &'static str) -> Result<(), Failure> {
    let prompt_failed = |error| Failure::prompt(error, Need::RecoveryKeyChoice { instead });
    // Ctrl-C ends the input, so that who has seen a key that opens nothing is told so.
    let signals = HeldSignals::hold().map_err(Failure::Terminal)?;
    let mut terminal = Terminal::open().map_err(prompt_failed)?.holding(Some(&signals));
    let text = identity.expose();
    terminal.show(&format!("\nYour recovery key opens the vault when the passphrase is forgotten:\n\n    {text}\n\n"));
    terminal.show("Print it, or keep it in another safe place: not on this machine. It is shown only now.\n");
    let last_four = &text[text.len() - 4..];
    loop {
        let typed = terminal.ask("Its last 4 characters, to show that you have it: ");
        if signals.came() {
            world.warn("interrupted: nothing was changed, and the recovery key above opens nothing");
        }
        let typed = typed.map_err(prompt_failed)?;
        if typed.eq_ignore_ascii_case(last_four) {
            return Ok(());
        }
        let were = match typed.chars().count() {
            4 => "Those are not its last 4 characters".to_owned(),
            1 => "That is one character, and not 4".to_owned(),
            others => format!("Those are {others} characters, and not 4"),
        };
        terminal.show(&format!("{were}. Ctrl-C ends this, and changes nothing.\n"));
    }
}
