//! How the heap of the C library grows, where that is glibc's (malloc(3), mallopt(3)). A vault of ten thousand profiles passes
//! through 20,000 pages of it, and to get one from the system takes longer than to fill it.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub use of_glibc::{keep_freed_memory, make_room};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod of_glibc {
    use std::ffi::c_int;

    use rustix::mm::{Advice, madvise};

    /// What is freed was wiped, and is given out again.
    const KEPT: c_int = 128 << 20;

    /// The most that glibc takes for a block that is not mapped for itself alone. Argon2's memory is more, and goes back at once.
    const SINGLE: c_int = 32 << 20;

    /// By which the heap grows without being told (glibc's `DEFAULT_TOP_PAD`).
    const STEP: c_int = 128 << 10;

    /// More than a small heap has free, so that it has to grow; less than what is mapped for itself alone.
    const ASKED: usize = 256 << 10;

    /// Below this a command is over before large pages would have been worth it.
    const LEAST: usize = 4 << 20;

    /// Less than what is kept: else all of it would go back with the next block that is freed.
    const MOST: usize = 120 << 20;

    /// No system has larger ones, but for those that are asked for here.
    const PAGE: usize = 64 << 10;

    /// Lets the heap keep what is freed for what is allocated next, and gives a second thread no heap of its own: that would
    /// grow by a page at a time, with a system call for each that the first one's page faults wait for.
    pub fn keep_freed_memory() {
        for (option, value) in
            [(libc::M_TRIM_THRESHOLD, KEPT), (libc::M_MMAP_THRESHOLD, SINGLE), (libc::M_ARENA_MAX, 1)]
        {
            // SAFETY: it sets a number of the C library's allocator; where that takes none, it goes on as before.
            unsafe { libc::mallopt(option, value) };
        }
    }

    /// For so many bytes to come: the heap grows at once, and by pages of two megabytes where the system has them. Best effort.
    pub fn make_room(bytes: usize) {
        if bytes < LEAST {
            return;
        }
        let room = c_int::try_from(bytes.min(MOST)).unwrap_or(STEP);
        // SAFETY: it sets a number of the C library's allocator.
        unsafe { libc::mallopt(libc::M_TOP_PAD, room) };
        // SAFETY: nobody uses the block, which is given back below.
        let block = unsafe { libc::malloc(ASKED) };
        // SAFETY: an increment of zero moves nothing; it says where the heap ends.
        let end = unsafe { libc::sbrk(0) };
        let start = block.addr().next_multiple_of(PAGE);
        // What is mapped for itself alone, or is no block at all, stands elsewhere.
        if let Some(length) = end.addr().checked_sub(start).filter(|length| !block.is_null() && *length <= 2 * MOST) {
            // SAFETY: whatever stands there, the advice changes no byte of it.
            let _ = unsafe { madvise(block.with_addr(start), length, Advice::LinuxHugepage) };
        }
        // SAFETY: it is from malloc, or null; the number is what it was.
        unsafe {
            libc::free(block);
            libc::mallopt(libc::M_TOP_PAD, STEP);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn make_room(_bytes: usize) {}
