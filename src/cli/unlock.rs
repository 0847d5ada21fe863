//! Opens the vault: with an identity or a passphrase that a flag or variable leads to, else by asking at the terminal.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::process;
use crate::secret::{IdentityText, Passphrase, SecretBytes};
use crate::store::file::Loaded;
use crate::store::seal::UnsealError;
use crate::store::vault::{self, Key, OpenError, Vault};

use super::escape::escape;
use super::failure::{Failure, Need, SecretSource};
use super::secret_file;
use super::terminal::Terminal;
use super::world::World;

/// How often a person may mistype.
const TRIES: u32 = 3;

#[derive(clap::Args, Clone, Default)]
#[command(next_help_heading = "Unlocking the vault (without one of these, it asks at the terminal)")]
pub struct UnlockArgs {
    /// Read the passphrase from this file [variable: VAULT_PASSPHRASE_FILE]
    #[arg(long, global = true, value_name = "FILE", group = "unlock_by")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor, and close it
    #[arg(long, global = true, value_name = "N", group = "unlock_by")]
    passphrase_fd: Option<i32>,
    /// Take the passphrase from what this command prints; words, no shell
    #[arg(long, global = true, value_name = "COMMAND", group = "unlock_by")]
    passphrase_command: Option<String>,
    /// Open with the age identity in this file, such as a recovery key [variable: VAULT_IDENTITY]
    #[arg(long, global = true, value_name = "FILE", group = "unlock_by")]
    identity: Option<PathBuf>,
}

/// Where the vault's key comes from when no person is asked.
enum Given {
    Passphrase(Passphrase),
    Identities(Vec<IdentityText>),
}

impl UnlockArgs {
    /// The file that the new passphrase of `--generate` is to be written to.
    pub fn passphrase_file(&self) -> Option<&Path> {
        self.passphrase_file.as_deref()
    }

    /// Whether the passphrase comes through standard input.
    pub fn takes_standard_input(&self) -> bool {
        self.passphrase_fd == Some(0)
    }

    /// The passphrase that a flag or variable leads to.
    pub fn passphrase(&self, world: &World) -> Result<Option<Passphrase>, Failure> {
        if let Some(number) = self.passphrase_fd {
            return read_descriptor(number).map(Some);
        }
        if let Some(command) = &self.passphrase_command {
            let mut hear = |line: &str| world.say(&format!("--passphrase-command: {}", escape(line)));
            let printed =
                process::output_of(command, &world.environment, &mut hear).map_err(Failure::PassphraseCommand)?;
            return passphrase_from(printed, || SecretSource::Command).map(Some);
        }
        let file = self.passphrase_file.clone().or_else(|| world.environment.path("VAULT_PASSPHRASE_FILE"));
        file.map(|path| passphrase_in_file(world, &path)).transpose()
    }

    fn given(&self, world: &World) -> Result<Option<Given>, Failure> {
        // A flag is the stronger word: VAULT_IDENTITY left in a shell must not override `--passphrase-file`.
        let passphrase_flag =
            self.passphrase_fd.is_some() || self.passphrase_command.is_some() || self.passphrase_file.is_some();
        let identity = match (&self.identity, passphrase_flag) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => None,
            (None, false) => world.environment.path("VAULT_IDENTITY"),
        };
        match identity {
            Some(path) => Ok(Some(Given::Identities(read_identities(world, &path)?))),
            None => Ok(self.passphrase(world)?.map(Given::Passphrase)),
        }
    }
}

/// Opens the vault there is.
pub fn open_vault<'a>(world: &World<'a>) -> Result<Vault<'a>, Failure> {
    let place = world.place();
    let loaded = place.load()?;
    let vault = match world.unlock.given(world)? {
        Some(Given::Passphrase(passphrase)) => {
            let opened = vault::open(&place, &loaded, Key::Passphrase(&passphrase));
            opened.map_err(|error| failed_to_open(error, &world.vault_shown()))?
        }
        Some(Given::Identities(identities)) => open_by_identities(world, &loaded, &identities)?,
        None => ask_and_open(world, &loaded)?,
    };
    for warning in vault.warnings() {
        super::report::vault_warning(world, warning);
    }
    Ok(vault)
}

