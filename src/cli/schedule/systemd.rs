//! A user's own systemd.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cli::world::World;
use crate::rotate::units::systemd::{SERVICE, TIMER, service, timer};
use crate::rotate::units::{Job, Scheduler};

use super::backend::{Backend, Installed, Started};
use super::error::ScheduleError;
use super::own_file::OwnFile;
use super::tool::Tool;

/// What makes it known, and starts the timer.
const TO_START: [&str; 2] = ["systemctl --user daemon-reload", "systemctl --user enable --now vault-rotate.timer"];

pub struct Systemd<'w, 'a> {
    world: &'w World<'a>,
    folder: PathBuf,
}

impl<'w, 'a> Systemd<'w, 'a> {
    pub fn new(world: &'w World<'a>) -> Self {
        let config = world.environment.path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        let config = config.unwrap_or_else(|| world.paths.home.join(".config"));
        Self { world, folder: config.join("systemd/user") }
    }

    /// Of the manager that runs for this user; None where none can be reached.
    pub fn version(&self) -> Option<u32> {
        let tool = Tool::find("systemctl", self.world).ok()?;
        let told = tool.tell(&["--user", "show", "--property=Version", "--value"], b"").ok()?;
        let told = String::from_utf8_lossy(&told).into_owned();
        let digits = told.trim().split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    }

    fn files(&self) -> [OwnFile; 2] {
        [SERVICE, TIMER].map(|name| OwnFile::new(&self.folder, name))
    }

    /// None where it can't be asked.
    fn properties(&self) -> Option<String> {
        let tool = Tool::find("systemctl", self.world).ok()?;
        let told = tool.tell(&["--user", "show", "--property=ActiveState,NextElapseUSecRealtime", TIMER], b"").ok()?;
        Some(String::from_utf8_lossy(&told).into_owned())
    }
}

impl Backend for Systemd<'_, '_> {
    fn scheduler(&self) -> Scheduler {
        Scheduler::Systemd
    }

    fn texts(&self, job: &Job) -> Result<String, ScheduleError> {
        let [service_file, timer_file] = self.files().map(|file| self.world.paths.shown(&file.path()));
        Ok(format!("# {service_file}\n{}\n# {timer_file}\n{}", service(job)?, timer(job)))
    }

    fn check(&self) -> Result<(), ScheduleError> {
        self.files().iter().try_for_each(|file| file.check(self.world))
    }

    fn install(&self, job: &Job) -> Result<Started, ScheduleError> {
        for (file, text) in self.files().iter().zip([service(job)?, timer(job)]) {
            file.write(self.world, &text)?;
        }
        if self.version().is_none() {
            return Ok(Started::By(TO_START.map(str::to_owned).to_vec()));
        }
        let tool = Tool::find("systemctl", self.world)?;
        tool.tell(&["--user", "daemon-reload"], b"")?;
        // Of a timer that runs already, the time may be another.
        tool.tell(&["--user", "enable", TIMER], b"")?;
        tool.tell(&["--user", "restart", TIMER], b"")?;
        Ok(Started::Yes)
    }

    fn installed(&self) -> Result<Option<Installed>, ScheduleError> {
        let [service, timer] = self.files();
        if !timer.is_there(self.world)? && !service.is_there(self.world)? {
            return Ok(None);
        }
        let properties = self.properties();
        Ok(Some(Installed {
            place: self.world.paths.shown(&timer.path()),
            active: properties.as_ref().map(|told| told.lines().any(|line| line == "ActiveState=active")),
            next: properties.as_deref().and_then(next_elapse),
        }))
    }

    fn remove(&self) -> Result<(), ScheduleError> {
        if self.version().is_some() {
            Tool::find("systemctl", self.world)?.tell(&["--user", "disable", "--now", TIMER], b"")?;
        }
        self.files().iter().try_for_each(|file| file.remove(self.world))?;
        // What `enable` made; where systemd could not be reached it is still there.
        let enabled = self.folder.join("timers.target.wants");
        if let Ok(folder) = self.world.disk.open_folder(&enabled) {
            let _ = folder.remove(TIMER);
        }
        if self.version().is_some() {
            let tool = Tool::find("systemctl", self.world)?;
            tool.tell(&["--user", "daemon-reload"], b"")?;
            // A run that failed would stay in its list; there need not have been one.
            tool.ask(&["--user", "reset-failed", SERVICE], b"")?;
        }
        Ok(())
    }
}

/// `NextElapseUSecRealtime=Mon 2026-11-23 11:20:00 UTC`; nothing behind the sign while none is planned.
fn next_elapse(properties: &str) -> Option<Timestamp> {
    let told = properties.lines().find_map(|line| line.strip_prefix("NextElapseUSecRealtime="))?;
    let (_, rest) = told.split_once(' ')?;
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", rest.strip_suffix(" UTC")?).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_is_read_from_what_systemd_prints() {
        let told = "ActiveState=active\nNextElapseUSecRealtime=Mon 2026-11-23 11:20:05 UTC\n";
        assert_eq!(next_elapse(told), Some("2026-11-23T11:20:05Z".parse().unwrap()));
        for nothing in ["", "NextElapseUSecRealtime=\n", "NextElapseUSecRealtime=n/a\n", "ActiveState=inactive"] {
            assert_eq!(next_elapse(nothing), None);
        }
    }
}
