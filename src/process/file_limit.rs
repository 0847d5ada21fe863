//! Files that may not grow any further (`ulimit -f`): writing fails, as on a full disk, instead of ending the program at
//! whatever it was about to save.

use super::handlers;

pub fn outlive() {
    handlers::outlive(libc::SIGXFSZ);
}
