//! The agent, and whether it may keep what it holds out of swap.

use std::path::Path;
use std::time::Duration;

use crate::agent::{Agent, State};
use crate::cli::world::World;
use crate::duration;
use crate::process;

use super::finding::Finding;

const ABOUT: &str = "agent";

/// What one agent locks in memory at most: a page for each identity of each vault, with room to spare.
const ENOUGH: u64 = 64 * 1024;

pub fn look(world: &World) -> Vec<Finding> {
    let limit = process::locked_memory_limit().filter(|limit| *limit < ENOUGH).map(|limit| {
        Finding::problem("memory", format!("only {limit} bytes may be kept out of swap"))
            .next("`ulimit -l 64`, or raise `memlock` in /etc/security/limits.conf")
    });
    [agent(world)].into_iter().chain(limit).collect()
}

fn agent(world: &World) -> Finding {
    if !world.unlock.may_use_agent(world) {
        return Finding::note(ABOUT, "not used: VAULT_NO_AGENT or --no-agent");
    }
    let status =
        match Agent::connect(&world.paths.sockets).and_then(|agent| agent.map(|agent| agent.status()).transpose()) {
            Err(error) => {
                return Finding::problem(ABOUT, format!("it can't be asked: {error}"))
                    .next("`vault agent stop`; the next unlock starts another");
            }
            Ok(None) => return Finding::note(ABOUT, "none runs; the next passphrase that is typed starts one"),
            Ok(Some(status)) => status,
        };
    let here = world.disk.resolve(&world.paths.vault).unwrap_or_else(|_| world.paths.vault.clone());
    let words = |seconds| duration::words(Duration::from_secs(seconds));
    let vault = status.vaults.iter().find(|vault| Path::new(vault.place.as_str()) == here);
    let found = match vault {
        None => format!("process {}, and this vault is locked", status.pid),
        Some(vault) if vault.state == State::SessionsOnly => {
            format!("process {}, which hands out cached sessions; the vault itself is locked", status.pid)
        }
        Some(vault) => {
            let left = vault.idle_left.into_iter().chain(vault.vault_left).min();
            format!(
                "process {}, and this vault is unlocked{}",
                status.pid,
                left.map(|left| format!(" for {}", words(left))).unwrap_or_default()
            )
        }
    };
    Finding::good(ABOUT, found)
}
