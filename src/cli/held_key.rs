//! Who holds a vault's session identity while it is closed.

use crate::session::SessionKey;

use super::agent_access::{self, Holding};
use super::world::World;

/// Asks for the key of the sessions of the vault at the world's place; None where nobody holds it or may be asked.
pub type HeldKey<'a> = dyn Fn(&World) -> Option<SessionKey> + 'a;

/// The agent's.
pub fn by_agent(world: &World) -> Option<SessionKey> {
    agent_access::ask(world).ok().flatten().and_then(Holding::session_key)
}
