//! What is in the vault, looked at once for all that is said of it, and only where nobody has to be asked.

use crate::cli::agent_access;
use crate::cli::failure::Failure;
use crate::cli::opening;
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
        let holds = agent_access::ask(world).ok().flatten().is_some_and(|holding| holding.opens());
        if !holds && !world.unlock.is_given(world) {
            return Self::Locked;
        }
        match opening::open_vault(world) {
            Ok(vault) => Self::Open(Box::new(vault)),
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
