//! A user's crontab.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::cli::report::point_in_time::zone;
use crate::cli::world::World;
use crate::rotate::units::cron::{daily, lines, ours, with, without};
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

/// Cron goes by the clock on the wall. What the day a clock is changed makes of that differs from cron to cron.
fn next(at: Time, now: Timestamp, zone: TimeZone) -> Option<Timestamp> {
    let now = now.to_zoned(zone);
    let today = now.with().time(at).build().ok()?;
    let next = if today > now { today } else { today.checked_add(1.day()).ok()? };
    Some(next.timestamp())
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
        let crontab = match read(&tool) {
            // Who may not have a crontab has none.
            Err(ScheduleError::Refused { said, .. }) if said.contains("not allowed") => return Ok(None),
            crontab => crontab?,
        };
        // Cron goes by the machine's time zone, whatever this shell's variable says.
        let zone = || Some(zone()).filter(|_| self.world.environment.get("TZ").is_none());
        let next = || next(daily(&crontab)?, self.world.clock.now(), zone()?);
        let is_there = !ours(&crontab).is_empty();
        Ok(is_there.then(|| Installed { place: "your crontab".to_owned(), active: None, next: next() }))
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

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn the_next_run_is_today_or_tomorrow_by_the_clock_on_the_wall() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let next = |now: &str| next(time(9, 30, 0, 0), now.parse().unwrap(), zone.clone()).unwrap().to_string();
        assert_eq!(next("2026-11-23T07:29:59Z"), "2026-11-23T07:30:00Z");
        assert_eq!(next("2026-11-23T07:30:00Z"), "2026-11-24T07:30:00Z");
        assert_eq!(next("2026-12-31T22:30:00Z"), "2027-01-01T07:30:00Z");
    }
}
