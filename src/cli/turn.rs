//! Whose turn it is to ask: of two prompts at one terminal nobody knows which of them is answered, and the first that is would have
//! the other's answer shown. The processes of one job ask one after the other; another job at the same terminal is in the
//! background, and asks nobody.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{Disk, Folder, Lock, LockError, RealDisk};

use super::asking::{self, Asking};

const FOLDER: &str = "turns";

/// Nobody thinks about an answer for longer; a prompt too many is better than none ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often a lock may turn out to be one that its last holder has taken away.
const TRIES: usize = 16;

/// Of this process: how many prompts have the turn, one within the other, and the lock that says so.
struct Held {
    prompts: usize,
    lock: Option<Box<dyn Lock>>,
}

static HELD: Mutex<Held> = Mutex::new(Held { prompts: 0, lock: None });

/// As long as it lives no other process of this job asks.
pub struct Turn {
    /// Whether another one was asking: what it was told may be known now.
    pub was_waited_for: bool,
    _asking: Asking,
}

impl Turn {
    /// Waits for it. Where the state folder takes no lock, a person is asked all the same.
    pub fn take() -> Self {
        // Whoever waits for its turn is to be found like whoever asks.
        let asking = Asking::say();
        let mut held = held();
        held.prompts += 1;
        let mut was_waited_for = false;
        if held.prompts == 1 {
            (held.lock, was_waited_for) = claim().unwrap_or_default();
        }
        Self { was_waited_for, _asking: asking }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut held = held();
        held.prompts -= 1;
        if held.prompts == 0
            && let Some(lock) = held.lock.take()
        {
            // Before it is let go: who waits for it sees then that it is gone.
            let _ = folder().and_then(|folder| folder.remove(&name()).ok());
            drop(lock);
        }
    }
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path() -> Option<PathBuf> {
    asking::state().map(|state| state.join(FOLDER))
}

fn folder() -> Option<Box<dyn Folder>> {
    RealDisk.open_folder(&path()?).ok()
}

/// By the job, as the terminal knows it.
fn name() -> String {
    format!("{}.lock", rustix::process::getpgrp().as_raw_nonzero())
}

/// The lock, and whether somebody had it.
fn claim() -> Option<(Option<Box<dyn Lock>>, bool)> {
    RealDisk.make_folder(&path()?).ok()?;
    let (folder, name) = (folder()?, name());
    let mut was_waited_for = false;
    for _ in 0..TRIES {
        let lock = match folder.lock(&name, Duration::ZERO) {
            Err(LockError::Held { .. }) => {
                was_waited_for = true;
                folder.lock(&name, PATIENCE).ok()?
            }
            lock => lock.ok()?,
        };
        if is_ours(&*folder, &name) {
            sweep(&*folder, &name);
            return Some((Some(lock), was_waited_for));
        }
    }
    None
}

/// Whether the file that stands there is the one that we have locked: it has our number then.
fn is_ours(folder: &dyn Folder, name: &str) -> bool {
    let ours = std::process::id().to_string();
    folder.read(name, 16).is_ok_and(|(number, _)| number.trim_ascii() == ours.as_bytes())
}

/// What processes left behind that were ended while they asked.
fn sweep(folder: &dyn Folder, ours: &str) {
    for name in folder.names().unwrap_or_default().into_iter().filter(|name| name != ours) {
        if folder.lock(&name, Duration::ZERO).is_ok() {
            let _ = folder.remove(&name);
        }
    }
}
