//! Many rotations at once: so many calls to AWS are under way at a time, and who waits takes none of their places. A
//! rotation spends most of its time waiting until its new key works everywhere.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::calls::Calls;
use super::hooks;
use super::ledger::Ledger;
use super::plan::End;
use super::run::{Hook, News, Rotation, Session, Tools, Turn};
use super::stop::Stop;
use crate::aws::{Aws, CaBundle, Endpoints};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::names::{ProfileName, Region};
use crate::paths::Environment;
use crate::process::RunError;

/// While nothing is under way a person who ends the program is heard within this time.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// More than passes between two looks at the clock, unless the machine slept or its clock was set.
const LONGEST_STEP: Duration = Duration::from_secs(60);

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

/// Who stands by: is told what happens, and answers what only a person can.
pub trait Attendant {
    fn news(&mut self, rotation: &Rotation, news: News);

    /// AWS's clock minus this machine's.
    fn clock(&mut self, offset: SignedDuration);

    /// A session with MFA, where somebody gives a code for it.
    fn session(&mut self, rotation: &Rotation) -> Option<Session>;

    /// The profile's hook is run now.
    fn hook(&mut self, profile: &ProfileName);

    /// A line that it said.
    fn heard(&mut self, line: &str);

    /// The rotation has come to rest, or has stopped. Given back, it goes on.
    fn ended(&mut self, rotation: Rotation, how: Ended) -> Option<Rotation>;

    /// Whether somebody wants all this to end. Turns that are under way are finished.
    fn interrupted(&self) -> bool;
}

/// How a rotation ended, for now.
pub enum Ended {
    At(End),
    Stopped(Stop),
    /// For want of a code.
    CodeMissing,
    /// The program is to end.
    Interrupted,
}

struct Job {
    rotation: Rotation,
    place: CallPlace,
}

/// What the other threads tell.
enum Done {
    Turned(Job, Turn),
    /// AWS told its time: its clock minus this machine's.
    Clock(SignedDuration),
    Said(String),
    Hooked(Job, Result<(), RunError>),
}

/// Drives all of them to their ends.
pub fn drive(rotations: Vec<(Rotation, CallPlace)>, shop: &Shop, attendant: &mut dyn Attendant) {
    let (to_workers, jobs) = channel();
    let (to_hooks, hooks) = channel();
    let (to_us, done) = channel();
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..shop.workers.min(rotations.len()).max(1) {
            let (jobs, to_us) = (&jobs, to_us.clone());
            scope.spawn(move || work(jobs, &to_us, shop));
        }
        scope.spawn(move || run_hooks(&hooks, &to_us, shop.environment));
        // Ends the other threads when it is dropped.
        let ready = rotations.into_iter().map(|(rotation, place)| Job { rotation, place }).collect();
        let (waiting, passed, last) = (BTreeMap::new(), Duration::ZERO, shop.clock.now());
        let (asking, for_hook, hook_runs) = (VecDeque::new(), VecDeque::new(), false);
        Office {
            shop,
            attendant,
            to_workers,
            to_hooks,
            done,
            ready,
            asking,
            for_hook,
            hook_runs,
            under_way: 0,
            waiting,
            passed,
            last,
        }
        .run();
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
        drop(done.send(Done::Hooked(job, ended)));
    }
}

/// The one thread that knows who waits for what.
struct Office<'o, 's, 'l, 'd> {
    shop: &'o Shop<'s, 'l, 'd>,
    attendant: &'o mut dyn Attendant,
    to_workers: Sender<Job>,
    to_hooks: Sender<(Job, Hook)>,
    done: Receiver<Done>,
    /// Whoever is in the middle of something comes first: an intent must not grow old behind others.
    ready: VecDeque<Job>,
    /// Those that only a person can help on. Asked when nothing is under way, since Ctrl-C at a prompt ends the program.
    asking: VecDeque<(Job, Turn)>,
    /// Those whose hook is to be run while another's is. They look at their keys again first, and hold none until then.
    for_hook: VecDeque<Job>,
    hook_runs: bool,
    under_way: usize,
    /// By when they go on, as time that passed here; the number tells those of one moment apart.
    waiting: BTreeMap<(Duration, usize), Job>,
    passed: Duration,
    last: Timestamp,
}

impl Office<'_, '_, '_, '_> {
    fn run(mut self) {
        for number in 0.. {
            if self.attendant.interrupted() {
                return self.close();
            }
            self.let_time_pass();
            while self.under_way < self.shop.workers
                && let Some(job) = self.ready.pop_front()
            {
                self.under_way += 1;
                self.to_workers.send(job).expect("the workers end after this");
            }
            let pause = self.waiting.first_key_value().map(|((at, _), _)| at.saturating_sub(self.passed));
            let pause = pause.map_or(LONGEST_WAIT, |pause| pause.min(LONGEST_WAIT));
            if self.under_way > 0 || self.hook_runs {
                if let Some(done) = self.hear(pause) {
                    self.done(done, number);
                }
            } else if let Some((job, turn)) = self.asking.pop_front() {
                self.ask(job, turn);
            } else if let Some(job) = self.for_hook.pop_front() {
                self.ready.push_front(job);
            } else if self.waiting.is_empty() {
                return;
            } else {
                self.shop.clock.wait(pause);
            }
        }
    }

