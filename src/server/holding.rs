//! That this process holds a session to hand out: a lock that stands as long, for `lock` to find. Servers that took theirs from
//! the agent hear of a lock by the end of their connection; this reaches those that asked no agent too, and shows that each
//! has forgotten.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::disk::{self, Disk, LockError, PassingLock, Told};

const FOLDER: &str = "servers";

/// A server may be in the middle of a call to AWS.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stands as long as it lives, and at the latest until the process dies.
pub type Holding = PassingLock;

/// Says that this process holds a session.
pub fn say(disk: &dyn Disk, state: &Path) -> Result<Holding, LockError> {
    PassingLock::own(disk, &state.join(FOLDER))
}

/// Whether any server holds one.
pub fn is_any(disk: &dyn Disk, state: &Path) -> bool {
    disk::is_any(disk, &state.join(FOLDER)).unwrap_or(false)
}

/// Tells every server, and is to be waited for.
pub fn tell_all(disk: &dyn Disk, state: &Path, say: impl Fn(u32)) -> io::Result<Told> {
    disk::tell(disk, &state.join(FOLDER), PATIENCE, say)
}
