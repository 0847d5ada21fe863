//! The one thread that knows who waits for what.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use jiff::Timestamp;

use super::attendant::{Answer, Ended, Line, Told};
use super::{Done, Job, Shop};
use crate::rotate::plan::End;
use crate::rotate::run::{Hook, Turn};
use crate::rotate::stop::Stop;

/// While nothing is under way a person who ends the program is heard within this time.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// More than passes between two looks at the clock, unless the machine slept or its clock was set.
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// The others, as this one speaks with them and hears of them.
pub(super) struct Threads {
    pub attendant: Line,
    pub to_workers: Sender<Job>,
    pub to_hooks: Sender<(Job, Hook)>,
    pub done: Receiver<Done>,
}

pub(super) struct Office<'o, 's, 'l, 'd> {
    shop: &'o Shop<'s, 'l, 'd>,
    interrupted: &'o (dyn Fn() -> bool + Sync),
    threads: Threads,
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

impl<'o, 's, 'l, 'd> Office<'o, 's, 'l, 'd> {
    pub(super) fn new(
        ready: VecDeque<Job>,
        shop: &'o Shop<'s, 'l, 'd>,
        interrupted: &'o (dyn Fn() -> bool + Sync),
        threads: Threads,
    ) -> Self {
        Self {
            shop,
            interrupted,
            threads,
            ready,
            for_hook: VecDeque::new(),
            hook_runs: false,
            closing: false,
            under_way: 0,
            asking: 0,
            waiting: BTreeMap::new(),
            passed: Duration::ZERO,
            last: shop.clock.now(),
        }
    }

    pub(super) fn run(mut self) {
        for number in 0.. {
            if (self.interrupted)() {
                return self.close();
            }
            self.let_time_pass();
            while self.under_way < self.shop.workers
                && let Some(job) = self.ready.pop_front()
            {
                self.under_way += 1;
                self.threads.to_workers.send(job).expect("the workers end after this");
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
            return self.threads.done.recv_timeout(pause).ok();
        }
        let heard = self.threads.done.try_recv().ok();
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
                self.threads.to_hooks.send((job, hook)).expect("its thread ends after this");
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
        self.threads.attendant.tell(told);
        if self.asking == 0 {
            self.threads.attendant.wait();
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
            let done = self.threads.done.recv().expect("the other threads end after this");
            self.done(done, 0);
        }
    }
}
