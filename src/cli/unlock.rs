//! `vault unlock`.

use std::time::Duration;

use crate::duration;

use super::agent_access::{self, Terms};
use super::failure::Failure;
use super::opening;
use super::settings;
use super::world::World;

/// Unlock the vault for a while: an agent holds what opens it, and commands stop asking
///
/// Typing the passphrase for any other command does the same by itself, unless the setting agent.enabled is false. The
/// times not given here are those of the settings agent.idle, agent.max and agent.session.
#[derive(clap::Args)]
pub struct Args {
    /// Lock after this long without use [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_agent_seconds)]
    idle: Option<u32>,
    /// Lock after this long in any case [default: 8h]
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_agent_seconds)]
    max: Option<u32>,
    /// Hand out cached sessions for this long; 0: as long as the vault is unlocked [default: 12h]
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_agent_session_seconds)]
    session: Option<u32>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    if !world.unlock.may_use_agent(world) {
        return Err(Failure::AgentNotWanted);
    }
    let vault = opening::open_in_person(world)?;
    let terms = args.over(Terms::of(&vault.document().settings.agent));
    agent_access::hand_over(world, &vault, terms)?;
    world.say(&shown(terms));
    Ok(())
}

impl Args {
    fn over(&self, settings: Terms) -> Terms {
        let seconds = |given: Option<u32>, setting| given.map_or(setting, |given| Duration::from_secs(given.into()));
        Terms {
            idle: seconds(self.idle, settings.idle),
            max: seconds(self.max, settings.max),
            session: seconds(self.session, settings.session),
        }
    }
}

fn shown(Terms { idle, max, session }: Terms) -> String {
    let vault = match idle < max {
        true => format!("unlocked for {}, or until {} pass without use", duration::words(max), duration::words(idle)),
        false => format!("unlocked for {}", duration::words(max)),
    };
    match session.is_zero() {
        true => vault,
        false => format!("{vault}; cached sessions are handed out for {}", duration::words(session)),
    }
}
