//! When the keys were made, asked of AWS while the next keys are checked: an import takes no longer for it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use jiff::Timestamp;

use crate::aws::{Aws, AwsError};
use crate::credentials::AccessKey;

use super::check::Ready;

/// Far fewer than IAM's some 20 calls a second to an account.
const AT_ONCE: usize = 4;

/// Who is given the keys to ask about.
pub struct Asking<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    workers: Cell<usize>,
    to_workers: SyncSender<Question>,
    questions: &'env Mutex<Receiver<Question>>,
    answers: &'env Answers,
}

struct Question {
    row: usize,
    aws: Aws,
    key: AccessKey,
}

#[derive(Default)]
struct Answers {
    /// By the row of the plan.
    dates: Mutex<BTreeMap<usize, Timestamp>>,
    /// No network leads to IAM: nobody waits for it key after key.
    is_silent: AtomicBool,
}

/// Gives what the checks came to, and the dates that AWS told.
pub fn beside<T>(checks: impl FnOnce(&Asking) -> T) -> (T, BTreeMap<usize, Timestamp>) {
    let (to_workers, questions) = sync_channel(AT_ONCE);
    let (questions, answers) = (Mutex::new(questions), Answers::default());
    let checked = thread::scope(|scope| {
        let (workers, questions, answers) = (Cell::new(0), &questions, &answers);
        // The workers end when this does.
        checks(&Asking { scope, workers, to_workers, questions, answers })
    });
    (checked, answers.dates.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Asking<'_, '_> {
    pub fn ask(&self, ready: &mut Ready) {
        let (Some(aws), Some(key)) = (ready.aws.take(), &ready.profile.access_key) else { return };
        if self.workers.get() < AT_ONCE {
            self.workers.set(self.workers.get() + 1);
            let (questions, answers) = (self.questions, self.answers);
            self.scope.spawn(move || answer_all(questions, answers));
        }
        let question = Question { row: ready.row, aws, key: key.access_key() };
        self.to_workers.send(question).expect("the receiver outlives the workers");
    }
}

fn answer_all(questions: &Mutex<Receiver<Question>>, answers: &Answers) {
    loop {
        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(question) = next else { return };
        answer(question, answers);
    }
}

fn answer(question: Question, answers: &Answers) {
    if answers.is_silent.load(Ordering::Relaxed) {
        return;
    }
    match question.aws.creation_date(&question.key) {
        Ok(Some(date)) => {
            answers.dates.lock().unwrap_or_else(PoisonError::into_inner).insert(question.row, date);
        }
        Err(AwsError::Network { .. }) => answers.is_silent.store(true, Ordering::Relaxed),
        Ok(None) | Err(_) => {}
    }
}
