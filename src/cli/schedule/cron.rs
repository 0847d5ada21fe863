//! A user's crontab.

use crate::cli::world::World;
use crate::rotate::units::cron::{lines, ours, with, without};
use crate::rotate::units::{Job, Scheduler};

use super::backend::{Backend, Installed, Started};
use super::error::ScheduleError;
use super::tool::Tool;

pub struct Cron<'w, 'a> {
    world: &'w World<'a>,
}

impl<'w, 'a> Cron<'w, 'a> {
    pub fn new(world: &'w World<'a>) -> Self {
        Self { world }
    }
}

/// Empty where the user has none: that is said by the words only.
fn read(tool: &Tool) -> Result<Vec<u8>, ScheduleError> {
    let answer = tool.ask(&["-l"], b"")?;
    match answer.status.success() {
        true => Ok(answer.output),
        false if answer.said.to_ascii_lowercase().contains("no crontab") => Ok(Vec::new()),
        false => Err(tool.refused(&answer)),
    }
}

impl Backend for Cron<'_, '_> {
    fn scheduler(&self) -> Scheduler {
        Scheduler::Cron
    }

    fn texts(&self, job: &Job) -> Result<String, ScheduleError> {
        Ok(lines(job)?.map(|line| line + "\n").concat())
    }

    fn check(&self) -> Result<(), ScheduleError> {
        read(&Tool::find("crontab", self.world)?).map(drop)
    }

    fn install(&self, job: &Job) -> Result<Started, ScheduleError> {
        let tool = Tool::find("crontab", self.world)?;
        let edited = with(&read(&tool)?, &lines(job)?);
        tool.tell(&["-"], &edited)?;
        Ok(Started::Yes)
    }

    fn installed(&self) -> Result<Option<Installed>, ScheduleError> {
        let Some(tool) = Tool::find_optional("crontab", self.world) else { return Ok(None) };
        let there = match read(&tool) {
            Ok(crontab) => !ours(&crontab).is_empty(),
            // Who may not have a crontab has none.
            Err(ScheduleError::Refused { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(there.then(|| Installed { place: "your crontab".to_owned(), active: Some(true), next: None }))
    }

    fn remove(&self) -> Result<(), ScheduleError> {
        let tool = Tool::find("crontab", self.world)?;
        let crontab = read(&tool)?;
        let edited = without(&crontab);
        if edited.is_empty() && !crontab.is_empty() {
            tool.tell(&["-r"], b"")?;
        } else if edited != crontab {
            tool.tell(&["-"], &edited)?;
        }
        Ok(())
    }
}
