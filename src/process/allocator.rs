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

/// Keeps what was written before. A compiler knows that nobody can read what is freed next, and would drop the wiping. An
/// assembly block that may read all memory forbids it. Volatile writes would too, byte by byte: 20 times slower over
/// Argon2's matrix.
#[inline(always)]
pub(super) fn is_read_here(block: *mut u8) {
    // SAFETY: no instruction is executed, no register or memory is changed.
    unsafe { std::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly)) };
}
