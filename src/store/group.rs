//! Many threads' changes in few saves. A save takes as long for a thousand changes as for one, so it takes all that are
//! waiting; who comes while it runs waits for the next.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use thiserror::Error;

use super::document::Document;
use super::vault::{EditError, NotCommitted, Stamp, Vault};

/// A vault that many threads change at once.
///
/// What the edits borrow lives for `'g`: longer than the group.
pub struct Group<'g, 'd> {
    vault: Mutex<&'g mut Vault<'d>>,
    queue: Mutex<Queue<'g>>,
    /// A save has ended.
    ended: Condvar,
}

#[derive(Default)]
struct Queue<'g> {
    waiting: Vec<Box<dyn Member + 'g>>,
    saving: bool,
    stopped: Option<Arc<io::Error>>,
}

/// Why a change did not end as it should.
#[derive(Debug, Error)]
pub enum GroupError<E> {
    /// By the edit itself. The others' changes are no worse for it.
    #[error("the change was refused")]
    Refused(E),
    /// Nothing of the save that was to hold it; the old file stands.
    #[error(transparent)]
    NotCommitted(Arc<NotCommitted>),
    /// Saved and in force, but a power cut may undo it. The group has stopped.
    #[error("not yet durable: {0}")]
    NotDurable(Arc<io::Error>),
    /// Not even tried: an earlier save was not durable, and on what may be undone nothing more is built.
    #[error("an earlier save is not yet durable: {0}")]
    Stopped(Arc<io::Error>),
}

impl<'g, 'd> Group<'g, 'd> {
    pub fn new(vault: &'g mut Vault<'d>) -> Self {
        Self { vault: Mutex::new(vault), queue: Mutex::default(), ended: Condvar::new() }
    }

    /// Changes the document and saves it, as [`Vault::edit`] does, together with whoever else wants to; returns when the
    /// save that holds this change is over. The edit may be applied several times, to the same or to other documents: the
    /// last time counts.
    pub fn edit<T: Send + 'g, E: Send + 'g>(
        &self,
        stamp: &Stamp,
        edit: impl FnMut(&mut Document) -> Result<T, E> + Send + 'g,
    ) -> Result<T, GroupError<E>> {
        let (told, answer) = channel();
        let mut queue = self.queue();
        if let Some(error) = &queue.stopped {
            return Err(GroupError::Stopped(error.clone()));
        }
        queue.waiting.push(Box::new(Change { edit, done: None, told }));
        self.answered(queue, stamp, &answer).unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Waits for the answer; where nobody is saving, by saving.
    fn answered<'s, A>(&'s self, mut queue: MutexGuard<'s, Queue<'g>>, stamp: &Stamp, answer: &Receiver<A>) -> A {
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Empty) if queue.saving => {
                    queue = self.ended.wait(queue).expect(NO_PANIC);
                }
                Err(TryRecvError::Empty) => {
                    queue.saving = true;
                    let members = std::mem::take(&mut queue.waiting);
                    drop(queue);
                    self.save(members, stamp);
                    queue = self.queue();
                }
                Err(TryRecvError::Disconnected) => panic!("the thread that saved this change panicked"),
            }
        }
    }

    fn save(&self, mut members: Vec<Box<dyn Member + 'g>>, stamp: &Stamp) {
        // However this ends, also by a panic: nobody is left waiting for it.
        let _saving = Saving(self);
        let mut vault = self.vault.lock().expect("a save that panics ends every later one");
        let ended = match vault.edit(stamp, |document| apply_all(&mut members, document)) {
            // Where nobody agreed, nobody hears that it was committed either.
            Ok(()) | Err(EditError::Refused(NobodyAgreed)) => Ended::Committed,
            Err(EditError::NotCommitted(why)) => Ended::NotCommitted(Arc::new(why)),
            Err(EditError::NotDurable(error)) => Ended::NotDurable(Arc::new(error)),
        };
        members.into_iter().for_each(|member| member.hear(&ended));
        if let Ended::NotDurable(error) = ended {
            self.stop(error);
        }
    }

    fn stop(&self, error: Arc<io::Error>) {
        let mut queue = self.queue();
        let stopped = Ended::Stopped(error.clone());
        queue.waiting.drain(..).for_each(|member| member.hear(&stopped));
        queue.stopped = Some(error);
    }

    fn queue(&self) -> MutexGuard<'_, Queue<'g>> {
        self.queue.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds the queue";

struct Saving<'s, 'g, 'd>(&'s Group<'g, 'd>);

impl Drop for Saving<'_, '_, '_> {
    fn drop(&mut self) {
        self.0.queue().saving = false;
        self.0.ended.notify_all();
    }
}

struct NobodyAgreed;

/// Applies all edits that agree. One that does not may have left anything behind, so the others start over without it.
fn apply_all<'g>(members: &mut [Box<dyn Member + 'g>], document: &mut Document) -> Result<(), NobodyAgreed> {
    let mut agreeing: Vec<_> = members.iter_mut().collect();
    while !agreeing.is_empty() {
        let mut next = document.clone();
        match agreeing.iter_mut().position(|member| !member.apply(&mut next)) {
            Some(refusing) => drop(agreeing.remove(refusing)),
            None => {
                *document = next;
                return Ok(());
            }
        }
    }
    Err(NobodyAgreed)
}

/// How a save ended for those in it.
enum Ended {
    Committed,
    NotCommitted(Arc<NotCommitted>),
    NotDurable(Arc<io::Error>),
    Stopped(Arc<io::Error>),
}

/// Somebody's change, of whatever type.
trait Member: Send {
    /// Says whether the edit agreed.
    fn apply(&mut self, document: &mut Document) -> bool;

    fn hear(self: Box<Self>, ended: &Ended);
}

struct Change<F, T, E> {
    edit: F,
    /// What the edit said last, if it was asked; the panic, if it panicked.
    done: Option<thread::Result<Result<T, E>>>,
    told: Sender<thread::Result<Result<T, GroupError<E>>>>,
}

impl<F, T, E> Member for Change<F, T, E>
where
    F: FnMut(&mut Document) -> Result<T, E> + Send,
    T: Send,
    E: Send,
{
    fn apply(&mut self, document: &mut Document) -> bool {
        // It runs in another thread than its caller's, who alone must hear of a panic. What it left of the document is
        // thrown away.
        let done = catch_unwind(AssertUnwindSafe(|| (self.edit)(document)));
        let agreed = matches!(done, Ok(Ok(_)));
        self.done = Some(done);
        agreed
    }

    fn hear(self: Box<Self>, ended: &Ended) {
        let answer = match (self.done, ended) {
            (Some(Err(panic)), _) => Err(panic),
            // What a refusal was about may be somebody's change that never came about: only to try again tells.
            (_, Ended::NotCommitted(why)) => Ok(Err(GroupError::NotCommitted(why.clone()))),
            (_, Ended::Stopped(error)) => Ok(Err(GroupError::Stopped(error.clone()))),
            (Some(Ok(Err(refusal))), _) => Ok(Err(GroupError::Refused(refusal))),
            (_, Ended::NotDurable(error)) => Ok(Err(GroupError::NotDurable(error.clone()))),
            (Some(Ok(Ok(value))), Ended::Committed) => Ok(Ok(value)),
            (None, Ended::Committed) => unreachable!("what was saved was applied before"),
        };
        // Its caller waits, and for nothing else.
        let _ = self.told.send(answer);
    }
}

#[cfg(test)]
mod tests;
