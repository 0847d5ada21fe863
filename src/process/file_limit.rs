//! Files that may not grow any further (`ulimit -f`): writing fails, as on a full disk, instead of ending the program at
//! whatever it was about to save.

use super::handlers::{Handler, Handlers};

/// By a handler that does nothing: other than an ignored signal, it is not handed down to the programs that are started.
pub fn outlive() {
    // SAFETY: it calls nothing.
    unsafe { Handlers::put(Handler::Plain(go_on), [libc::SIGXFSZ]) }.stay();
}

extern "C" fn go_on(_signal: libc::c_int) {}
