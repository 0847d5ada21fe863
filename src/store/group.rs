//! Many threads' changes in few saves. A save takes as long for a thousand changes as for one, so it takes all that are
//! waiting; who comes while it runs waits for the next. Between its uses the vault is closed: the threads may wait for minutes,
//! and nothing of what it holds is in memory then.

mod opening;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use thiserror::Error;

use opening::Opening;

use super::document::Document;
use super::kept::Keep;
use super::vault::{Closed, EditError, NotCommitted, ReopenError, Stamp, Vault};

/// A vault that many threads change at once.
///
/// What the edits borrow lives for `'g`: longer than the group.
pub struct Group<'g, 'd> {
    vault: Opening<'d>,
    done: Mutex<Done>,
    queue: Mutex<Queue<'g>>,
    /// A save has ended.
    ended: Condvar,
}

/// For which file, by its hash, something was done last that takes a wait for the disk: nobody waits for the same again.
#[derive(Default)]
struct Done {
    durable: Option<[u8; 32]>,
    kept: Option<[u8; 32]>,
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
    /// Saved and in force, but a power cut may undo it. The group has stopped; once [`Group::settle`] has said yes, the change
    /// is as good as one that was committed.
    #[error("not yet durable: {0}")]
    NotDurable(Arc<io::Error>),
    /// Not even tried: an earlier save was not durable, and on what may be undone nothing more is built.
    #[error("an earlier save is not yet durable: {0}")]
    Stopped(Arc<io::Error>),
}

impl<'g, 'd> Group<'g, 'd> {
    pub fn new(vault: Closed<'d>) -> Self {
        Self { vault: Opening::new(vault), done: Mutex::default(), queue: Mutex::default(), ended: Condvar::new() }
    }

    /// Changes the document and saves it, as [`Vault::edit_keeping`] does, together with whoever else wants to; returns when
    /// the save that holds this change is over. The edit may be applied several times, to the same or to other documents:
    /// the last time counts. The file that the save replaces is kept if any of the changes in it asks for that. Of those who
    /// wait for a save one saves, and stamps it as it begins.
    pub fn edit<T: Send + 'g, E: Send + 'g>(
        &self,
        keep: Keep,
        stamp: &dyn Fn() -> Stamp,
        edit: impl FnMut(&mut Document) -> Result<T, E> + Send + 'g,
    ) -> Result<T, GroupError<E>> {
        let (told, answer) = channel();
        let mut queue = self.queue();
        if let Some(error) = &queue.stopped {
            return Err(GroupError::Stopped(error.clone()));
        }
        queue.waiting.push(Box::new(Change { edit, keep, done: None, told }));
        self.answered(queue, stamp, &answer).unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Reads what stands. It must not ask the group for anything, which waits for the same vault.
    pub fn read<R>(&self, read: impl FnOnce(&Vault<'d>) -> R) -> Result<R, ReopenError> {
        self.vault.with(|vault| read(vault))
    }

    /// The same, once what stands outlives a power cut.
    pub fn read_durable<R>(&self, read: impl FnOnce(&Vault<'d>) -> R) -> Result<io::Result<R>, ReopenError> {
        self.vault.with(|vault| {
            let standing = Some(vault.version().hash);
            if self.done().durable != standing {
                vault.make_durable()?;
                self.done().durable = standing;
            }
            Ok(read(vault))
        })
    }

    /// As [`Vault::keep_standing`] does.
    pub fn keep_standing(&self) -> Result<(), NotCommitted> {
        self.vault.with(|vault| {
            if self.done().kept != Some(vault.version().hash) {
                vault.keep_standing()?;
                self.done().kept = Some(vault.version().hash);
            }
            Ok(())
        })?
    }

    /// Makes what stands durable, and with it a change that was [`GroupError::NotDurable`]; a group that stopped goes on.
    pub fn settle(&self) -> Result<(), ReopenError> {
        self.vault.with(|vault| {
            vault.settle()?;
            // While this holds the vault, no later save can have stopped the group.
            self.queue().stopped = None;
            Ok(())
        })?
    }

    /// Waits for the answer; where nobody is saving, by saving.
    fn answered<'s, A>(
        &'s self,
        mut queue: MutexGuard<'s, Queue<'g>>,
        stamp: &dyn Fn() -> Stamp,
        answer: &Receiver<A>,
    ) -> A {
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

    fn save(&self, mut members: Vec<Box<dyn Member + 'g>>, stamp: &dyn Fn() -> Stamp) {
        // However this ends, also by a panic: nobody is left waiting for it.
        let _saving = Saving(self);
        let saved = self.vault.with(|vault| self.save_to(vault, &mut members, &stamp()));
        let ended = saved.unwrap_or_else(|why| Ended::NotCommitted(Arc::new(why.into())));
        members.into_iter().for_each(|member| member.hear(&ended));
    }

    fn save_to(&self, vault: &mut Vault, members: &mut [Box<dyn Member + 'g>], stamp: &Stamp) -> Ended {
        match vault.edit_deciding(stamp, |document| apply_all(members, document)) {
            Ok(()) => {
                self.done().durable = Some(vault.version().hash);
                Ended::Committed
            }
            // Nobody hears that it was committed.
            Err(EditError::Refused(NobodyAgreed)) => Ended::Committed,
            Err(EditError::NotCommitted(why)) => Ended::NotCommitted(Arc::new(why)),
            Err(EditError::NotDurable(error)) => {
                let error = Arc::new(error);
                // Before anybody hears of it and settles it.
                self.stop(error.clone());
                Ended::NotDurable(error)
            }
        }
    }

    fn stop(&self, error: Arc<io::Error>) {
        let mut queue = self.queue();
        let stopped = Ended::Stopped(error.clone());
        queue.waiting.drain(..).for_each(|member| member.hear(&stopped));
        queue.stopped = Some(error);
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().expect(NO_PANIC)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<'g>> {
        self.queue.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nothing panics while it holds this";

struct Saving<'s, 'g, 'd>(&'s Group<'g, 'd>);

impl Drop for Saving<'_, '_, '_> {
    fn drop(&mut self) {
        self.0.queue().saving = false;
        self.0.ended.notify_all();
    }
}

struct NobodyAgreed;

/// Applies all edits that agree, and says what they want kept. One that does not may have left anything behind, so the others start over without it.
fn apply_all<'g>(members: &mut [Box<dyn Member + 'g>], document: &mut Document) -> Result<((), Keep), NobodyAgreed> {
    let mut agreeing: Vec<_> = members.iter_mut().collect();
    while let Some(keep) = agreeing.iter().map(|member| member.keep()).max() {
        let mut next = document.clone();
        match agreeing.iter_mut().position(|member| !member.apply(&mut next)) {
            Some(refusing) => drop(agreeing.remove(refusing)),
            None => {
                *document = next;
                return Ok(((), keep));
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

    fn keep(&self) -> Keep;

    fn hear(self: Box<Self>, ended: &Ended);
}

struct Change<F, T, E> {
    edit: F,
    keep: Keep,
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

    fn keep(&self) -> Keep {
        self.keep
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
