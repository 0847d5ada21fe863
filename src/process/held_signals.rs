//! Signals that end the program, but not before something outside of it was put back.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use super::handlers::{ENDING, Handler, Handlers};

/// The signal that came; 0 while none did.
static CAUGHT: AtomicI32 = AtomicI32::new(0);
/// Where the handler tells whoever waits; -1 while nobody holds signals.
static TOLD: AtomicI32 = AtomicI32::new(-1);

/// While it lives, Ctrl-C and the like are only noted. When it goes, the program ends by the signal that came.
pub struct HeldSignals {
    handlers: Handlers,
    /// A pipe, since what waits for input must wake also where the signal came a moment before, or on another thread.
    heard: PipeReader,
    _told: PipeWriter,
}

impl HeldSignals {
    pub fn hold() -> io::Result<Self> {
        let (heard, told) = io::pipe()?;
        CAUGHT.store(0, Ordering::SeqCst);
        TOLD.store(told.as_raw_fd(), Ordering::SeqCst);
        // SAFETY: it calls async-signal-safe functions only, as is said there.
        let handlers = unsafe { Handlers::put(Handler::Plain(note), ENDING) };
        Ok(Self { handlers, heard, _told: told })
    }

    /// Lets go of them, and does not end the program by one that came: whoever heard of it ends it in another way.
    pub fn forget(self) {
        CAUGHT.store(0, Ordering::SeqCst);
    }

    /// Whether one came.
    pub fn came(&self) -> bool {
        Self::one_came()
    }

    /// The same for who does not hold them; none came where nobody does.
    pub fn one_came() -> bool {
        CAUGHT.load(Ordering::SeqCst) != 0
    }

    /// Waits for input; false where a signal came first. By select, since macOS has no poll for terminals.
    pub fn wait_for(&self, input: &File) -> io::Result<bool> {
        let (input, heard) = (input.as_raw_fd(), self.heard.as_raw_fd());
        loop {
            if self.came() {
                return Ok(false);
            }
            match readable([input, heard]) {
                Ok([_, true]) => return Ok(false),
                Ok([ready, _]) => {
                    if ready {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // Before the pipe, and before the signal is raised once more: this time it is to do what it does.
        drop(std::mem::take(&mut self.handlers));
        TOLD.store(-1, Ordering::SeqCst);
        let signal = CAUGHT.swap(0, Ordering::SeqCst);
        if signal != 0 {
            // SAFETY: raise takes any number; whatever handler is in place for this one now was there before us.
            unsafe { libc::raise(signal) };
        }
    }
}

/// Notes the signal and wakes who waits. Async-signal-safe.
extern "C" fn note(signal: libc::c_int) {
    CAUGHT.store(signal, Ordering::SeqCst);
    let told = TOLD.load(Ordering::SeqCst);
    // SAFETY: write is async-signal-safe (POSIX.1-2017, 2.4.3) and only reads the byte, which is static. The descriptor is our
    // pipe's, or none where a thread is in here that the signal came to while they were let go of.
    unsafe { libc::write(told, c"!".as_ptr().cast(), 1) };
}

/// Waits until one of the two can be read from, and says which can.
fn readable(descriptors: [RawFd; 2]) -> io::Result<[bool; 2]> {
    let in_set = |descriptor: RawFd| usize::try_from(descriptor).is_ok_and(|number| number < libc::FD_SETSIZE);
    if !descriptors.iter().all(|descriptor| in_set(*descriptor)) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // SAFETY: an fd_set of zeros is the empty set, and every descriptor put into it is below FD_SETSIZE, as was checked. All
    // pointers are to values that outlive the calls, or null as select allows.
    unsafe {
        let mut set: libc::fd_set = std::mem::zeroed();
        descriptors.iter().for_each(|descriptor| libc::FD_SET(*descriptor, &mut set));
        let above = descriptors.iter().max().map_or(0, |highest| highest + 1);
        let none = std::ptr::null_mut();
        if libc::select(above, &mut set, none, none, std::ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(descriptors.map(|descriptor| libc::FD_ISSET(descriptor, &set)))
    }
}
