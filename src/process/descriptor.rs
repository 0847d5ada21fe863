//! Takes over file descriptors that the caller of this program opened for it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Takes descriptor `number` for reading, which no child inherits from then on. A number can't be owned, since this program may
/// have opened a file under it itself: the file is another descriptor of the same.
pub fn take_descriptor(number: RawFd) -> io::Result<File> {
    if number == 0 {
        return take_standard_input();
    }
    // SAFETY: F_GETFD only asks the kernel whether the number is open.
    let open = unsafe { libc::fcntl(number, libc::F_GETFD) } != -1;
    // 1 and 2 are ours to write to.
    if !open || number == 1 || number == 2 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the number is open, as was just asked, and nothing closes it before the next two calls are done.
    let given = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(given, rustix::io::FdFlags::CLOEXEC)?;
    Ok(given.try_clone_to_owned()?.into())
}

/// Takes descriptor `number` as the socket that others connect to.
pub fn take_listener(number: RawFd) -> io::Result<UnixListener> {
    let socket = OwnedFd::from(take_descriptor(number)?);
    if !listens(&socket)? {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(socket.into())
}

#[cfg(target_os = "linux")]
fn listens(socket: &OwnedFd) -> io::Result<bool> {
    use rustix::net::{AddressFamily, SocketType, sockopt};
    Ok(sockopt::socket_domain(socket)? == AddressFamily::UNIX
        && sockopt::socket_type(socket)? == SocketType::STREAM
        && sockopt::socket_acceptconn(socket)?)
}

/// No other system's starter hands sockets over by number.
#[cfg(not(target_os = "linux"))]
fn listens(_socket: &OwnedFd) -> io::Result<bool> {
    Ok(false)
}

/// Leaves an empty input behind: a child without a descriptor 0 would take the next file it opens for its input.
fn take_standard_input() -> io::Result<File> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(taken.into())
}

/// Has every other descriptor, our caller's included, closed when the command starts.
pub(super) fn keep_only_the_standard_three(command: &mut Command) {
    // SAFETY: between fork and exec only async-signal-safe calls are made: one system call, or fcntl in a loop.
    unsafe { command.pre_exec(mark_the_rest) };
}

/// Marks rather than closes: the standard library's own pipe, which tells of a failed exec, has the mark already.
#[cfg(target_os = "linux")]
fn mark_the_rest() -> io::Result<()> {
    // SAFETY: close_range only changes flags of this process's descriptors. A kernel older than 5.11 refuses, which leaves
    // the caller's descriptors as the caller chose to have them inherited.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn mark_the_rest() -> io::Result<()> {
    for descriptor in 3..1024 {
        // SAFETY: fcntl only changes a flag; on a number that is not open it fails without effect.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}
