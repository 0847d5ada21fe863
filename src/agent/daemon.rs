//! The agent as a process that outlives the one that starts it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use thiserror::Error;

use super::client::{Agent, AgentError};
use super::instance::{Instance, StillHeld};
use super::listener::Listener;
use super::protocol::PROTOCOL;
use super::server::{Ended, Server, TICK};
use super::socket;
use super::version::Version;
use crate::paths::{Environment, Paths};
use crate::process::{spawn_detached, turn_off_standard_streams};

/// An agent that has not started by then never will.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks for the socket of an agent that somebody else is starting.
const POLL: Duration = Duration::from_millis(10);

/// What decides where an agent's files are, and all that it gets of our environment.
const KEPT: [&str; 3] = ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"];

/// The version is that of who starts it.
const ARGUMENTS: [&str; 3] = ["agent", "run", concat!("--detached=", env!("CARGO_PKG_VERSION"))];

/// What a started agent says, on one line.
const READY: &str = "ready";
/// The same where another one is there already, or about to be.
pub const HELD: &str = "held";

#[derive(Debug, Error)]
pub enum StartError {
    #[error("the agent that runs can't be used: {0}")]
    Agent(#[from] AgentError),
    #[error("an older agent does not end")]
    OlderStays(#[from] StillHeld),
    #[error("the program could not be started: {0}")]
    Program(io::Error),
    #[error("it did not start within {} s", PATIENCE.as_secs())]
    NoAnswer,
    /// One that was there first: it has the lock.
    #[error("another one runs, and can't be reached")]
    Unreachable,
    /// In its own words.
    #[error("it ended at once: {0}")]
    Ended(String),
}

impl StartError {
    /// Whether it is that very program that is no agent, so that another may be one.
    pub fn is_of_the_program(&self) -> bool {
        matches!(self, Self::Program(_) | Self::NoAnswer | Self::Ended(_))
    }
}

/// An agent that runs: the one there is, unless this program is newer, or a new one, made of `program`.
pub fn start(program: &Path, paths: &Paths, environment: &Environment) -> Result<Agent, StartError> {
    // Before a program is started that can only say so.
    socket::address(&paths.sockets, &socket::socket_name(PROTOCOL)).ok_or(AgentError::PathTooLong)?;
    if let Some(agent) = Agent::connect(&paths.sockets)? {
        if agent.status()?.version >= Version::own() {
            return Ok(agent);
        }
        replace(&agent, paths)?;
        // Where systemd listens, it starts the next one.
        if let Some(agent) = Agent::connect(&paths.sockets)? {
            return Ok(agent);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    match &*launch(program, environment, deadline)? {
        READY => Agent::connect(&paths.sockets)?.ok_or(StartError::Unreachable),
        HELD => await_other(&paths.sockets, deadline),
        "" => Err(StartError::NoAnswer),
        words => Err(StartError::Ended(words.to_owned())),
    }
}

fn replace(agent: &Agent, paths: &Paths) -> Result<(), StartError> {
    agent.quit()?;
    Ok(Instance::new(PROTOCOL, paths).await_end()?)
}

/// Starts the program as an agent, and gives the line that it says.
fn launch(program: &Path, environment: &Environment, deadline: Instant) -> Result<String, StartError> {
    let kept = KEPT.iter().filter_map(|name| Some((name, environment.get(name)?)));
    let mut command = Command::new(program);
    command.args(ARGUMENTS).env_clear().envs(kept);
    let said = spawn_detached(&mut command).map_err(StartError::Program)?;
    let line = line(said, deadline).map_err(StartError::Program)?;
    line.ok_or(StartError::NoAnswer)
}

/// Whether a program was started to be the agent, by one of its own version: an agent of another would be replaced again.
pub fn is_asked_for(given: &[OsString]) -> bool {
    given.get(1..).is_some_and(|given| given.iter().eq(&ARGUMENTS))
}

/// What the started program does once it listens: says so, and is the agent.
pub fn serve(listener: Listener) -> io::Result<Ended> {
    // Where nobody listens there is nobody to tell.
    let server = Server::new(listener, TICK).inspect_err(|error| drop(tell(&error.to_string())))?;
    tell(READY)?;
    turn_off_standard_streams()?;
    server.run()
}

/// For whoever started it, who waits for one line on its standard output, and for nothing else.
pub fn tell(line: &str) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{line}")?;
    output.flush()
}

/// None where the time was up.
fn line(mut said: impl Read + AsFd, deadline: Instant) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        if poll(&mut [PollFd::new(&said, PollFlags::IN)], Some(&timeout))? == 0 {
            return Ok(None);
        }
        let mut room = [0; 256];
        let read = said.read(&mut room)?;
        bytes.extend_from_slice(&room[..read]);
        if read == 0 || bytes.contains(&b'\n') || bytes.len() > 4096 {
            let text = String::from_utf8_lossy(&bytes);
            return Ok(Some(text.lines().next().unwrap_or_default().to_owned()));
        }
    }
}

/// Two started at once, and the other one has the lock: its socket is there any moment.
fn await_other(sockets: &Path, deadline: Instant) -> Result<Agent, StartError> {
    while Instant::now() < deadline {
        if let Some(agent) = Agent::connect(sockets)? {
            return Ok(agent);
        }
        std::thread::sleep(POLL);
    }
    Err(StartError::Unreachable)
}
