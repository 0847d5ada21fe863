//! A user's own launchd. No machine of ours has run it.

use crate::cli::world::World;
use crate::rotate::units::launchd::{LABEL, agent};
use crate::rotate::units::{Job, Scheduler};

use super::backend::{Backend, Installed, Started};
use super::error::ScheduleError;
use super::own_file::OwnFile;
use super::tool::Tool;

const FILE: &str = "vault.rotate.plist";
/// Only launchd has no place of its own for what is said.
const LOG: &str = "schedule.log";

pub struct Launchd<'w, 'a> {
    world: &'w World<'a>,
    file: OwnFile,
}

impl<'w, 'a> Launchd<'w, 'a> {
    pub fn new(world: &'w World<'a>) -> Self {
        Self { world, file: OwnFile::new(&world.paths.home.join("Library/LaunchAgents"), FILE) }
    }

    /// The part of launchd that is this user's while they are logged in.
    fn domain(&self) -> String {
        format!("gui/{}", rustix::process::geteuid().as_raw())
    }

    fn bootstrap(&self) -> [String; 3] {
        ["bootstrap".to_owned(), self.domain(), self.file.path().to_string_lossy().into_owned()]
    }

    fn service(&self) -> String {
        format!("{}/{LABEL}", self.domain())
    }
}

impl Backend for Launchd<'_, '_> {
    fn scheduler(&self) -> Scheduler {
        Scheduler::Launchd
    }

    fn texts(&self, job: &Job) -> Result<String, ScheduleError> {
        Ok(agent(job, &self.world.paths.state.join(LOG))?)
    }

    fn check(&self) -> Result<(), ScheduleError> {
        self.file.check(self.world)
    }

    fn install(&self, job: &Job) -> Result<Started, ScheduleError> {
        self.file.write(self.world, &self.texts(job)?)?;
        let Some(tool) = Tool::find_optional("launchctl", self.world) else {
            return Ok(Started::By(vec![format!("launchctl {}", shell_words::join(self.bootstrap()))]));
        };
        // It refuses to load what is loaded, and to unload what is not.
        tool.ask(&["bootout", &self.service()], b"")?;
        tool.tell(&self.bootstrap(), b"")?;
        Ok(Started::Yes)
    }

    fn installed(&self) -> Result<Option<Installed>, ScheduleError> {
        if !self.file.is_there(self.world)? {
            return Ok(None);
        }
        let active = match Tool::find_optional("launchctl", self.world) {
            Some(tool) => Some(tool.ask(&["print", &self.service()], b"")?.status.success()),
            None => None,
        };
        Ok(Some(Installed { place: self.world.paths.shown(&self.file.path()), active, next: None }))
    }

    fn remove(&self) -> Result<(), ScheduleError> {
        if let Some(tool) = Tool::find_optional("launchctl", self.world) {
            tool.ask(&["bootout", &self.service()], b"")?;
        }
        self.file.remove(self.world)?;
        match self.world.disk.open_folder(&self.world.paths.state).and_then(|folder| folder.remove(LOG)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ScheduleError::File { path: self.world.paths.state.join(LOG), error })
            }
            _ => Ok(()),
        }
    }
}
