//! How many files this process may have open at a time (`ulimit -n`): sockets and locks count too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// One rotation takes 20. With fewer a command would end somewhere on its way, wherever it meets the limit.
pub const LEAST_OPEN_FILES: u64 = 32;

/// More than macOS gives anybody, where a limit above that is an error.
const MANY: u64 = 10_240;

/// The limit, where that is not enough.
pub fn too_few_open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current.filter(|limit| *limit < LEAST_OPEN_FILES)
}

/// As many as the system gives for the asking: who rotates a thousand keys holds a lock for each of them. What it starts has the
/// same limit.
pub fn allow_many_open_files() {
    let before = getrlimit(Resource::Nofile);
    let more = before.maximum.map_or(MANY, |most| most.min(MANY));
    if before.current.is_some_and(|current| current < more) {
        // As before, then: fewer at once may do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(more), ..before });
    }
}
