//! When the keys were made, asked of AWS while the next keys are checked: an import takes no longer for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;

use crate::aws::{Aws, AwsError};
use crate::credentials::AccessKey;

use super::check::Ready;

/// Far fewer than IAM's some 20 calls a second to an account.
const AT_ONCE: usize = 4;

/// Who is given the keys to ask about.
pub struct Asking(SyncSender<Question>);

struct Question {
    row: usize,
    aws: Aws,
    key: AccessKey,
}

/// By the row of the plan.
#[derive(Default)]
struct Answers {
    dates: Mutex<BTreeMap<usize, Timestamp>>,
    /// No network leads to IAM: nobody waits for it key after key.
    is_silent: AtomicBool,
}

/// Gives what the checks came to, and the dates that AWS told.
pub fn beside<T>(checks: impl FnOnce(&Asking) -> T) -> (T, BTreeMap<usize, Timestamp>) {
    let (asking, questions) = sync_channel(AT_ONCE);
    let (questions, answers) = (Mutex::new(questions), Answers::default());
    let checked = thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| answer_all(&questions, &answers));
        }
        // It goes out of scope with the closure, and the threads end.
        let asking = Asking(asking);
        checks(&asking)
    });
    (checked, answers.dates.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Asking {
    pub fn ask(&self, ready: &mut Ready) {
        let (aws, key) = (ready.aws.take(), ready.profile.access_key.as_ref());
        if let (Some(aws), Some(key)) = (aws, key) {
            // Nobody left who could be asked is as good as no answer.
            drop(self.0.send(Question { row: ready.row, aws, key: key.access_key() }));
        }
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
