//! An agent by the version of its protocol: found by its socket and its lock, and made to forget whether it answers or not.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;

use super::client::{Agent, AgentError};
use super::socket;
use crate::disk::{Disk, LockError, RealDisk};
use crate::paths::Paths;

/// For an agent to be gone once it was told.
const PATIENCE: Duration = Duration::from_secs(5);

/// A lock that is held for longer names its holder: the pid is written right after the lock is taken.
const TAKEN: Duration = Duration::from_millis(200);

/// An agent that may still hold what was unlocked, by the pid in its lock.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("an agent still holds what was unlocked")]
pub struct StillHeld {
    pub pid: Option<u32>,
}

/// How an agent came to hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// It said so.
    Confirmed,
    /// It did not answer and was ended.
    Ended,
    /// There was none.
    NotThere,
}

pub struct Instance<'a> {
    protocol: u32,
    paths: &'a Paths,
}

impl<'a> Instance<'a> {
    pub fn new(protocol: u32, paths: &'a Paths) -> Self {
        Self { protocol, paths }
    }

    /// Every agent that left a trace, of any version.
    pub fn all(paths: &'a Paths) -> io::Result<Vec<Self>> {
        let mut protocols = BTreeSet::new();
        for folder in [&paths.sockets, &paths.state] {
            let Some(folder) = RealDisk.open_folder_if_there(folder)? else { continue };
            let names = folder.names()?;
            protocols.extend(names.iter().filter_map(|name| socket::protocol_of(name)));
        }
        Ok(protocols.into_iter().map(|protocol| Self::new(protocol, paths)).collect())
    }

    /// Has it forget everything. Success means that it holds nothing, whatever became of its socket: who can't be asked and
    /// lives is ended, and its memory goes with it.
    pub fn lock(&self) -> Result<Locked, StillHeld> {
        self.tell(Agent::lock)
    }

    /// The same, and it ends in any case.
    pub fn stop(&self) -> Result<Locked, StillHeld> {
        let told = self.tell(Agent::quit)?;
        self.await_end()?;
        Ok(told)
    }

    fn tell(&self, word: fn(&Agent) -> Result<(), AgentError>) -> Result<Locked, StillHeld> {
        let agent = Agent::connect_to(&self.paths.sockets, &socket::socket_name(self.protocol));
        if agent.ok().flatten().is_some_and(|agent| word(&agent).is_ok()) {
            return Ok(Locked::Confirmed);
        }
        match self.holder(TAKEN) {
            None => Ok(Locked::NotThere),
            Some(pid) => self.end(pid),
        }
    }

    /// Until its lock is free.
    pub fn await_end(&self) -> Result<(), StillHeld> {
        self.holder(PATIENCE).map_or(Ok(()), |pid| Err(StillHeld { pid }))
    }

    fn end(&self, pid: Option<u32>) -> Result<Locked, StillHeld> {
        let process = pid.and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).filter(|pid| !pid.is_init());
        if let Some(process) = process {
            let _ = kill_process(process, Signal::TERM);
            // One that is stopped dies of it only when it goes on.
            let _ = kill_process(process, Signal::CONT);
        }
        self.await_end().map(|()| Locked::Ended)
    }

    /// Who has its lock for so long; None where nobody does. A lock that can't be looked at is one that somebody may have.
    fn holder(&self, patience: Duration) -> Option<Option<u32>> {
        let name = socket::lock_name(self.protocol);
        let folder = match RealDisk.open_folder_if_there(&self.paths.state) {
            Ok(Some(folder)) => folder,
            Ok(None) => return None,
            Err(_) => return Some(None),
        };
        match folder.await_unlocked(&name, patience) {
            Ok(()) => None,
            Err(LockError::Held { pid }) => Some(pid),
            Err(_) => Some(None),
        }
    }
}
