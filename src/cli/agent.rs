//! `vault agent`.

use std::time::Duration;

use serde_json::json;

use crate::agent::daemon;
use crate::agent::protocol::PROTOCOL;
use crate::agent::{
    Agent, Ended, Instance, ListenError, Listener, Locked, Server, State, TICK, VaultStatus, service_unit, socket_unit,
};
use crate::duration;

use super::failure::Failure;
use super::own_program;
use super::report::Report;
use super::table;
use super::world::World;

/// The process that keeps vaults unlocked between commands
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show which vaults are unlocked, and for how long
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Be the agent, in the foreground
    Run {
        /// Say one line when ready, then go on alone; `vault-quick` does so for a `vault` of its own version only
        #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "VERSION")]
        detached: Option<Option<String>>,
    },
    /// End the agent; what it holds is forgotten
    Stop,
    /// Print units for systemd, which then starts the agent when it is asked for
    ///
    /// They go into ~/.config/systemd/user, as vault-agent.socket and vault-agent.service; then
    /// `systemctl --user enable --now vault-agent.socket`.
    PrintUnit {
        /// Only this one
        #[arg(value_enum)]
        which: Option<Unit>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Unit {
    Socket,
    Service,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action {
        Action::Status { json } => status(json, world),
        Action::Run { detached: None } => serve(world),
        Action::Run { detached: Some(_) } => serve_detached(world),
        Action::Stop => stop(world),
        Action::PrintUnit { which } => print_unit(which, world),
    }
}

fn status(json: bool, world: &World) -> Result<(), Failure> {
    let status = match Agent::connect(&world.paths.sockets)? {
        Some(agent) => Some(agent.status()?),
        None => None,
    };
    let vaults = status.as_ref().map_or(&[][..], |status| &status.vaults);
    if json {
        let agent = status.as_ref().map(|status| json!({ "version": status.version, "pid": status.pid }));
        return world.print_json(json!({ "agent": agent, "vaults": vaults }));
    }
    match &status {
        None => world.say("no agent is running"),
        Some(status) => world.say(&format!("agent {}, process {}", status.version, status.pid)),
    }
    if vaults.is_empty() {
        world.say("no vault is unlocked");
        return Ok(());
    }
    world.print(&table::render(&["VAULT", "STATE", "LEFT", "SESSIONS"], vaults.iter().map(|vault| row(vault, world))))
}

fn row(vault: &VaultStatus, world: &World) -> [String; 4] {
    let words = |seconds| duration::words(Duration::from_secs(seconds));
    let state = match vault.state {
        State::Unlocked => "unlocked",
        State::SessionsOnly => "sessions only",
    };
    // Whichever comes first.
    let left = vault.idle_left.into_iter().chain(vault.vault_left).min();
    let dash = || "-".to_owned();
    [
        world.paths.shown(vault.place.as_str().as_ref()),
        state.to_owned(),
        left.map_or_else(dash, words),
        vault.session_left.or(left).map_or_else(dash, words),
    ]
}

fn serve(world: &World) -> Result<(), Failure> {
    let listener = Listener::open(&world.paths, &world.environment)?;
    let server = Server::new(listener, TICK).map_err(Failure::AgentEnded)?;
    world.say(&format!("agent, process {}", std::process::id()));
    ended(server.run())
}

fn serve_detached(world: &World) -> Result<(), Failure> {
    let listener = Listener::open(&world.paths, &world.environment).map_err(Failure::from).inspect_err(|failure| {
        let line = match failure {
            Failure::AgentListen(ListenError::Held { .. }) => daemon::HELD.to_owned(),
            other => Report::of(other).message,
        };
        // Where nobody listens there is nobody to tell.
        let _ = daemon::tell(&line);
    })?;
    ended(daemon::serve(listener))
}

fn ended(outcome: std::io::Result<Ended>) -> Result<(), Failure> {
    match outcome.map_err(Failure::AgentEnded)? {
        Ended::Quit => Ok(()),
        Ended::SocketGone => Err(Failure::AgentUnreachable),
    }
}

fn stop(world: &World) -> Result<(), Failure> {
    world.say(match Instance::new(PROTOCOL, &world.paths).stop()? {
        Locked::NotThere => "no agent is running",
        Locked::Confirmed => "the agent ended",
        Locked::Ended => "the agent did not answer and was ended",
    });
    Ok(())
}

fn print_unit(which: Option<Unit>, world: &World) -> Result<(), Failure> {
    let wanted = |unit| which.is_none_or(|which| which == unit);
    let mut units = Vec::new();
    if wanted(Unit::Socket) {
        units.push(("vault-agent.socket", socket_unit(&world.paths, &world.environment)?));
    }
    if wanted(Unit::Service) {
        units.push(("vault-agent.service", service_unit(&own_program::path(world)?, &world.environment)?));
    }
    let named = units.into_iter().map(|(name, text)| format!("# ~/.config/systemd/user/{name}\n{text}"));
    world.print(&named.collect::<Vec<_>>().join("\n"))
}
