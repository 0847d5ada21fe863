//! A heap that wipes every block it frees. Parsing and encoding leave copies of secrets in places no type of ours reaches
//! (a TOML parser's buffers, a vector that grew): with this they last no longer than the block.

use std::alloc::{GlobalAlloc, Layout, System};

use zeroize::Zeroize;

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
        // SAFETY: the block is `layout.size()` bytes long and its owner has given it up. `zeroize` writes volatile, so the
        // compiler may not drop it as dead.
        unsafe { std::slice::from_raw_parts_mut(block, layout.size()) }.zeroize();
        // SAFETY: as for alloc.
        unsafe { System.dealloc(block, layout) }
    }
}
