//! `vault lock`.

use crate::agent::{Instance, Locked};

use crate::process;
use crate::rotate::lock;
use crate::server::holding;

use super::failure::Failure;
use super::world::World;

/// Forget the unlocked vault: every agent drops what it holds
///
/// Ends well only when nothing is held any more: an agent that does not answer is ended, a rotation that is under way stops where
/// it can go on later, and what `serve` and `exec --server` hand out is forgotten. What was exported lives until it expires.
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
    let still = lock::end_all(world.disk, &world.paths.state, process::tell_to_end).map_err(Failure::AgentTraces)?;
    if let Some(pid) = still.first() {
        return Err(Failure::RotationGoesOn { pid: *pid });
    }
    let servers = holding::forget_all(world.disk, &world.paths.state, process::tell_to_forget);
    let servers = servers.map_err(Failure::AgentTraces)?;
    if let Some(pid) = servers.still.first() {
        return Err(Failure::ServedOn { pid: *pid });
    }
    world.say(match outcome? {
        Locked::NotThere if servers.told > 0 => "no agent is running; what was served is forgotten",
        Locked::NotThere => "no agent is running; nothing was unlocked",
        Locked::Confirmed => "locked",
        Locked::Ended => "locked; the agent did not answer and was ended",
    });
    Ok(())
}
