//! Handlers of signals, in place for as long as somebody holds them.

use libc::{c_int, c_void, siginfo_t};

/// The signals that end a program while a person types or waits.
pub(super) const ENDING: [c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

pub(super) enum Handler {
    Plain(extern "C" fn(c_int)),
    /// Hears who sent it, and lets calls that are under way on any thread go on.
    Informed(extern "C" fn(c_int, *mut siginfo_t, *mut c_void)),
}

/// What was in place before, and is again when this goes.
#[derive(Default)]
pub(super) struct Handlers(Vec<(c_int, libc::sigaction)>);

impl Handlers {
    /// Puts the handler in place for these signals, without those that are ignored (nohup).
    ///
    /// # Safety
    ///
    /// It interrupts whatever any thread is at, so it must call nothing but async-signal-safe functions (POSIX.1-2017, 2.4.3),
    /// also after this is gone: a thread may be in it just then.
    pub(super) unsafe fn put(handler: Handler, signals: impl IntoIterator<Item = c_int>) -> Self {
        // SAFETY: a sigaction is made of numbers, and all zeros are one: the default action, no flags, the empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        (action.sa_sigaction, action.sa_flags) = match handler {
            Handler::Plain(function) => (function as *const () as usize, 0),
            Handler::Informed(function) => (function as *const () as usize, libc::SA_SIGINFO | libc::SA_RESTART),
        };
        // It may write to a terminal that it is in the background of, which must not stop it.
        // SAFETY: the pointer is to a mask, which is one as it is.
        unsafe { libc::sigaddset(&mut action.sa_mask, libc::SIGTTOU) };
        // SAFETY: the function is of the form that the flags say, by the match above, and async-signal-safe by the caller's word.
        let put = |signal| Some((signal, unsafe { put(signal, &action) }?));
        Self(signals.into_iter().filter_map(put).collect())
    }

    /// For as long as the program runs.
    pub(super) fn stay(mut self) {
        self.0.clear();
    }
}

/// From now on the call that the signal would end the program in fails instead. By a handler that does nothing: other than an
/// ignored signal, it is not handed down to the programs that are started.
pub(super) fn outlive(signal: c_int) {
    // SAFETY: it calls nothing.
    unsafe { Handlers::put(Handler::Plain(go_on), [signal]) }.stay();
}

/// By that signal, so that a shell sees what happened. Async-signal-safe.
pub(super) fn die(signal: c_int) {
    // SAFETY: all zeros are a mask.
    let mut this: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: all these are async-signal-safe (POSIX.1-2017, 2.4.3), and the pointers are to a mask and null.
    unsafe {
        libc::sigemptyset(&mut this);
        libc::sigaddset(&mut this, signal);
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &this, std::ptr::null_mut());
        // No signal ends the first process of a container by default.
        libc::_exit(128 + signal);
    }
}

extern "C" fn go_on(_signal: c_int) {}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, action) in &self.0 {
            // SAFETY: `action` is what sigaction said was in place for this very signal; the null pointer asks for nothing back.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
    }
}

/// Says what was there. None where nothing was changed.
///
/// # Safety
///
/// As for [`Handlers::put`], and the action's flags must fit its function.
unsafe fn put(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    // SAFETY: as above, all zeros are a sigaction.
    let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null pointer changes nothing, and the other is to a value that outlives the call.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &mut previous) };
    if asked != 0 || previous.sa_sigaction == libc::SIG_IGN {
        return None;
    }
    // SAFETY: the pointers are to a value that outlives the call and null; the handler is a sound one by the caller's word.
    (unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) } == 0).then_some(previous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_place(signal: c_int) -> libc::sighandler_t {
        // SAFETY: as above; nothing is changed.
        let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
        assert_eq!(unsafe { libc::sigaction(signal, std::ptr::null(), &mut found) }, 0);
        found.sa_sigaction
    }

    #[test]
    fn what_was_in_place_is_so_again_and_an_ignored_signal_stays_ignored() {
        // One that no other test is about.
        let signal = libc::SIGUSR2;
        for (before, held) in [(libc::SIG_DFL, go_on as *const () as usize), (libc::SIG_IGN, libc::SIG_IGN)] {
            // SAFETY: both are actions that the system has itself.
            unsafe { libc::signal(signal, before) };
            // SAFETY: it calls nothing.
            let handlers = unsafe { Handlers::put(Handler::Plain(go_on), [signal]) };
            assert_eq!(in_place(signal), held);
            drop(handlers);
            assert_eq!(in_place(signal), before);
        }
    }
}
