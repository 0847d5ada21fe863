//! Holds the identities of unlocked vaults between commands, and opens files with them for its own user. Small as ssh-agent:
//! it derives nothing, reads no vault and talks to nobody else.

mod encoding; // what JSON has no form for
pub mod frame; // where a message begins and ends
pub mod protocol; // what is said
mod version; // of the programs at its two ends

mod client; // who asks
mod connection; // one who asks, as the agent sees it
pub mod daemon; // how it is started
mod held; // what is held, and until when
mod instance; // an agent of any version, made to forget
mod listener; // the socket and the lock that it has alone
mod server; // the agent itself
mod socket; // where it is looked for
mod unit; // what systemd reads
mod watch; // who wants to hear of a lock

pub use self::{
    client::{Agent, AgentError},
    daemon::{StartError, start},
    instance::{Instance, Locked, StillHeld},
    listener::{ListenError, Listener},
    server::{Ended, Server, TICK},
    unit::{UnitError, service_unit, socket_unit},
    watch::Watch,
};
pub use protocol::{HeldVault, Hello, Place, State, Status, Unlock, VaultStatus, Which};
pub use version::Version;
