//! What is said where another process ends this one by SIGTERM: whoever started it may have nothing else to tell.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::handlers::{Handler, Handlers, die};

static WORDS: OnceLock<&'static str> = OnceLock::new();

/// How many want them said.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// While one lives, they are said; else a signal ends the program without a word, as it ends any other.
pub struct LastWords(());

impl LastWords {
    /// For the start of a program; the first ones stay.
    pub fn are(words: &'static str) {
        let _ = WORDS.set(words);
        hear_the_end();
    }

    pub fn wanted() -> Self {
        WANTED.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Other handlers come and go above this one.
fn hear_the_end() {
    // SAFETY: it calls async-signal-safe functions only, as is said there.
    unsafe { Handlers::put(Handler::Plain(say_and_die), [libc::SIGTERM]) }.stay();
}

extern "C" fn say_and_die(signal: libc::c_int) {
    say(signal);
    die(signal);
}

/// Async-signal-safe: what was set before the first handler was in place is only read.
pub(super) fn say(signal: libc::c_int) {
    let wanted = signal == libc::SIGTERM && WANTED.load(Ordering::SeqCst) > 0;
    if let Some(words) = WORDS.get().filter(|_| wanted && is_taken(libc::STDERR_FILENO)) {
        // SAFETY: write is async-signal-safe (POSIX.1-2017, 2.4.3), and the bytes live as long as the program.
        unsafe { libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len()) };
    }
}

/// Whether it can be written to at once: nobody may read what is there, and to end comes first. Async-signal-safe.
fn is_taken(descriptor: libc::c_int) -> bool {
    let mut asked = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    // SAFETY: poll is async-signal-safe (POSIX.1-2017, 2.4.3), and the pointer is to one of them.
    unsafe { libc::poll(&mut asked, 1, 0) == 1 && asked.revents & libc::POLLOUT != 0 }
}
