//! A heap that wipes every block it frees. Parsing and encoding leave copies of secrets in places no type of ours reaches
//! (a TOML parser's buffers, a vector that grew): with this they last no longer than the block.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, wiping on free. Growing a block allocates, copies and frees, so the old one is wiped too.
pub struct ZeroOnFree;

// SAFETY: every block comes from and goes back to `System` with the layout it was asked for; between, only memory of that
// block is written, after its owner has given it up.
unsafe impl GlobalAlloc for ZeroOnFree {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is System's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for alloc.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `layout.size()` bytes long and its owner has given it up.
        unsafe { block.write_bytes(0, layout.size()) };
        is_read_here(block);
        // SAFETY: as for alloc.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Lets the heap keep what is freed, which was wiped, for what is allocated next. A vault of ten thousand profiles passes
/// through a dozen buffers of megabytes; given back to the system and asked for again, each would cost a thousand page faults.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed_memory() {
    const MOST: libc::c_int = 64 << 20;
    // The most that glibc takes here. Argon2's memory is more, and goes back at once.
    const SINGLE: libc::c_int = 32 << 20;
    // SAFETY: both only set a number of the C library's allocator; where it takes none, it goes on as before.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, MOST);
        libc::mallopt(libc::M_MMAP_THRESHOLD, SINGLE);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}

/// Keeps what was written before. A compiler knows that nobody can read what is freed next, and would drop the wiping. An
/// assembly block that may read all memory forbids it. Volatile writes would too, byte by byte: 20 times slower over
/// Argon2's matrix.
#[inline(always)]
pub(super) fn is_read_here(block: *mut u8) {
    // SAFETY: no instruction is executed, no register or memory is changed.
    unsafe { std::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly)) };
}
