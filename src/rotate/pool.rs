//! Many rotations at once: so many calls to AWS are under way at a time, and who waits takes none of their places. A
//! rotation spends most of its time waiting until its new key works everywhere.
//!
//! One thread directs them, and the caller's tells a person what happens and asks them, one thing after the other: however long
//! somebody looks for their phone, no other rotation waits for that.

mod attendant;
mod office;

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use jiff::SignedDuration;

use super::calls::Calls;
use super::hooks;
use super::ledger::Ledger;
use super::run::{Hook, Rotation, Tools, Turn};
use super::stop::Stop;
use crate::aws::{Aws, CaBundle};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::names::{Endpoints, Region};
use crate::paths::Environment;

use attendant::{Answer, Line, attend};
pub use attendant::{Attendant, Ended};
use office::{Office, Threads};

/// Where a user's calls go.
#[derive(Clone, PartialEq, Eq)]
pub struct CallPlace {
    pub region: Region,
    pub endpoints: Endpoints,
}

/// What the workers share.
pub struct Shop<'s, 'l, 'd> {
    pub ledger: &'s Ledger<'l, 'd>,
    pub disk: &'d dyn Disk,
    pub state: &'s Path,
    pub clock: &'d dyn Clock,
    /// For hooks.
    pub environment: &'s Environment,
    pub ca_bundle: Option<CaBundle>,
    pub calls: &'s Calls,
    /// How many turns at once, some of which wait for the vault.
    pub workers: usize,
}

struct Job {
    rotation: Rotation,
    place: CallPlace,
}

/// What the thread that directs is told.
enum Done {
    Turned(Job, Turn),
    /// AWS told its time: its clock minus this machine's.
    Clock(SignedDuration),
    Said(String),
    Hooked(Job, Result<(), Stop>),
    Answered(Answer),
}

/// Drives all of them to their ends, or until somebody wants all this to end: then turns that are under way are finished.
pub fn drive(
    rotations: Vec<(Rotation, CallPlace)>,
    shop: &Shop,
    attendant: &mut dyn Attendant,
    interrupted: &(dyn Fn() -> bool + Sync),
) {
    let (to_workers, jobs) = channel();
    let (to_hooks, hooks) = channel();
    let (to_office, done) = channel();
    let (to_attendant, told) = channel();
    let (attended, heard) = channel();
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..shop.workers.min(rotations.len()).max(1) {
            let (jobs, to_office) = (&jobs, to_office.clone());
            scope.spawn(move || work(jobs, &to_office, shop));
        }
        let answers = to_office.clone();
        scope.spawn(move || run_hooks(&hooks, &to_office, shop.environment));
        let threads = Threads { attendant: Line::new(to_attendant, heard), to_workers, to_hooks, done };
        let jobs = rotations.into_iter().map(|(rotation, place)| Job { rotation, place }).collect();
        let office = Office::new(jobs, shop, interrupted, threads);
        // The other threads end when it is dropped.
        scope.spawn(move || office.run());
        for told in told {
            attend(told, attendant).into_iter().for_each(|answer| drop(answers.send(Done::Answered(answer))));
            let _ = attended.send(());
        }
    });
}

fn work(jobs: &Mutex<Receiver<Job>>, done: &Sender<Done>, shop: &Shop) {
    // Connections are kept for the next call to the same place.
    let mut clients: Vec<(CallPlace, Aws)> = Vec::new();
    let mut heard = false;
    loop {
        let Ok(mut job) = jobs.lock().expect("nothing panics while it waits for a job").recv() else { return };
        let known = clients.iter().position(|(place, _)| *place == job.place);
        let at = known.unwrap_or_else(|| {
            let CallPlace { region, endpoints } = job.place.clone();
            clients.push((job.place.clone(), Aws::with_ca_bundle(region, endpoints, shop.ca_bundle.clone())));
            clients.len() - 1
        });
        let tools = Tools { aws: &clients[at].1, ledger: shop.ledger, disk: shop.disk, state: shop.state };
        let place = shop.calls.place();
        let turn = job.rotation.turn(&tools);
        drop(place);
        let aws = &clients[at].1;
        if !heard && aws.clock_offset().is_some() {
            heard = true;
            // Who does not hear it has ended.
            drop(done.send(Done::Clock(aws.now().duration_since(shop.clock.now()))));
        }
        if done.send(Done::Turned(job, turn)).is_err() {
            return;
        }
    }
}

/// One after the other: two at once may be more than those who wrote them have thought of.
fn run_hooks(hooks: &Receiver<(Job, Hook)>, done: &Sender<Done>, environment: &Environment) {
    for (job, hook) in hooks {
        // Who does not hear it any more does not wait for it either.
        let ended = hooks::run(&hook, environment, &mut |line| drop(done.send(Done::Said(line.to_owned()))));
        let ended = ended.map_err(|error| Stop::Hook { profile: hook.profile, error });
        drop(done.send(Done::Hooked(job, ended)));
    }
}
