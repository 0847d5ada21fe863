//! `vault schedule status`.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::report::schedule as words;
use crate::cli::world::World;
use crate::rotate::last_run::{self, LastRun};
use crate::rotate::remembered::Unreadable;
use crate::rotate::unattended::{self as unattended_file, UnattendedIdentity};
use crate::rotate::units::Scheduler;

use super::backend::{self, Installed};
use super::unattended;

/// All there is to say.
pub struct Standing {
    pub installed: Vec<(Scheduler, Installed)>,
    pub last_run: Result<Option<LastRun>, Unreadable>,
    /// And where its identity is.
    pub unattended: Result<Option<(UnattendedIdentity, String)>, Unreadable>,
}

pub fn run(as_json: bool, world: &World) -> Result<(), Failure> {
    let standing = Standing::of(world)?;
    if let Ok(Some(run)) = &standing.last_run
        && !run.is_told()
        && run.reason().is_some()
    {
        // Told here; what can't be remembered is told once more.
        let _ = run.tell(world.disk, &world.paths.state);
    }
    match as_json {
        true => world.print_json(standing.json()),
        false => world.print(&words::standing(&standing, world.clock.now())),
    }
}

impl Standing {
    fn of(world: &World) -> Result<Self, Failure> {
        let mut installed = Vec::new();
        for backend in backend::all(world) {
            installed.extend(backend.installed()?.map(|found| (backend.scheduler(), found)));
        }
        let (disk, state) = (world.disk, &world.paths.state);
        let placed = |kept: UnattendedIdentity| {
            let place = unattended::place(&kept, world);
            (kept, place)
        };
        let unattended = UnattendedIdentity::load(disk, state).map(|kept| kept.map(placed));
        Ok(Self { installed, last_run: LastRun::last(disk, state), unattended })
    }

    /// The files that can't be read, and why.
    fn unreadable(&self) -> impl Iterator<Item = (&'static str, &Unreadable)> {
        let last_run = self.last_run.as_ref().err().map(|why| (last_run::FILE, why));
        let unattended = self.unattended.as_ref().err().map(|why| (unattended_file::FILE, why));
        [last_run, unattended].into_iter().flatten()
    }

    fn json(&self) -> serde_json::Value {
        let installed = self.installed.iter().map(|(scheduler, found)| {
            json!({
                "by": words::name(*scheduler), "place": found.place, "active": found.active, "next_run": found.next,
            })
        });
        let last_run = self.last_run.as_ref().ok().and_then(Option::as_ref).map(|run| {
            json!({
                "time": run.time, "exit": run.exit, "rotated": run.rotated, "waiting": run.waiting, "failed": run.failed,
            })
        });
        let unattended = self.unattended.as_ref().ok().and_then(Option::as_ref).map(|(kept, place)| {
            json!({
                "recipient": kept.name, "kept_by": kept.keeper, "place": place, "made": kept.made,
                "warning": words::WHO_HAS_THE_DISK,
            })
        });
        let unreadable = self.unreadable().map(|(file, why)| json!({ "file": file, "why": why.to_string() }));
        json!({
            "installed": installed.collect::<Vec<_>>(), "last_run": last_run, "unattended": unattended,
            "unreadable": unreadable.collect::<Vec<_>>(),
        })
    }
}
