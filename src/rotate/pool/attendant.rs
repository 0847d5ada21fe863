//! Who stands by while keys are rotated, and how the thread that directs them speaks with them.

use std::sync::mpsc::{Receiver, Sender};

use jiff::SignedDuration;

use super::Job;
use crate::names::ProfileName;
use crate::rotate::plan::End;
use crate::rotate::run::{News, Rotation, Session};
use crate::rotate::stop::Stop;

/// Who stands by: is told what happens, and answers what only a person can.
pub trait Attendant {
    fn news(&mut self, profile: &ProfileName, news: News);

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

/// What came of a question.
pub(super) enum Answer {
    GoOn(Job),
    CodeMissing(Job),
    /// It has ended.
    Over,
}

/// What the attendant is told.
pub(super) enum Told {
    News(ProfileName, News),
    Hook(ProfileName),
    Heard(String),
    Clock(SignedDuration),
    NeedsCode(Job),
    /// Whether it goes on is waited for.
    Rests(Job, Ended),
    Ended(Rotation, Ended),
}

/// Tells the attendant, and gives the answer where there is one.
pub(super) fn attend(told: Told, attendant: &mut dyn Attendant) -> Option<Answer> {
    match told {
        Told::News(profile, news) => attendant.news(&profile, news),
        Told::Hook(profile) => attendant.hook(&profile),
        Told::Heard(line) => attendant.heard(&line),
        Told::Clock(offset) => attendant.clock(offset),
        Told::NeedsCode(mut job) => {
            let Some(session) = attendant.session(&job.rotation) else { return Some(Answer::CodeMissing(job)) };
            job.rotation.give_session(session);
            return Some(Answer::GoOn(job));
        }
        Told::Rests(Job { rotation, place }, how) => {
            let again = attendant.ended(rotation, how);
            return Some(again.map_or(Answer::Over, |rotation| Answer::GoOn(Job { rotation, place })));
        }
        Told::Ended(rotation, how) => drop(attendant.ended(rotation, how)),
    }
    None
}

/// To the attendant, who hears one thing after the other.
pub(super) struct Line {
    told: Sender<Told>,
    heard: Receiver<()>,
    unheard: usize,
}

impl Line {
    pub fn new(told: Sender<Told>, heard: Receiver<()>) -> Self {
        Self { told, heard, unheard: 0 }
    }

    pub fn tell(&mut self, told: Told) {
        self.unheard += 1;
        self.told.send(told).expect("the attendant listens for as long as there is this line");
    }

    /// What is done next is done when that has been told, so that a log has it too.
    pub fn wait(&mut self) {
        for () in self.heard.iter().take(std::mem::take(&mut self.unheard)) {}
    }
}
