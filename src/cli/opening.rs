//! Opens the vault: with an identity or a passphrase that a flag or variable leads to, else by asking at the terminal.

use std::path::{Path, PathBuf};

use crate::aws_files::credentials::CredentialsFile;
use crate::memory::Memory;
use crate::secret::{IdentityText, Passphrase};
use crate::store::file::{LoadError, Loaded};
use crate::store::fingerprint::Fingerprint;
use crate::store::seal::UnsealError;
use crate::store::vault::{self, Key, OpenError, Opened, Vault};

use super::agent_access;
use super::escape::escape;
use super::failure::{Failure, Need};
use super::passphrase_source::PassphraseSource;
use super::secret_file;
use super::terminal::Terminal;
use super::trusting;
use super::way_back;
use super::world::World;

/// How often a person may mistype.
const TRIES: u32 = 3;

#[derive(clap::Args, Clone, Default)]
#[cfg_attr(test, derive(PartialEq))]
#[command(next_help_heading = "Unlocking the vault (without one of these, it asks at the terminal)")]
pub struct UnlockArgs {
    /// Read the passphrase from this file [variable: VAULT_PASSPHRASE_FILE]
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", group = "unlock_by")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor
    #[arg(long, global = true, hide_short_help = true, value_name = "N", group = "unlock_by")]
    passphrase_fd: Option<i32>,
    /// Take the passphrase from what this command prints; words, no shell
    #[arg(long, global = true, hide_short_help = true, value_name = "COMMAND", group = "unlock_by")]
    passphrase_command: Option<String>,
    /// Open with the age identity in this file, such as a recovery key or one of an age plugin [variable: VAULT_IDENTITY]
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", group = "unlock_by")]
    identity: Option<PathBuf>,
    /// Neither ask the agent to open the vault nor start one [variable: VAULT_NO_AGENT]
    #[arg(long, global = true, hide_short_help = true)]
    no_agent: bool,
    /// Derive from the passphrase with whatever memory there is, also where it seems to be too little
    #[arg(long, global = true, hide_short_help = true)]
    kdf_memory: bool,
    /// Refuse any vault but the one with this fingerprint, as `vault status` shows it [variable: VAULT_FINGERPRINT]
    #[arg(long, global = true, hide_short_help = true, value_name = "FINGERPRINT")]
    expect_fingerprint: Option<Fingerprint>,
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

    pub fn expected_fingerprint(&self) -> Option<&Fingerprint> {
        self.expect_fingerprint.as_ref()
    }

    /// For another time: a descriptor was read to its end, and its number may be another file's now.
    pub fn again(&self) -> Self {
        Self { passphrase_fd: None, ..self.clone() }
    }

    /// Whether an agent may hold the vault.
    pub fn may_use_agent(&self, world: &World) -> bool {
        !self.no_agent && world.environment.get("VAULT_NO_AGENT").is_none()
    }

    /// Whether an agent may open it: a flag that says what opens it is the stronger word.
    pub fn asks_agent(&self, world: &World) -> bool {
        self.may_use_agent(world) && !self.passphrase_flag() && self.identity.is_none()
    }

    /// Whether the command line says what opens the vault, or somebody says which vault it must be.
    pub fn is_said(&self, world: &World) -> bool {
        let which = self.expect_fingerprint.is_some() || world.environment.get("VAULT_FINGERPRINT").is_some();
        self.passphrase_flag() || self.identity.is_some() || which
    }

    /// Whether a flag or a variable leads to what opens the vault, so that nobody is asked.
    pub fn is_given(&self, world: &World) -> bool {
        let set = |name: &str| world.environment.get(name).is_some();
        self.passphrase_flag() || self.identity.is_some() || set("VAULT_IDENTITY") || set("VAULT_PASSPHRASE_FILE")
    }

    fn passphrase_flag(&self) -> bool {
        self.passphrase_fd.is_some() || self.passphrase_command.is_some() || self.passphrase_file.is_some()
    }

    /// What deriving may take of this machine's memory; None for whatever there is.
    pub fn memory(&self) -> Option<u64> {
        Memory::of_this_process().available.filter(|_| !self.kdf_memory)
    }

    /// Whether the passphrase comes through standard input.
    pub fn takes_standard_input(&self) -> bool {
        self.passphrase_fd == Some(0)
    }