fn open_by_identities<'a>(
    world: &World<'a>,
    loaded: &Loaded,
    identities: &[IdentityText],
) -> Result<Vault<'a>, Failure> {
    let place = world.place();
    let mut last = None;
    for identity in identities {
        match vault::open(&place, loaded, Key::Identity(identity)) {
            Err(OpenError::Unseal(UnsealError::WrongIdentity)) => last = Some(Failure::IdentityDoesNotOpen),
            other => return Ok(other?),
        }
    }
    Err(last.unwrap_or(Failure::IdentityDoesNotOpen))
}

fn ask_and_open<'a>(world: &World<'a>, loaded: &Loaded) -> Result<Vault<'a>, Failure> {
    if loaded.kdf()?.is_none() {
        return Err(Failure::OpensByIdentityOnly);
    }
    ask_passphrase(&world.vault_shown(), |passphrase| vault::open(&world.place(), loaded, Key::Passphrase(passphrase)))
}

/// Asks for the passphrase of the vault that is shown so, until it opens it or the person runs out of tries.
pub fn ask_passphrase<T>(shown: &str, open: impl Fn(&Passphrase) -> Result<T, OpenError>) -> Result<T, Failure> {
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, Need::Passphrase))?;
    for attempt in 1..=TRIES {
        let typed = terminal.ask_hidden(&format!("Passphrase for {shown}: "));
        let passphrase = Passphrase::new(typed.map_err(|error| Failure::prompt(error, Need::Passphrase))?.to_string());
        match open(&passphrase) {
            Err(OpenError::WrongPassphrase) if attempt < TRIES => terminal.show("Wrong passphrase, try again.\n"),
            other => return other.map_err(|error| failed_to_open(error, shown)),
        }
    }
    Err(Failure::WrongPassphrase { vault: shown.to_owned() })
}

pub fn failed_to_open(error: OpenError, shown: &str) -> Failure {
    match error {
        OpenError::WrongPassphrase => Failure::WrongPassphrase { vault: shown.to_owned() },
        other => other.into(),
    }
}

fn read_descriptor(number: i32) -> Result<Passphrase, Failure> {
    let failed = |error| Failure::PassphraseDescriptor { number, error };
    let mut bytes = SecretBytes::default();
    let file = process::take_descriptor(number).map_err(failed)?;
    file.take(secret_file::LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    passphrase_from(bytes, || SecretSource::Descriptor(number))
}

pub fn passphrase_in_file(world: &World, path: &Path) -> Result<Passphrase, Failure> {
    let bytes = secret_file::read(world, path)?;
    passphrase_from(bytes, || SecretSource::File(path.to_owned()))
}

/// One line ending belongs to the file, not to the passphrase.
fn passphrase_from(bytes: SecretBytes, source: impl Fn() -> SecretSource) -> Result<Passphrase, Failure> {
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::PassphraseNotText(source()))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(Failure::PassphraseEmpty(source()));
    }
    // No passphrase has one, and what follows it was meant for something else.
    if text.contains('\n') {
        return Err(Failure::PassphraseSeveralLines(source()));
    }
    Ok(Passphrase::new(text.to_owned()))
}

/// The identities of an age identity file: one a line, `#` starts a comment.
pub fn read_identities(world: &World, path: &Path) -> Result<Vec<IdentityText>, Failure> {
    let bytes = secret_file::read(world, path)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<IdentityText> = lines.map(|line| IdentityText::new(line.to_owned())).collect();
    if identities.is_empty() {
        return Err(Failure::NoIdentityIn { path: path.to_owned() });
    }
    Ok(identities)
}
