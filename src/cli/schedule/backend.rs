//! The system's schedulers behind one face.

use jiff::Timestamp;

use crate::cli::world::World;
use crate::rotate::units::{Job, Scheduler};

use super::cron::Cron;
use super::error::ScheduleError;
use super::launchd::Launchd;
use super::systemd::Systemd;
use super::tool::Tool;

pub trait Backend {
    fn scheduler(&self) -> Scheduler;

    /// What it reads, with the file's name before it where there are several.
    fn texts(&self, job: &Job) -> Result<String, ScheduleError>;

    /// Refuses early what [`Self::install`] would refuse.
    fn check(&self) -> Result<(), ScheduleError>;

    /// In the place of what was there.
    fn install(&self, job: &Job) -> Result<Started, ScheduleError>;

    fn installed(&self) -> Result<Option<Installed>, ScheduleError>;

    fn remove(&self) -> Result<(), ScheduleError>;
}

/// Whether the scheduler knows of it already.
pub enum Started {
    Yes,
    /// These commands do that: it could not be reached.
    By(Vec<String>),
}

pub struct Installed {
    /// As people are shown it.
    pub place: String,
    /// None where the scheduler can't be asked.
    pub active: Option<bool>,
    pub next: Option<Timestamp>,
}

pub fn of<'w>(scheduler: Scheduler, world: &'w World<'_>) -> Box<dyn Backend + 'w> {
    match scheduler {
        Scheduler::Systemd => Box::new(Systemd::new(world)),
        Scheduler::Launchd => Box::new(Launchd::new(world)),
        Scheduler::Cron => Box::new(Cron::new(world)),
    }
}

pub fn all<'w>(world: &'w World<'_>) -> [Box<dyn Backend + 'w>; 3] {
    [Scheduler::Systemd, Scheduler::Launchd, Scheduler::Cron].map(|scheduler| of(scheduler, world))
}

/// What fits this machine.
pub fn usual(world: &World) -> Result<Scheduler, ScheduleError> {
    if cfg!(target_os = "macos") {
        return Ok(Scheduler::Launchd);
    }
    if Systemd::new(world).version().is_some() {
        return Ok(Scheduler::Systemd);
    }
    let is_there = |name| Tool::find_optional(name, world).is_some();
    match (is_there("crontab"), is_there("systemctl")) {
        (true, _) => Ok(Scheduler::Cron),
        (false, true) => Ok(Scheduler::Systemd),
        (false, false) => Err(ScheduleError::NoScheduler),
    }
}