    /// While nothing but a hook runs, it is the clock that those wait for who wait.
    fn hear(&mut self, pause: Duration) -> Option<Done> {
        if self.under_way > 0 || self.waiting.is_empty() {
            return self.done.recv_timeout(pause).ok();
        }
        let heard = self.done.try_recv().ok();
        if heard.is_none() {
            self.shop.clock.wait(pause);
        }
        heard
    }

    fn done(&mut self, done: Done, number: usize) {
        match done {
            Done::Turned(job, turn) => {
                self.under_way -= 1;
                self.turned(job, turn, number);
            }
            Done::Clock(offset) => self.attendant.clock(offset),
            Done::Said(line) => self.attendant.heard(&line),
            Done::Hooked(job, ended) => {
                self.hook_runs = false;
                self.hooked(job, ended);
            }
        }
    }

    /// By differences, so that a clock that is set holds nobody up for long.
    fn let_time_pass(&mut self) {
        let now = self.shop.clock.now();
        let passed = now.duration_since(std::mem::replace(&mut self.last, now));
        self.passed += Duration::try_from(passed).unwrap_or_default().min(LONGEST_STEP);
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 <= self.passed) {
            self.ready.push_back(entry.remove());
        }
    }

    fn turned(&mut self, mut job: Job, turn: Turn, number: usize) {
        for news in std::mem::take(&mut job.rotation.news) {
            self.attendant.news(&job.rotation, news);
        }
        match turn {
            Turn::Again => self.ready.push_front(job),
            Turn::After(pause) => drop(self.waiting.insert((self.passed + pause, number), job)),
            Turn::NeedCode | Turn::Ended(End::Orphan { .. }) => self.asking.push_back((job, turn)),
            Turn::NeedHook(_) if self.hook_runs => self.for_hook.push_back(job),
            Turn::NeedHook(hook) => {
                self.attendant.hook(&hook.profile);
                self.hook_runs = true;
                self.to_hooks.send((job, hook)).expect("its thread ends after this");
            }
            Turn::Ended(end) => self.ended(job, Ended::At(end)),
            Turn::Failed(stop) => self.ended(job, Ended::Stopped(stop)),
        }
    }

    fn hooked(&mut self, mut job: Job, ended: Result<(), RunError>) {
        if let Some(next) = self.for_hook.pop_front() {
            self.ready.push_front(next);
        }
        match ended {
            Ok(()) => {
                job.rotation.hook_is_done();
                self.ready.push_front(job);
            }
            Err(error) => self.ended(job, Ended::Stopped(error.into())),
        }
    }

    fn ask(&mut self, mut job: Job, turn: Turn) {
        match turn {
            Turn::Ended(end) => self.ended(job, Ended::At(end)),
            _ => match self.attendant.session(&job.rotation) {
                Some(session) => {
                    job.rotation.give_session(session);
                    self.ready.push_front(job);
                }
                None => self.ended(job, Ended::CodeMissing),
            },
        }
    }

    fn ended(&mut self, job: Job, how: Ended) {
        if let Some(rotation) = self.attendant.ended(job.rotation, how) {
            self.ready.push_front(Job { rotation, place: job.place });
        }
    }

    /// What is under way is finished; nothing new is begun.
    fn close(mut self) {
        let asking = std::mem::take(&mut self.asking).into_iter().map(|(job, _)| job);
        let idle = std::mem::take(&mut self.ready).into_iter().chain(std::mem::take(&mut self.waiting).into_values());
        let idle = idle.chain(asking).chain(std::mem::take(&mut self.for_hook));
        for job in idle.collect::<Vec<_>>() {
            self.attendant.ended(job.rotation, Ended::Interrupted);
        }
        while self.under_way > 0 || self.hook_runs {
            match self.done.recv().expect("the other threads end after this") {
                Done::Turned(job, turn) => {
                    self.under_way -= 1;
                    self.close_turned(job, turn);
                }
                Done::Clock(offset) => self.attendant.clock(offset),
                Done::Said(line) => self.attendant.heard(&line),
                Done::Hooked(job, ended) => {
                    self.hook_runs = false;
                    let how = ended.map_or_else(|error| Ended::Stopped(error.into()), |()| Ended::Interrupted);
                    self.attendant.ended(job.rotation, how);
                }
            }
        }
    }

    fn close_turned(&mut self, mut job: Job, turn: Turn) {
        for news in std::mem::take(&mut job.rotation.news) {
            self.attendant.news(&job.rotation, news);
        }
        let how = match turn {
            Turn::Ended(end) => Ended::At(end),
            Turn::Failed(stop) => Ended::Stopped(stop),
            Turn::Again | Turn::After(_) | Turn::NeedCode | Turn::NeedHook(_) => Ended::Interrupted,
        };
        self.attendant.ended(job.rotation, how);
    }
}
