//! `vault schedule status`.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::report::schedule as words;
use crate::cli::world::World;
use crate::rotate::outcome::Outcome;
use crate::rotate::unattended::Kept;
use crate::rotate::units::Scheduler;

use super::backend::{self, Installed};
use super::{in_state, unattended};

/// All there is to say.
pub struct Standing {
    pub installed: Vec<(Scheduler, Installed)>,
    pub last_run: Option<Outcome>,
    /// And where its identity is.
    pub unattended: Option<(Kept, String)>,
}

pub fn run(as_json: bool, world: &World) -> Result<(), Failure> {
    let standing = Standing::of(world)?;
    if let Some(outcome) = &standing.last_run
        && !outcome.is_told()
        && outcome.reason().is_some()
    {
        // Told here; what can't be remembered is told once more.
        let _ = outcome.tell(world.disk, &world.paths.state);
    }
    match as_json {
        true => world.print_json(standing.json()),
        false => world.print(&words::standing(&standing)),
    }
}

impl Standing {
    fn of(world: &World) -> Result<Self, Failure> {
        let mut installed = Vec::new();
        for backend in backend::all(world) {
            installed.extend(backend.installed()?.map(|found| (backend.scheduler(), found)));
        }
        let last_run = Outcome::last(world.disk, &world.paths.state).map_err(|error| in_state(error, world))?;
        let kept = unattended::kept(world)?;
        let unattended = kept.map(|kept| {
            let place = unattended::place(&kept, world);
            (kept, place)
        });
        Ok(Self { installed, last_run, unattended })
    }

    fn json(&self) -> serde_json::Value {
        let installed = self.installed.iter().map(|(scheduler, found)| {
            json!({
                "by": words::name(*scheduler), "place": found.place, "active": found.active, "next_run": found.next,
            })
        });
        let last_run = self.last_run.as_ref().map(|run| {
            json!({
                "time": run.time, "exit": run.exit, "rotated": run.rotated, "waiting": run.waiting, "failed": run.failed,
            })
        });
        let unattended = self.unattended.as_ref().map(|(kept, place)| {
            json!({
                "recipient": kept.name, "kept_by": kept.keeper, "place": place, "made": kept.made,
                "warning": words::WHO_HAS_THE_DISK,
            })
        });
        json!({ "installed": installed.collect::<Vec<_>>(), "last_run": last_run, "unattended": unattended })
    }
}
