//! Words for what goes wrong with the agent.

use std::io;

use crate::agent::{AgentError, ListenError, StartError, StillHeld, UnitError};
use crate::cli::agent_access::HandOverError;
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::Failure;
use crate::cli::lock::Untold;

use super::{Report, Status, internal};

pub fn report(failure: &Failure) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match failure {
        Failure::AgentListen(error) => listen(error),
        Failure::AgentEnded(error) => state(format!("the agent stopped, and holds nothing any more: {error}")),
        Failure::AgentUnreachable => state("the agent's socket is gone; it stopped, and holds nothing any more".into()),
        Failure::Agent(error) => asked(error),
        Failure::AgentHolds(held) => holds(held),
        Failure::Untold(who, error) => untold(*who, error),
        Failure::AsksOn { pid } => asks_on(*pid),
        Failure::AgentUnit(UnitError::Character(path)) => {
            state(format!("{} has a character that no unit can hold", shown_path(path)))
        }
        Failure::AgentNotWanted => Report::new(Status::Usage, "unlocking takes an agent, and none may be used")
            .hint("leave out `--no-agent`, and unset VAULT_NO_AGENT"),
        Failure::HandOver(error) => hand_over(error),
        _ => internal(),
    }
}

fn untold(who: Untold, error: &io::Error) -> Report {
    let (what, words) = match who {
        Untold::Agents => ("whether an agent runs", "agent run"),
        Untold::Rotations => ("whether a rotation is under way", "rotate|--rotate"),
        Untold::Prompts => ("whether a command waits for an answer", "vault"),
        Untold::Servers => ("whether a session is served", "serve|exec .*--server"),
    };
    Report::new(Status::State, format!("can't tell {what}: {}", escape(&error.to_string())))
        .hint(format!("`pgrep -af '{words}'` finds it; `kill` ends it"))
}

/// A command that does not end at its prompt.
fn asks_on(pid: Option<u32>) -> Report {
    let process = pid.map(|pid| format!(", process {pid},")).unwrap_or_default();
    let report = Report::new(Status::State, format!("a command{process} waits for an answer, and does not end"));
    match pid {
        Some(pid) => report.hint(format!("`kill -KILL {pid}` ends it; then `vault lock`")),
        None => report.hint("`pgrep -af vault` finds it; then `vault lock`"),
    }
}

fn hand_over(error: &HandOverError) -> Report {
    match error {
        HandOverError::NotToBeHeld => Report::new(Status::State, "what opened the vault can't be held by an agent")
            .hint("an age plugin is asked by each command, without `vault unlock`"),
        HandOverError::Agent(error) | HandOverError::Start(StartError::Agent(error)) => asked(error),
        HandOverError::Start(StartError::OlderStays(held)) => holds(held),
        HandOverError::Start(error) => {
            Report::new(Status::State, format!("the agent could not be started: {}", escape(&error.to_string()))).hint(
                match error {
                    StartError::Unreachable => "`vault lock` ends it",
                    _ => "commands work without one: each asks for the passphrase itself",
                },
            )
        }
    }
}

fn listen(error: &ListenError) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match error {
        ListenError::Held { pid: Some(pid) } => {
            state(format!("another agent runs already (process {pid})")).hint("`vault agent stop` ends it")
        }
        ListenError::Held { pid: None } => state("somebody else listens at the agent's socket already".into())
            .hint("`vault agent stop` ends an agent; a unit of systemd's starts its own"),
        ListenError::PathTooLong => path_too_long(),
        other => state(format!("the agent can't listen: {}", escape(&other.to_string()))),
    }
}

fn asked(error: &AgentError) -> Report {
    match error {
        AgentError::PathTooLong => path_too_long(),
        AgentError::NoAnswer => Report::new(Status::State, "the agent does not answer").hint("`vault lock` ends it"),
        other => Report::new(Status::State, format!("the agent can't be used: {}", escape(&other.to_string()))),
    }
}

fn path_too_long() -> Report {
    Report::new(Status::State, "the path of the agent's socket is too long for a socket")
        .hint("set XDG_RUNTIME_DIR to a folder with a shorter one")
}

fn holds(held: &StillHeld) -> Report {
    match held.pid {
        Some(pid) => Report::new(
            Status::State,
            format!("an agent does not answer and does not end, and may still hold what was unlocked (process {pid})"),
        )
        .hint(format!("kill -9 {pid}")),
        None => Report::new(
            Status::State,
            "an agent does not answer, and may still hold what was unlocked; its lock does not name it",
        )
        .hint("`pgrep -f 'agent run'` finds it"),
    }
}
