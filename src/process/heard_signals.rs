//! Signals as messages, for who waits for several things at once and has to end in good order.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use super::quiet_terminal::ENDING;

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
    previous: Vec<(libc::c_int, libc::sigaction)>,
    heard: PipeReader,
    _told: PipeWriter,
}

impl HeardSignals {
    pub fn listen() -> io::Result<Self> {
        let (heard, told) = io::pipe()?;
        rustix::io::ioctl_fionbio(&heard, true)?;
        rustix::io::ioctl_fionbio(&told, true)?;
        TOLD.store(told.as_raw_fd(), Ordering::SeqCst);
        let previous =
            ENDING.into_iter().chain([FORGET]).filter_map(|signal| Some((signal, install(signal)?))).collect();
        Ok(Self { previous, heard, _told: told })
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
        for (signal, action) in &self.previous {
            // SAFETY: `action` is what sigaction gave us for this very signal.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
        TOLD.store(-1, Ordering::SeqCst);
    }
}

/// Tells a process to forget what it holds; one that is gone has.
pub fn tell_to_forget(pid: u32) {
    if let Some(pid) = pid.try_into().ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::USR1);
    }
}

fn install(signal: libc::c_int) -> Option<libc::sigaction> {
    // SAFETY: all-zero sigactions are valid (default action, no flags, empty mask), and the pointers are to values that outlive
    // the calls, or null as sigaction allows.
    unsafe {
        let mut previous: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &mut previous) != 0 || previous.sa_sigaction == libc::SIG_IGN {
            return None;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as *const () as usize;
        // Calls that are under way on any thread go on.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        (libc::sigaction(signal, &action, std::ptr::null_mut()) == 0).then_some(previous)
    }
}

/// Async-signal-safe.
extern "C" fn note(signal: libc::c_int, about: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel gives a valid pointer; the code is there for every signal.
    let by_terminal = unsafe { about.as_ref() }.is_some_and(|about| !sent_by_a_process(about));
    let message = [signal as u8, u8::from(by_terminal)];
    // SAFETY: write is async-signal-safe (POSIX.1-2017, 2.4.3), the message outlives it, and the descriptor is our pipe's, which
    // is open while this handler is in place. Two bytes go into a pipe together or not at all.
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
