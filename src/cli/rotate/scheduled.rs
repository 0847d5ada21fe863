//! `vault rotate --due --scheduled`: what a timer runs.

use crate::cli::failure::Failure;
use crate::cli::last_run;
use crate::cli::opening;
use crate::cli::report::Report;
use crate::cli::terminal;
use crate::cli::world::World;
use crate::disk::LockError;
use crate::rotate::last_run::{Failed, LastRun, Reason, only_run};

use super::outcome::Outcome;
use super::{Args, rotate};

pub fn run(args: &Args, world: &World) -> Result<(), Failure> {
    terminal::ask_nobody();
    // The other run looks at the same keys.
    let _only_run = match only_run(world.disk, &world.paths.state) {
        Err(LockError::Held { pid }) => return Err(Failure::OtherRun { pid }),
        // A state folder that takes no lock keeps nobody from rotating; each user's own lock is still to be had.
        locked => locked.ok(),
    };
    let ended = opening::open_vault(world).and_then(|vault| rotate(args, vault, world));
    let mut told = LastRun::new(world.clock.now(), 0);
    let ended = ended.and_then(|outcomes| {
        count(&mut told, &outcomes);
        Outcome::end(outcomes)
    });
    told.exit = ended.as_ref().err().map_or(0, |failure| Report::of(failure).status as u8);
    last_run::finished(world, &told);
    ended
}

fn count(told: &mut LastRun, outcomes: &[Outcome]) {
    for one in outcomes {
        let reason = one.failure.as_ref().and_then(|failure| Reason::of_exit(Report::of(failure).status as u8));
        match reason {
            Some(reason) => told.failed.push(Failed { profile: one.profile.clone(), reason }),
            None if one.replaced.is_some() => told.rotated += 1,
            None if one.grace_until.is_some() => told.waiting += 1,
            None => {}
        }
    }
}
