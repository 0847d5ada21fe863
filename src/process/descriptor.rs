//! Takes over a file descriptor that the caller of this program opened for it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, FromRawFd, RawFd};

/// Takes descriptor `number` for reading; it is closed when the file is dropped, so no child inherits what is in it.
pub fn take_descriptor(number: RawFd) -> io::Result<File> {
    if number == 0 {
        return take_standard_input();
    }
    // SAFETY: F_GETFD only asks the kernel whether the number is open.
    let open = unsafe { libc::fcntl(number, libc::F_GETFD) } != -1;
    // 1 and 2 are ours to write to, and closing them would let the next file we open take their place.
    if !open || number == 1 || number == 2 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the number is open, and the flag that names it is read once, before this program has opened any file whose
    // number could be the same.
    Ok(unsafe { File::from_raw_fd(number) })
}

/// Leaves an empty input behind: a child without a descriptor 0 would take the next file it opens for its input.
fn take_standard_input() -> io::Result<File> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(taken.into())
}
