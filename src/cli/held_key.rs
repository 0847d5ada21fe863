//! Who holds a vault's session identity while it is closed.

use std::sync::Arc;

use crate::agent::{Agent, Which};
use crate::session::SessionKey;

use super::world::World;

/// Asks for the key of the sessions of the vault at the world's place; None where nobody holds it or may be asked.
pub type HeldKey<'a> = dyn Fn(&World) -> Option<SessionKey> + 'a;

/// The agent's. What is wrong with one that does not answer as it should is told by the commands that are about it; to who
/// wants a session it is as good as none.
pub fn by_agent(world: &World) -> Option<SessionKey> {
    if world.environment.get("VAULT_NO_AGENT").is_some() {
        return None;
    }
    let agent = Arc::new(Agent::connect(&world.paths.sockets).ok()??);
    let held = agent.hello(&world.paths.vault).ok()?.vault?;
    let identity = agent.held(&held.vault_id, Which::Session);
    SessionKey::held(identity, &held.session_recipient, held.name_key, &held.vault_id).ok()
}
