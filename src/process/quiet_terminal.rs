//! A terminal that does not show what is typed, and gets its old settings back whatever ends the program: the end of the
//! prompt, a signal, or a bug of ours.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::handlers::{ENDING, Handler, Handlers, die};
use super::last_words;

struct Saved {
    terminal: File,
    settings: libc::termios,
}

/// What is to be restored; null while every terminal is as it was.
static SAVED: AtomicPtr<Saved> = AtomicPtr::new(std::ptr::null_mut());

/// While it lives, nothing that is typed is shown.
pub struct QuietTerminal {
    /// Gone after the terminal is as it was.
    _handlers: Handlers,
}

impl QuietTerminal {
    /// Silences the terminal. None where it has no settings: then it shows nothing by itself either. Handlers come first, so
    /// that no signal finds it silent and unguarded.
    pub fn silence(terminal: File) -> Option<Self> {
        let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the descriptor is open and the pointer is to a termios that the call fills.
        if unsafe { libc::tcgetattr(terminal.as_raw_fd(), settings.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: tcgetattr returned 0, so it filled the structure.
        let settings = unsafe { settings.assume_init() };
        let mut silent = settings;
        // Byte by byte too, as the prompt library reads: a Ctrl-D that the terminal takes for the end of a line before the
        // library turns that off would be lost.
        silent.c_lflag &= !(libc::ECHO | libc::ECHONL | libc::ICANON);
        silent.c_cc[libc::VMIN] = 1;
        silent.c_cc[libc::VTIME] = 0;
        let descriptor = terminal.as_raw_fd();
        SAVED.store(Box::into_raw(Box::new(Saved { terminal, settings })), Ordering::SeqCst);
        // SAFETY: it calls async-signal-safe functions only, as is said there.
        let handlers = unsafe { Handlers::put(Handler::Plain(restore_and_die), ENDING) };
        // SAFETY: the descriptor is open, owned by what was just saved and never freed, and `silent` is a valid termios.
        unsafe { libc::tcsetattr(descriptor, libc::TCSANOW, &silent) };
        Some(Self { _handlers: handlers })
    }
}

impl Drop for QuietTerminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives a silenced terminal its settings back. Async-signal-safe.
pub fn restore() {
    // Never freed: a handler may be reading it on another thread, and a program prompts a few times only.
    let saved = SAVED.swap(std::ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: the pointer is null or came from Box::into_raw and is never freed; tcsetattr is async-signal-safe
    // (POSIX.1-2017, 2.4.3).
    unsafe {
        if let Some(saved) = saved.as_ref() {
            libc::tcsetattr(saved.terminal.as_raw_fd(), libc::TCSANOW, &saved.settings);
        }
    }
}

/// Restores the terminal, says the last words, then dies of the same signal, so that a shell sees what happened.
pub(super) extern "C" fn restore_and_die(signal: libc::c_int) {
    restore();
    last_words::say(signal);
    die(signal);
}
