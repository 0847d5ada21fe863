//! A heap that wipes every block it frees. Parsing and encoding leave copies of secrets in places no type of ours reaches
//! (a TOML parser's buffers, a vector that grew): with this they last no longer than the block.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::RangeInclusive;

use super::brief_memory::BRIEF;

/// The system's allocator, wiping on free; before it, where a program has that, the memory of one that is over soon. Growing a
/// block allocates, copies and frees, so the old one is wiped too.
pub struct ZeroOnFree;

// SAFETY: every block comes from and goes back to one of two allocators, each of which knows its own, with the layout it was asked
// for; between, only memory of that block is written, after its owner has given it up.
unsafe impl GlobalAlloc for ZeroOnFree {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BRIEF.take(layout).unwrap_or_else(|| {
            // SAFETY: the caller keeps GlobalAlloc's contract, which is System's.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        BRIEF.take(layout).unwrap_or_else(|| {
            // SAFETY: as for alloc.
            unsafe { System.alloc_zeroed(layout) }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `layout.size()` bytes long and its owner has given it up.
        unsafe { wipe(block, layout.size()) };
        if !BRIEF.give_back(block, layout) {
            // SAFETY: as for alloc.
            unsafe { System.dealloc(block, layout) }
        }
    }
}

/// Blocks of this size are the buffers of those who read and write in pieces; age's have 64 KiB, for a session of one.
const MOSTLY_EMPTY: RangeInclusive<usize> = 32 << 10..=128 << 10;

/// No page of ours is smaller.
const PAGE: usize = 4 << 10;

/// # Safety
///
/// The block is of this size, and nobody else's.
unsafe fn wipe(block: *mut u8, size: usize) {
    // To write to a page that nobody has used, the system has to find one first, which takes three times as long as to see
    // that it is empty.
    let step = if MOSTLY_EMPTY.contains(&size) { PAGE } else { size };
    for start in (0..size).step_by(step) {
        // SAFETY: `start` is less than `size`.
        let piece = unsafe { block.add(start) };
        let length = step.min(size - start);
        // SAFETY: the piece ends where the block does, or before.
        if step == size || unsafe { !is_zero(piece, length) } {
            // SAFETY: as above.
            unsafe { piece.write_bytes(0, length) };
        }
        is_read_here(piece);
    }
}

/// Eight bytes at a time: not every C library compares faster than one by one.
///
/// # Safety
///
/// So many bytes can be read there, and nobody else writes to them. Some may never have been written.
unsafe fn is_zero(piece: *mut u8, length: usize) -> bool {
    // SAFETY: no instruction is executed. What was never written is no value that Rust may look at; to the compiler this block may
    // have written all of it.
    unsafe { std::arch::asm!("/* {0} */", in(reg) piece, options(nostack, preserves_flags)) };
    // SAFETY: as the caller says, and written as above.
    let bytes = unsafe { std::slice::from_raw_parts(piece, length) };
    // SAFETY: eight bytes of any value are a number.
    let (before, numbers, after) = unsafe { bytes.align_to::<u64>() };
    before.iter().chain(after).all(|byte| *byte == 0) && numbers.iter().all(|number| *number == 0)
}

/// Keeps what was written before. A compiler knows that nobody can read what is freed next, and would drop the wiping. An
/// assembly block that may read all memory forbids it. Volatile writes would too, byte by byte: 20 times slower over
/// Argon2's matrix.
#[inline(always)]
pub(super) fn is_read_here(block: *mut u8) {
    // SAFETY: no instruction is executed, no register or memory is changed.
    unsafe { std::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_written_is_left_in_a_block_of_any_size() {
        for size in [1, PAGE - 1, PAGE, 32 << 10, (32 << 10) + 5, 64 << 10, 128 << 10, (128 << 10) + 1] {
            for written in [0, 1, size / 2, size - 1].map(|at| at.min(size - 1)) {
                let mut block = vec![0_u8; size];
                block[written] = 7;
                // SAFETY: the vector is so long, and nobody else's.
                unsafe { wipe(block.as_mut_ptr(), size) };
                assert!(block.iter().all(|byte| *byte == 0), "{written} of {size}");
            }
            let mut block = vec![7_u8; size];
            // SAFETY: as above.
            unsafe { wipe(block.as_mut_ptr(), size) };
            assert!(block.iter().all(|byte| *byte == 0), "{size}");
        }
    }
}
