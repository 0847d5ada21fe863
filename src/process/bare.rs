//! The start of a program without the standard library's, for one that is over in a millisecond. A good part of that is what the
//! library prepares: a second stack, for a signal that tells of an overflow of the first, for which it reads /proc.

use std::os::fd::IntoRawFd;

use rustix::fs::{Mode, OFlags};

use super::handlers;

/// Makes a function that gives an exit code the whole of a program that says `#![no_main]`.
#[macro_export]
macro_rules! bare_program {
    ($run:path) => {
        // SAFETY: a program without a `main` of Rust's has no other of this name, and it is of the form that C libraries call
        // (C11, 5.1.2.2.1). Arguments and variables the standard library has from them by itself.
        #[unsafe(no_mangle)]
        extern "C" fn main(_: std::ffi::c_int, _: *const *const std::ffi::c_char) -> std::ffi::c_int {
            std::ffi::c_int::from($run())
        }
    };
}

/// What of the library's preparations such a program needs too: none of its files becomes standard output, and a reader that went
/// away is an error like others.
pub fn prepare() {
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
