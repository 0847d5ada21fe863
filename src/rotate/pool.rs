//! Many rotations at once: so many calls to AWS are under way at a time, and who waits takes none of their places. A
//! rotation spends most of its time waiting until its new key works everywhere.
//!
//! One thread directs them, and the caller's tells a person what happens and asks them, one thing after the other: however long
//! somebody looks for their phone, no other rotation waits for that.

mod attendant;

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
use super::run::{Hook, Rotation, Tools, Turn};
use super::stop::Stop;
use crate::aws::{Aws, CaBundle, Endpoints};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::names::Region;
use crate::paths::Environment;

use attendant::{Answer, Line, Told, attend};
pub use attendant::{Attendant, Ended};

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
        let office = Office {
            shop,
            interrupted,
            attendant: Line::new(to_attendant, heard),
            to_workers,
            to_hooks,
            done,
            ready: rotations.into_iter().map(|(rotation, place)| Job { rotation, place }).collect(),
            for_hook: VecDeque::new(),
            hook_runs: false,
            closing: false,
            under_way: 0,
            asking: 0,
            waiting: BTreeMap::new(),
            passed: Duration::ZERO,
            last: shop.clock.now(),
        };
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

/// The one thread that knows who waits for what.
struct Office<'o, 's, 'l, 'd> {
    shop: &'o Shop<'s, 'l, 'd>,
    interrupted: &'o (dyn Fn() -> bool + Sync),
    attendant: Line,
    to_workers: Sender<Job>,
    to_hooks: Sender<(Job, Hook)>,
    done: Receiver<Done>,
    /// Whoever is in the middle of something comes first: an intent must not grow old behind others.
    ready: VecDeque<Job>,
    /// Those whose hook is to be run while another's is. They look at their keys again first, and hold none until then.
    for_hook: VecDeque<Job>,
    hook_runs: bool,
    /// Somebody wants all this to end.
    closing: bool,
    under_way: usize,
    /// How many wait for what only a person can help with.
    asking: usize,
    /// By when they go on, as time that passed here; the number tells those of one moment apart.
    waiting: BTreeMap<(Duration, usize), Job>,
    passed: Duration,
    last: Timestamp,
}

impl Office<'_, '_, '_, '_> {
    fn run(mut self) {
        for number in 0.. {
            if (self.interrupted)() {
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
            if self.is_awaiting() {
                if let Some(done) = self.hear(pause) {
                    self.done(done, number);
                }
            } else if let Some(job) = self.for_hook.pop_front() {
                self.ready.push_front(job);
            } else if self.waiting.is_empty() {
                return;
            } else {
                self.shop.clock.wait(pause);
            }
        }
    }

    /// Whether somebody has a job now.
    fn is_awaiting(&self) -> bool {
        self.under_way > 0 || self.hook_runs || self.asking > 0
    }

    /// While nothing but a hook runs, it is the clock that those wait for who wait.
    fn hear(&mut self, pause: Duration) -> Option<Done> {
        if self.under_way > 0 || self.asking > 0 || self.waiting.is_empty() {
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
            Done::Clock(offset) => self.tell(Told::Clock(offset)),
            Done::Said(line) => self.tell(Told::Heard(line)),
            Done::Hooked(job, ended) => {
                self.hook_runs = false;
                self.hooked(job, ended);
            }
            Done::Answered(answer) => {
                self.asking -= 1;
                self.answered(answer);
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
        self.tell_news(&mut job);
        match turn {
            Turn::Ended(end) if self.closing => self.ended(job, Ended::At(end)),
            Turn::Failed(stop) => self.ended(job, Ended::Stopped(stop)),
            _ if self.closing => self.ended(job, Ended::Interrupted),
            Turn::Again => self.ready.push_front(job),
            Turn::After(pause) => drop(self.waiting.insert((self.passed + pause, number), job)),
            Turn::NeedCode => self.ask(Told::NeedsCode(job)),
            Turn::Ended(end @ End::Orphan { .. }) => self.ask(Told::Rests(job, Ended::At(end))),
            Turn::NeedHook(_) if self.hook_runs => self.for_hook.push_back(job),
            Turn::NeedHook(hook) => {
                self.tell(Told::Hook(hook.profile.clone()));
                self.hook_runs = true;
                self.to_hooks.send((job, hook)).expect("its thread ends after this");
            }
            Turn::Ended(end) => self.ended(job, Ended::At(end)),
        }
    }

    fn hooked(&mut self, mut job: Job, ended: Result<(), Stop>) {
        if let Some(next) = self.for_hook.pop_front() {
            self.ready.push_front(next);
        }
        match ended {
            Ok(()) if self.closing => self.ended(job, Ended::Interrupted),
            Ok(()) => {
                job.rotation.hook_is_done();
                self.ready.push_front(job);
            }
            Err(stop) => self.ended(job, Ended::Stopped(stop)),
        }
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::GoOn(job) | Answer::CodeMissing(job) if self.closing => self.ended(job, Ended::Interrupted),
            Answer::GoOn(job) => self.ready.push_front(job),
            // Who ends a prompt by a signal was not asked in vain.
            Answer::CodeMissing(job) if (self.interrupted)() => self.ended(job, Ended::Interrupted),
            Answer::CodeMissing(job) => self.ended(job, Ended::CodeMissing),
            Answer::Over => {}
        }
    }

    fn ask(&mut self, question: Told) {
        self.asking += 1;
        self.tell(question);
    }

    fn ended(&mut self, job: Job, how: Ended) {
        self.tell(Told::Ended(job.rotation, how));
    }

    fn tell_news(&mut self, job: &mut Job) {
        for news in std::mem::take(&mut job.rotation.news) {
            self.tell(Told::News(job.rotation.profile.clone(), news));
        }
    }

    /// While a person is asked, news wait, and the rotations do not.
    fn tell(&mut self, told: Told) {
        self.attendant.tell(told);
        if self.asking == 0 {
            self.attendant.wait();
        }
    }

    /// What is under way is finished; nothing new is begun.
    fn close(mut self) {
        self.closing = true;
        let idle = std::mem::take(&mut self.ready).into_iter().chain(std::mem::take(&mut self.waiting).into_values());
        for job in idle.chain(std::mem::take(&mut self.for_hook)).collect::<Vec<_>>() {
            self.ended(job, Ended::Interrupted);
        }
        while self.is_awaiting() {
            let done = self.done.recv().expect("the other threads end after this");
            self.done(done, 0);
        }
    }
}
