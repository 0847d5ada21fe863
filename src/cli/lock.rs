//! `vault lock`.

use crate::agent::{Instance, Locked};
use crate::process;
use crate::rotate::lock;
use crate::server::holding;

use super::asking;
use super::failure::Failure;
use super::world::World;

/// Forget the unlocked vault: every agent drops what it holds
///
/// Ends well only when nothing is held any more: an agent that does not answer is ended, a rotation that is under way stops where
/// it can go on later, what `serve` and `exec --server` hand out is forgotten, and a command that waits for an answer is ended. What
/// was exported lives until it expires.
#[derive(clap::Args)]
pub struct Args {}

/// Who was to forget what is unlocked.
#[derive(Debug, Clone, Copy)]
pub enum Untold {
    Agents,
    Rotations,
    Servers,
    Prompts,
}

pub fn run(_: Args, world: &World) -> Result<(), Failure> {
    let (disk, state) = (world.disk, &world.paths.state);
    // All of all four, also after one that could not be reached.
    let agents = lock_agents(world);
    // Before any of them is waited for, which must not keep the others from hearing of it.
    let rotations = lock::tell_all(disk, state, process::tell_to_end);
    let servers = holding::tell_all(disk, state, process::tell_to_forget);
    let prompts = asking::tell_all(disk, state, process::tell_to_end);
    let locked = agents?;
    let rotations = rotations.map_err(|error| Failure::Untold(Untold::Rotations, error))?;
    let servers = servers.map_err(|error| Failure::Untold(Untold::Servers, error))?;
    let prompts = prompts.map_err(|error| Failure::Untold(Untold::Prompts, error))?;
    let (served, asked) = (servers.number() > 0, prompts.number() > 0);
    if let Some(pid) = rotations.wait().first() {
        return Err(Failure::RotationGoesOn { pid: *pid });
    }
    if let Some(pid) = servers.wait().first() {
        return Err(Failure::ServedOn { pid: *pid });
    }
    if let Some(pid) = prompts.wait().first() {
        return Err(Failure::AsksOn { pid: *pid });
    }
    world.say(match locked {
        Locked::NotThere if served => "no agent is running; what was served is forgotten",
        Locked::NotThere if asked => "no agent is running; what waited for an answer was ended",
        Locked::NotThere => "no agent is running; nothing was unlocked",
        Locked::Confirmed => "locked",
        Locked::Ended => "locked; the agent did not answer and was ended",
    });
    Ok(())
}

fn lock_agents(world: &World) -> Result<Locked, Failure> {
    let mut outcome = Ok(Locked::NotThere);
    for agent in Instance::all(&world.paths).map_err(|error| Failure::Untold(Untold::Agents, error))? {
        match agent.lock() {
            Ok(Locked::NotThere) => {}
            Ok(locked) => outcome = outcome.map(|_| locked),
            Err(held) => outcome = Err(held),
        }
    }
    Ok(outcome?)
}
