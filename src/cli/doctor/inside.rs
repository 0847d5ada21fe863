//! What is in the vault, looked at once for all that is said of it, and only where nobody has to be asked.

use crate::cli::agent_access;
use crate::cli::failure::Failure;
use crate::cli::opening;
use crate::cli::trusting;
use crate::cli::way_back;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::store::vault::Vault;

pub enum Inside<'a> {
    NoVault,
    /// Somebody would have to open it.
    Locked,
    Open(Box<Vault<'a>>),
    Failed(Failure),
}

impl<'a> Inside<'a> {
    /// By the agent, or by what the command line says.
    pub fn look(world: &World<'a>) -> Self {
        if !matches!(world.disk.status_at(&world.paths.vault), Ok(Some(_))) {
            return Self::NoVault;
        }
        match open(world) {
            Ok(Some(vault)) => Self::Open(Box::new(vault)),
            Ok(None) => Self::Locked,
            Err(failure) => Self::Failed(failure),
        }
    }

    /// Its profiles; None where they can't be known.
    pub fn names(&self) -> Option<Vec<&ProfileName>> {
        match self {
            Self::NoVault => Some(Vec::new()),
            Self::Open(vault) => Some(vault.document().profiles.keys().collect()),
            Self::Locked | Self::Failed(_) => None,
        }
    }
}

/// A vault that the agent does not open is damaged or another one: to ask for its passphrase would only hide that.
fn open<'a>(world: &World<'a>) -> Result<Option<Vault<'a>>, Failure> {
    if world.unlock.is_given(world) {
        return opening::open_vault(world).map(Some);
    }
    let holding = agent_access::ask(world).ok().flatten();
    let opened = holding.map(|holding| agent_access::open_by_it_alone(world, &holding)).transpose();
    match opened.map_err(|failure| way_back::told_with(failure, world))?.flatten() {
        Some(opened) => trusting::believe(world, opened).map(Some),
        None => scan(world).map(|()| None).map_err(|failure| way_back::told_with(failure, world)),
    }
}

/// What can be known of a vault that is locked: that it is none, or damaged where every reader begins.
fn scan(world: &World) -> Result<(), Failure> {
    world.place().load()?.kdf()?;
    Ok(())
}
