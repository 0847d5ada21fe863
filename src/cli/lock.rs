//! `vault lock`.

use crate::agent::{Instance, Locked};

use super::failure::Failure;
use super::world::World;

/// Forget the unlocked vault: every agent drops what it holds
///
/// Ends well only when nothing is held any more: an agent that does not answer is ended. What was exported lives until it
/// expires.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: Args, world: &World) -> Result<(), Failure> {
    let mut outcome = Ok(Locked::NotThere);
    // All of them, also after one that could not be reached.
    for agent in Instance::all(&world.paths).map_err(Failure::AgentTraces)? {
        match agent.lock() {
            Ok(Locked::NotThere) => {}
            Ok(locked) => outcome = outcome.map(|_| locked),
            Err(held) => outcome = Err(held),
        }
    }
    world.say(match outcome? {
        Locked::NotThere => "no agent is running; nothing was unlocked",
        Locked::Confirmed => "locked",
        Locked::Ended => "locked; the agent did not answer and was ended",
    });
    Ok(())
}
