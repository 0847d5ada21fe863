//! That this process holds a session to hand out: a lock that stands as long, for `lock` to find. Servers that took theirs from
//! the agent hear of a lock by the end of their connection; this reaches those that asked no agent too, and shows that each
//! has forgotten.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::disk::{Disk, Holders, Lock, hold, let_go, tell_holders};

const FOLDER: &str = "servers";

/// A server may be in the middle of a call to AWS.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stands as long as it lives, and at the latest until the process dies.
pub type Holding = Box<dyn Lock>;

/// Says that this process holds a session.
pub fn say(disk: &dyn Disk, state: &Path) -> io::Result<Holding> {
    hold(disk, &state.join(FOLDER))
}

/// Takes away what that left in the folder.
pub fn clean_up(disk: &dyn Disk, state: &Path) {
    let_go(disk, &state.join(FOLDER));
}

/// Whether any server holds one.
pub fn is_any(disk: &dyn Disk, state: &Path) -> bool {
    tell_holders(disk, &state.join(FOLDER), Duration::ZERO, |_| ()).is_ok_and(|servers| servers.told > 0)
}

/// Tells every server to forget, and waits until it has.
pub fn forget_all(disk: &dyn Disk, state: &Path, tell: impl Fn(u32)) -> io::Result<Holders> {
    tell_holders(disk, &state.join(FOLDER), PATIENCE, tell)
}
