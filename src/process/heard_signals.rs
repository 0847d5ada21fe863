//! Signals as messages, for who waits for several things at once and has to end in good order.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::Signal;

use super::handlers::{ENDING, Handler, Handlers};
use super::tell;

/// By which `lock` has a server forget what it holds.
const FORGET: libc::c_int = libc::SIGUSR1;

/// Where the handler tells; -1 while nobody listens.
static TOLD: AtomicI32 = AtomicI32::new(-1);

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// To forget what is held.
    Forget,
    /// To end, by the signal of this number.
    End {
        signal: i32,
        /// Whether what we started has heard it too: what a terminal sends goes to all of its programs at once.
        by_terminal: bool,
    },
}

/// While it lives, signals wait to be read instead of ending the program. Those that were ignored (nohup) stay so.
pub struct HeardSignals {
    handlers: Handlers,
    heard: PipeReader,
    _told: PipeWriter,
}

impl HeardSignals {
    pub fn listen() -> io::Result<Self> {
        let (heard, told) = io::pipe()?;
        rustix::io::ioctl_fionbio(&heard, true)?;
        rustix::io::ioctl_fionbio(&told, true)?;
        TOLD.store(told.as_raw_fd(), Ordering::SeqCst);
        // SAFETY: it calls async-signal-safe functions only, as is said there.
        let handlers = unsafe { Handlers::put(Handler::Informed(note), ENDING.into_iter().chain([FORGET])) };
        Ok(Self { handlers, heard, _told: told })
    }

    /// The next that came; none where all were read.
    pub fn heard(&mut self) -> Option<Heard> {
        let mut message = [0; 2];
        self.heard.read_exact(&mut message).ok()?;
        let signal = libc::c_int::from(message[0]);
        Some(if signal == FORGET { Heard::Forget } else { Heard::End { signal, by_terminal: message[1] != 0 } })
    }
}

/// Readable when a signal came.
impl AsFd for HeardSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.heard.as_fd()
    }
}

impl Drop for HeardSignals {
    fn drop(&mut self) {
        // Before the pipe that it writes to.
        drop(std::mem::take(&mut self.handlers));
        TOLD.store(-1, Ordering::SeqCst);
    }
}

/// Tells a process to forget what it holds; one that is gone has.
pub fn tell_to_forget(pid: u32) {
    tell(pid, Signal::USR1);
}

/// Async-signal-safe.
extern "C" fn note(signal: libc::c_int, about: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: a handler that is put in place with SA_SIGINFO, as an informed one is, gets a pointer to a siginfo_t that lives as
    // long as the handler runs, or null.
    let by_terminal = unsafe { about.as_ref() }.is_some_and(|about| !sent_by_a_process(about));
    let message = [signal as u8, u8::from(by_terminal)];
    // Two bytes go into a pipe together or not at all.
    // SAFETY: write is async-signal-safe (POSIX.1-2017, 2.4.3) and only reads the message, which outlives it. The descriptor is
    // our pipe's, or none where a thread is in here that the signal came to while they were let go of.
    unsafe { libc::write(TOLD.load(Ordering::SeqCst), message.as_ptr().cast(), message.len()) };
}

/// The kernel's own codes are above zero (sigaction(2)).
#[cfg(target_os = "linux")]
fn sent_by_a_process(about: &libc::siginfo_t) -> bool {
    about.si_code <= 0
}

/// What the terminal sends has no sender there.
#[cfg(not(target_os = "linux"))]
fn sent_by_a_process(about: &libc::siginfo_t) -> bool {
    about.si_pid != 0
}
