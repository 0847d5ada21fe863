//! Memory for what is secret for long: never swapped out, in no core file, and wiped.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};
use zeroize::Zeroize;

/// Pages of their own, zero at first.
pub struct LockedMemory {
    start: NonNull<u8>,
    size: usize,
}

/// How many bytes this process may keep out of swap; None where there is no limit.
pub fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Memlock).current
}

impl LockedMemory {
    /// Kept out of swap and core files where the system lets us: a limit that is too low (`ulimit -l`) leaves what is in it
    /// no worse off than in any other program.
    pub fn new(size: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing of ours.
        let start = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), size, access, MapFlags::PRIVATE) }?;
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the pages were mapped just now, and locking them changes nothing that is in them.
        let _ = unsafe { rustix::mm::mlock(start.as_ptr().cast(), size) };
        #[cfg(target_os = "linux")]
        // SAFETY: as above.
        let _ = unsafe { rustix::mm::madvise(start.as_ptr().cast(), size, rustix::mm::Advice::LinuxDontDump) };
        Ok(Self { start, size })
    }
}

impl Deref for LockedMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `size` bytes are mapped there, are ours alone and were zero before anything was written.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.size) }
    }
}

impl DerefMut for LockedMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for deref, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        self.zeroize();
        // SAFETY: the mapping was made with this size, and nobody borrows it any more.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that Linux gives for the mapping at this address.
    #[cfg(target_os = "linux")]
    fn flags(of: &LockedMemory) -> Option<String> {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let start = format!("{:x}-", of.as_ptr() as usize);
        let rest = &maps[maps.find(&start)?..];
        rest.lines().find_map(|line| line.strip_prefix("VmFlags:")).map(str::to_owned)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_is_locked_and_in_no_core_file() {
        let mut memory = LockedMemory::new(4096).unwrap();
        assert!(memory.iter().all(|byte| *byte == 0));
        memory[17..20].copy_from_slice(b"key");
        assert_eq!(&memory[16..21], b"\0key\0");
        let flags = flags(&memory).unwrap();
        for flag in [" lo", " dd"] {
            assert!(flags.contains(flag), "{flag} in {flags}");
        }
    }
}
