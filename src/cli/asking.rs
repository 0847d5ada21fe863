//! That this process waits for a person, or for another process that does, perhaps with an access key or what opens the vault at
//! hand: a lock that stands as long, for `lock` to find.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::disk::{self, Disk, PassingLock, RealDisk, Told};
use crate::process::LastWords;
use crate::session::Waiting;

use super::report;

const FOLDER: &str = "prompts";

/// A process at a prompt has nothing to finish; one that has a rotation to finish was told by its own lock before.
const PATIENCE: Duration = Duration::from_secs(5);

/// The state folder, where the program's own process says so.
static STATE: OnceLock<PathBuf> = OnceLock::new();

/// From here on each prompt of this process is to be found, and does not end without a word.
pub fn let_lock_find_us(state: &Path) {
    let _ = STATE.set(state.to_owned());
    LastWords::are(report::ENDED_WHILE_ASKING);
}

/// The state folder; None before anything was remembered: there is no vault to be locked, and nothing is made.
pub fn state() -> Option<&'static Path> {
    STATE.get().filter(|state| state.is_dir()).map(PathBuf::as_path)
}

fn place() -> Option<PathBuf> {
    state().map(|state| state.join(FOLDER))
}

/// Stands as long as it lives, and at the latest until the process dies.
pub struct Asking {
    _last_words: LastWords,
}

/// Of this process: for how many answers it waits at once, and the lock that says so.
struct Held {
    answers: usize,
    lock: Option<PassingLock>,
}

static HELD: Mutex<Held> = Mutex::new(Held { answers: 0, lock: None });

impl Waiting for Asking {}

impl Asking {
    /// Where the folder takes no lock a person is asked all the same: a vault can be used where nothing can be written.
    pub fn say() -> Self {
        let mut held = held();
        held.answers += 1;
        if held.answers == 1 {
            held.lock = place().and_then(|place| PassingLock::own(&RealDisk, &place).ok());
        }
        Self { _last_words: LastWords::wanted() }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut held = held();
        held.answers -= 1;
        if held.answers == 0 {
            held.lock = None;
        }
    }
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells every process that asks, and is to be waited for.
pub fn tell_all(disk: &dyn Disk, state: &Path, say: impl Fn(u32)) -> io::Result<Told> {
    disk::tell(disk, &state.join(FOLDER), PATIENCE, say)
}
