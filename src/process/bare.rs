//! The start of a program without the standard library's, for one that is over in a millisecond. A good part of that is what the
//! library prepares: a second stack, for a signal that tells of an overflow of the first, for which it reads /proc.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{Mode, OFlags};

use super::brief_memory::BRIEF;
use super::handlers;

/// Makes a function from a program's arguments to its exit code the whole of a program that says `#![no_main]`.
#[macro_export]
macro_rules! bare_program {
    ($run:path) => {
        // SAFETY: a program without a `main` of Rust's has no other of this name, and it is of the form that C libraries call
        // (C11, 5.1.2.2.1).
        #[unsafe(no_mangle)]
        extern "C" fn main(count: std::ffi::c_int, arguments: *const *const std::ffi::c_char) -> std::ffi::c_int {
            $crate::process::prepare_bare_program();
            // SAFETY: they are what `main` was called with.
            let arguments = unsafe { $crate::process::arguments_of_main(count, arguments) };
            std::ffi::c_int::from($run(&arguments))
        }
    };
}

/// The standard library has them by itself where the C library is glibc, and nowhere else: before its own `main`, nobody tells it.
///
/// # Safety
///
/// They are what a C library calls `main` with.
pub unsafe fn arguments_of_main(count: c_int, arguments: *const *const c_char) -> Vec<OsString> {
    (0..usize::try_from(count).unwrap_or_default())
        .map(|nth| {
            // SAFETY: there are so many of them, each a string that lives as long as the program (C11, 5.1.2.2.1).
            let argument = unsafe { CStr::from_ptr(*arguments.add(nth)) };
            OsStr::from_bytes(argument.to_bytes()).to_owned()
        })
        .collect()
}

/// For one that is not over in a millisecond after all.
pub fn prepare_for_long() {
    BRIEF.turn_off();
}

/// Its memory, and what of the library's preparations such a program needs too: none of its files becomes standard output, and a
/// reader that went away is an error like others.
pub fn prepare() {
    BRIEF.turn_on();
    handlers::outlive(libc::SIGPIPE);
    for number in 0..=2 {
        // SAFETY: what is asked about a descriptor touches no memory.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
            // The lowest number that is free is the next descriptor's.
            match rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()) {
                Ok(nothing) => drop(nothing.into_raw_fd()),
                Err(_) => std::process::abort(),
            }
        }
    }
}
