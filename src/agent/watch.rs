//! A connection that is kept to hear when the agent forgets: it ends with that.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use super::client::Agent;

pub struct Watch {
    agent: Arc<Agent>,
    place: PathBuf,
    vault_id: String,
    connection: OwnedFd,
}

impl Watch {
    /// Of the vault in this place, which the agent holds under that id.
    pub fn new(agent: Arc<Agent>, place: PathBuf, vault_id: String) -> io::Result<Self> {
        let connection = agent.connection()?;
        Ok(Self { agent, place, vault_id, connection })
    }

    /// Whether the agent is there and holds the vault's session identity, whose time may be over too. Asking does not lengthen it.
    pub fn is_held(&self) -> bool {
        let held = self.agent.hello(&self.place).ok().and_then(|hello| hello.vault);
        held.is_some_and(|vault| vault.vault_id == self.vault_id)
    }
}

/// Readable when the connection ended: the agent says nothing that it was not asked.
impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}
