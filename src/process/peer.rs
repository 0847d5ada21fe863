//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

/// The user whose process it is: the listener's when it began to listen, the client's when it connected. The kernel says
/// so; nothing that the peer does later changes it.
#[cfg(target_os = "linux")]
pub fn peer_user(socket: impl AsFd) -> io::Result<u32> {
    use std::os::fd::AsRawFd;
    // Not by rustix, where a process always has a number: one in another namespace has 0 here.
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of_val(&peer) as libc::socklen_t;
    let (socket, into) = (socket.as_fd().as_raw_fd(), (&raw mut peer).cast());
    // SAFETY: the descriptor is open while it is borrowed, and the call fills at most `length` bytes of `peer`.
    match unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_PEERCRED, into, &mut length) } {
        // Less than all of it would leave user 0, whom nobody may be taken for by mistake.
        0 if length as usize == size_of_val(&peer) => Ok(peer.uid),
        0 => Err(io::ErrorKind::InvalidData.into()),
        _ => Err(io::Error::last_os_error()),
    }
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