    /// The passphrase that a flag or variable leads to.
    pub fn passphrase(&self, world: &World) -> Result<Option<Passphrase>, Failure> {
        let named = self.passphrase_fd.is_some() || self.passphrase_command.is_some();
        let named = named || self.passphrase_file.is_some();
        let variable = if named { None } else { secret_file::in_variable(world, "VAULT_PASSPHRASE_FILE")? };
        let command = self.passphrase_command.as_deref().map(|command| ("--passphrase-command", command));
        let file = self.passphrase_file.as_deref().or(variable.as_deref());
        PassphraseSource { file, descriptor: self.passphrase_fd, command }.read(world)
    }

    fn given(&self, world: &World) -> Result<Option<Given>, Failure> {
        // A flag is the stronger word: VAULT_IDENTITY left in a shell must not override `--passphrase-file`.
        let identity = match (&self.identity, self.passphrase_flag()) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => None,
            (None, false) => secret_file::in_variable(world, "VAULT_IDENTITY")?,
        };
        match identity {
            Some(path) => Ok(Some(Given::Identities(read_identities(world, &path)?))),
            None => Ok(self.passphrase(world)?.map(Given::Passphrase)),
        }
    }
}

/// The vault, still to be believed, and the passphrase where it opened it.
pub struct Unlocked<'a> {
    pub opened: Opened<'a>,
    pub passphrase: Option<Passphrase>,
    /// Whether a person typed it at the terminal.
    pub typed: bool,
}

/// Opens the vault there is.
pub fn open_vault<'a>(world: &World<'a>) -> Result<Vault<'a>, Failure> {
    if let Some(opened) = by_agent(world)? {
        return trusting::believe(world, opened);
    }
    // Until an agent has what is typed: of many at once one asks, and the others have it from there.
    let asks = !world.unlock.is_given(world) && world.place().exists().unwrap_or(true);
    let turn = if asks { Terminal::turn() } else { None };
    if turn.as_ref().is_some_and(|turn| turn.was_waited_for)
        && let Some(opened) = by_agent(world)?
    {
        return trusting::believe(world, opened);
    }
    // The passphrase is gone before a person is asked whether it is the right vault.
    let Unlocked { opened, typed, .. } = told(world)?;
    let vault = trusting::believe(world, opened)?;
    // Not before the vault is believed: what opens a forged one is nothing to hold.
    if typed {
        agent_access::keep(world, &vault);
    }
    Ok(vault)
}

fn by_agent<'a>(world: &World<'a>) -> Result<Option<Opened<'a>>, Failure> {
    let holding = agent_access::holding(world);
    let opened = holding.map(|holding| agent_access::open(world, &holding)).transpose();
    Ok(opened.map_err(|failure| way_back::told_with(failure, world))?.flatten())
}

/// Opens the vault, where there is one.
pub fn open_if_there<'a>(world: &World<'a>) -> Result<Option<Vault<'a>>, Failure> {
    let exists = world.place().exists().map_err(LoadError::Io)?;
    exists.then(|| open_vault(world)).transpose()
}

/// Opens it without the agent: what is shown or changed next is worth being asked for the passphrase itself.
pub fn open_in_person<'a>(world: &World<'a>) -> Result<Vault<'a>, Failure> {
    let Unlocked { opened, .. } = in_person(world)?;
    trusting::believe(world, opened)
}

/// The same for who has to look at it first, or needs the passphrase once more.
pub fn in_person<'a>(world: &World<'a>) -> Result<Unlocked<'a>, Failure> {
    let is_unlocked = || agent_access::ask(world).ok().flatten().is_some_and(|held| held.vault_opener().is_some());
    told(world).map_err(|failure| match failure {
        Failure::NoTerminal(Need::Passphrase) if is_unlocked() => Failure::NoTerminal(Need::PassphraseItself),
        other => other,
    })
}

fn told<'a>(world: &World<'a>) -> Result<Unlocked<'a>, Failure> {
    unlocked(world).map_err(|failure| way_back::told_with(failure, world))
}

fn unlocked<'a>(world: &World<'a>) -> Result<Unlocked<'a>, Failure> {
    let place = world.place();
    let loaded = place.load().map_err(|error| not_loaded(error, world))?;
    match world.unlock.given(world)? {
        Some(Given::Passphrase(passphrase)) => {
            warn_of_another_salt(world, &loaded);
            let opened = vault::open(&place, &loaded, Key::Passphrase(&passphrase, world.unlock.memory()));
            let opened = opened.map_err(|error| failed_to_open(error, &world.vault_shown()))?;
            Ok(Unlocked { opened, passphrase: Some(passphrase), typed: false })
        }
        Some(Given::Identities(identities)) => {
            Ok(Unlocked { opened: open_by_identities(world, &loaded, &identities)?, passphrase: None, typed: false })
        }
        None => ask_and_open(world, &loaded),
    }
}

