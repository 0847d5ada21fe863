//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

/// The user whose process it is: the listener's when it began to listen, the client's when it connected. The kernel says
/// so; nothing that the peer does later changes it.
#[cfg(target_os = "linux")]
pub fn peer_user(socket: impl AsFd) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(socket)?.uid.as_raw())
}

#[cfg(not(target_os = "linux"))]
pub fn peer_user(socket: impl AsFd) -> io::Result<u32> {
    use std::os::fd::AsRawFd;
    let (mut user, mut group) = (0, 0);
    // SAFETY: the descriptor is open while it is borrowed, and both pointers are to integers that the call fills.
    match unsafe { libc::getpeereid(socket.as_fd().as_raw_fd(), &mut user, &mut group) } {
        0 => Ok(user),
        _ => Err(io::Error::last_os_error()),
    }
}
