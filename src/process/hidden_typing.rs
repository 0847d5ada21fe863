//! A terminal that shows nothing of what is typed, from before the prompt is shown until it is answered, and that is given
//! back as it was when a signal ends the program in between. The prompt library hides what is typed only once it reads,
//! which is late for who pastes at once, and restores the terminal only when it returns.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The signals that end a program while a person types.
const ENDING: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

struct Saved {
    terminal: File,
    settings: libc::termios,
}

/// What the handler restores; null while no prompt is open.
static SAVED: AtomicPtr<Saved> = AtomicPtr::new(std::ptr::null_mut());

/// While it lives, nothing that is typed shows, and an ending signal first restores the terminal's settings.
pub struct HiddenTyping {
    previous: Vec<(libc::c_int, libc::sigaction)>,
}

impl HiddenTyping {
    /// None where this is no terminal: then there is nothing to hide or to restore.
    pub fn at(terminal: File) -> Option<Self> {
        let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the descriptor is open and the pointer is to a termios that the call fills.
        if unsafe { libc::tcgetattr(terminal.as_raw_fd(), settings.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: tcgetattr returned 0, so it filled the structure.
        let settings = unsafe { settings.assume_init() };
        let descriptor = terminal.as_raw_fd();
        SAVED.store(Box::into_raw(Box::new(Saved { terminal, settings })), Ordering::SeqCst);
        let hidden =
            Self { previous: ENDING.into_iter().filter_map(|signal| Some((signal, install(signal)?))).collect() };
        let quiet = quiet(settings);
        // SAFETY: the descriptor is that of the terminal just saved, which is never closed; the settings are initialised.
        unsafe { libc::tcsetattr(descriptor, libc::TCSANOW, &quiet) };
        Some(hidden)
    }
}

/// As the prompt library sets it, so that what is typed before it reads reaches it byte by byte.
fn quiet(mut settings: libc::termios) -> libc::termios {
    settings.c_lflag &= !(libc::ECHO | libc::ECHONL | libc::ICANON | libc::ISIG);
    settings.c_cc[libc::VMIN] = 1;
    settings.c_cc[libc::VTIME] = 0;
    settings
}

impl Drop for HiddenTyping {
    fn drop(&mut self) {
        // SAFETY: the pointer came from Box::into_raw, is never freed, and `self` is the one that stored it.
        if let Some(saved) = unsafe { SAVED.load(Ordering::SeqCst).as_ref() } {
            // SAFETY: the saved descriptor stays open and the settings are initialised.
            unsafe { libc::tcsetattr(saved.terminal.as_raw_fd(), libc::TCSANOW, &saved.settings) };
        }
        for (signal, action) in &self.previous {
            // SAFETY: `action` is what sigaction gave us for this very signal.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
        // Never freed: a handler that is running on another thread may still read it. A program prompts a few times.
        SAVED.store(std::ptr::null_mut(), Ordering::SeqCst);
    }
}

/// Puts the handler in place, unless the signal is ignored (nohup), and says what was there.
fn install(signal: libc::c_int) -> Option<libc::sigaction> {
    // SAFETY: an all-zero sigaction is a valid one (default action, no flags, empty mask).
    let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid or null as sigaction allows.
    if unsafe { libc::sigaction(signal, std::ptr::null(), &mut previous) } != 0
        || previous.sa_sigaction == libc::SIG_IGN
    {
        return None;
    }
    // SAFETY: as above.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = restore_and_die as *const () as usize;
    // SAFETY: `restore_and_die` calls only async-signal-safe functions.
    (unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) } == 0).then_some(previous)
}

/// Restores the terminal, then dies of the same signal, so that a shell sees what happened.
extern "C" fn restore_and_die(signal: libc::c_int) {
    let saved = SAVED.load(Ordering::SeqCst);
    // SAFETY: the pointer is null or came from Box::into_raw and is never freed; tcsetattr, write, signal and raise are
    // async-signal-safe (POSIX.1-2017, 2.4.3).
    unsafe {
        if let Some(saved) = saved.as_ref() {
            let terminal = saved.terminal.as_raw_fd();
            libc::tcsetattr(terminal, libc::TCSANOW, &saved.settings);
            // The shell's next prompt starts on a line of its own.
            libc::write(terminal, b"\n".as_ptr().cast(), 1);
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