/// Who has keys in plaintext and no vault is shown the way from there.
fn not_loaded(error: LoadError, world: &World) -> Failure {
    let path = &world.paths.aws_credentials;
    let keys = || CredentialsFile::load(world.disk, path).is_ok_and(|file| file.has_long_term_key());
    match error {
        LoadError::Missing if keys() => Failure::NoVaultBesideKeys { file: escape(&world.paths.shown(path)) },
        error => Failure::Load(error),
    }
}

fn open_by_identities<'a>(
    world: &World<'a>,
    loaded: &Loaded,
    identities: &[IdentityText],
) -> Result<Opened<'a>, Failure> {
    let place = world.place();
    let mut trouble = None;
    for identity in identities {
        match vault::open(&place, loaded, Key::Identity(identity)) {
            Err(OpenError::Unseal(UnsealError::WrongIdentity)) => {}
            // The next one may need no plugin, or another.
            Err(error @ OpenError::Unseal(UnsealError::Plugin { .. })) => trouble = trouble.or(Some(error)),
            other => return Ok(other?),
        }
    }
    Err(trouble.unwrap_or(OpenError::Unseal(UnsealError::WrongIdentity)).into())
}

fn ask_and_open<'a>(world: &World<'a>, loaded: &Loaded) -> Result<Unlocked<'a>, Failure> {
    warn_of_another_salt(world, loaded);
    if loaded.kdf()?.is_none() {
        return Err(OpenError::NoPassphrase.into());
    }
    let open = |passphrase: &Passphrase| {
        vault::open(&world.place(), loaded, Key::Passphrase(passphrase, world.unlock.memory()))
    };
    let (opened, passphrase) = ask_passphrase(&world.vault_shown(), open)?;
    Ok(Unlocked { opened, passphrase: Some(passphrase), typed: true })
}

/// Asks for the passphrase of the vault that is shown so, until it opens it or the person runs out of tries.
pub fn ask_passphrase<T>(
    shown: &str,
    open: impl Fn(&Passphrase) -> Result<T, OpenError>,
) -> Result<(T, Passphrase), Failure> {
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, Need::Passphrase))?;
    for attempt in 1..=TRIES {
        let typed = terminal.ask_hidden(&format!("Passphrase for {shown}: "));
        let passphrase = Passphrase::new(typed.map_err(|error| Failure::prompt(error, Need::Passphrase))?.to_string());
        match open(&passphrase) {
            Err(OpenError::WrongPassphrase) if attempt < TRIES => terminal.show("Wrong passphrase, try again.\n"),
            other => {
                let opened = other.map_err(|error| failed_to_open(error, shown))?;
                return Ok((opened, passphrase));
            }
        }
    }
    Err(Failure::WrongPassphrase { vault: shown.to_owned() })
}

/// Before a passphrase is asked for or tried in vain.
fn warn_of_another_salt(world: &World, loaded: &Loaded) {
    if loaded.changed_kdf().is_some() {
        world.warn("salt or cost of the passphrase changed since this machine last opened the vault");
        world.hint("a passphrase that was changed on another machine does that, and so does damage");
    }
}

pub fn failed_to_open(error: OpenError, shown: &str) -> Failure {
    match error {
        OpenError::WrongPassphrase => Failure::WrongPassphrase { vault: shown.to_owned() },
        other => other.into(),
    }
}

/// A line copied from paper may have blanks where somebody made groups of it.
fn identity_in(line: &str) -> IdentityText {
    let mut text = String::with_capacity(line.len());
    text.extend(line.split_whitespace());
    IdentityText::new(text)
}

/// The identities of an age identity file: one a line, `#` starts a comment.
pub fn read_identities(world: &World, path: &Path) -> Result<Vec<IdentityText>, Failure> {
    let bytes = secret_file::read(world, path)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<IdentityText> = lines.map(identity_in).collect();
    if identities.is_empty() {
        return Err(Failure::NoIdentityIn { path: path.to_owned() });
    }
    Ok(identities)
}
