//! Holds the identities of unlocked vaults between commands, and opens files with them for its own user. Small as ssh-agent:
//! it derives nothing, reads no vault and talks to nobody else.

pub mod frame; // where a message begins and ends
pub mod protocol; // what is said

#[cfg(feature = "program")]
mod client; // who asks
#[cfg(feature = "program")]
mod held; // what is held, and until when
#[cfg(feature = "program")]
mod socket; // where it is said

#[cfg(feature = "program")]
pub use client::{Agent, AgentError};
pub use protocol::{HeldVault, Hello, Place, State, Status, Unlock, VaultStatus, Version, Which};
