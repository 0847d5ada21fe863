//! A program of the system, as the schedule's commands ask it.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::cli::world::World;
use crate::paths::Environment;
use crate::process::{Answer, ask_program, find_program};

use super::error::ScheduleError;

pub struct Tool {
    name: &'static str,
    pub path: PathBuf,
    environment: Environment,
}

impl Tool {
    /// Found by its name where nobody else can put another.
    pub fn find(name: &'static str, world: &World) -> Result<Self, ScheduleError> {
        let path = find_program(name, &world.environment).map_err(|error| ScheduleError::Program { name, error })?;
        // Its words are read, and its times.
        let ours = [("LC_ALL", "C"), ("TZ", "UTC")].map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        Ok(Self { name, path, environment: world.environment.all().chain(ours).collect() })
    }

    /// The same where it may be missing: one that others can replace is as good as none.
    pub fn find_optional(name: &'static str, world: &World) -> Option<Self> {
        Self::find(name, world).ok()
    }

    /// Whatever it answers.
    pub fn ask(&self, arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Answer, ScheduleError> {
        let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        ask_program(&self.path, &arguments, input, &self.environment).map_err(ScheduleError::Run)
    }

    /// What it prints, if it does what it is asked for.
    pub fn tell(&self, arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Vec<u8>, ScheduleError> {
        let answer = self.ask(arguments, input)?;
        if answer.status.success() { Ok(answer.output) } else { Err(self.refused(&answer)) }
    }

    pub fn refused(&self, answer: &Answer) -> ScheduleError {
        let said = answer.said.lines().map(str::trim).find(|line| !line.is_empty());
        let said = said.map_or_else(|| answer.status.to_string(), str::to_owned);
        ScheduleError::Refused { program: self.name, said }
    }
}
