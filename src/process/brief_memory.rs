//! The heap of a program that is over in a millisecond: blocks stand one behind the other in one piece, and only the last of them
//! is given out anew. What an allocator does that finds room again for what was freed takes a tenth of such a program's time: there
//! are lists to set up, and for each size of block other pages to touch.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Of the program's own memory, which the system gives only as far as it is touched. What does not fit, the system's allocator
/// has.
const SIZE: usize = 256 << 10;

/// No block may ask for more.
const ALIGNMENT: usize = 4096;

/// That of this program; nobody takes anything from it until it is turned on.
pub static BRIEF: BriefMemory = BriefMemory::new();

/// All that is free in it is zero: nobody has written there yet, or it was wiped. And all of it is zero in the beginning, which
/// takes no room in the program's file.
#[repr(C, align(4096))]
pub struct BriefMemory {
    bytes: UnsafeCell<[u8; SIZE]>,
    is_on: AtomicBool,
    /// From there on it is free.
    free: AtomicUsize,
}

// SAFETY: none of its bytes is read or written here; each goes to one owner at a time, since `free` changes in one step. What an
// owner wrote last, the wiping, has happened before the next one has them: who moves `free` back releases what they did, and who
// moves it on acquires that.
unsafe impl Sync for BriefMemory {}

impl BriefMemory {
    const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; SIZE]), free: AtomicUsize::new(0), is_on: AtomicBool::new(false) }
    }

    /// For the start of a program.
    pub fn turn_on(&self) {
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// What was taken stays good.
    pub fn turn_off(&self) {
        self.is_on.store(false, Ordering::Relaxed);
    }

    /// Zeros; None where there is no such room.
    pub fn take(&self, layout: Layout) -> Option<*mut u8> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let start = |free: usize| free.checked_next_multiple_of(layout.align()).filter(|_| layout.align() <= ALIGNMENT);
        let end = |free: usize| start(free)?.checked_add(layout.size()).filter(|end| *end <= SIZE);
        let free = self.free.fetch_update(Ordering::Acquire, Ordering::Acquire, end).ok()?;
        start(free).map(|start| self.bytes.get().cast::<u8>().wrapping_add(start))
    }

    /// Whether a block was from here; it must be wiped.
    pub fn give_back(&self, block: *mut u8, layout: Layout) -> bool {
        let start = block.addr().wrapping_sub(self.bytes.get().addr());
        if start >= SIZE {
            return false;
        }
        // Where another stands behind it, it stays as it is.
        let _ = self.free.compare_exchange(start + layout.size(), start, Ordering::Release, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on() -> Box<BriefMemory> {
        let memory = Box::new(BriefMemory::new());
        memory.turn_on();
        memory
    }

    fn of(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn only_the_last_block_is_given_out_anew() {
        let memory = on();
        let [first, second] = [of(24, 8), of(5, 1)].map(|layout| memory.take(layout).unwrap());
        assert_eq!(second.addr(), first.addr() + 24);
        assert!(memory.give_back(first, of(24, 8)));
        let third = memory.take(of(8, 8)).unwrap();
        assert_eq!(third.addr(), first.addr() + 32, "behind the second, where a number of eight bytes may stand");
        assert!(memory.give_back(third, of(8, 8)));
        assert_eq!(memory.take(of(16, 16)).unwrap(), third);
    }

    #[test]
    fn what_does_not_fit_is_left_to_others() {
        let memory = on();
        for layout in [of(SIZE + 1, 1), of(1, 2 * ALIGNMENT), of(usize::MAX >> 1, 1)] {
            assert_eq!(memory.take(layout), None, "{layout:?}");
        }
        let all = memory.take(of(SIZE, ALIGNMENT)).unwrap();
        assert_eq!(memory.take(of(1, 1)), None);
        assert!(memory.give_back(all, of(SIZE, ALIGNMENT)));
        assert_eq!(memory.take(of(1, 1)), Some(all));
        let foreign = Box::into_raw(Box::new(7_u8));
        assert!(!memory.give_back(foreign, of(1, 1)));
        // SAFETY: it was made of a box above, and nobody else has it.
        assert_eq!(*unsafe { Box::from_raw(foreign) }, 7);
    }

    #[test]
    fn before_it_is_turned_on_it_has_nothing_and_later_it_starts_no_second_time() {
        let memory = Box::new(BriefMemory::new());
        assert_eq!(memory.take(of(1, 1)), None);
        memory.turn_on();
        let first = memory.take(of(1, 1)).unwrap();
        memory.take(of(SIZE - 1, 1)).unwrap();
        memory.turn_on();
        assert_eq!(memory.take(of(1, 1)), None);
        assert!(memory.give_back(first, of(1, 1)));
    }

    #[test]
    fn once_it_is_turned_off_it_gives_nothing_more_and_takes_back_what_it_gave() {
        let memory = on();
        let block = memory.take(of(8, 8)).unwrap();
        memory.turn_off();
        assert_eq!(memory.take(of(8, 8)), None);
        assert!(memory.give_back(block, of(8, 8)));
    }

    #[test]
    fn many_threads_never_get_the_same_bytes() {
        let memory = on();
        std::thread::scope(|scope| {
            for number in 1..=8_u8 {
                let memory = &memory;
                scope.spawn(move || {
                    for _ in 0..300 {
                        let kept = memory.take(of(16, 16)).unwrap();
                        // SAFETY: sixteen bytes that were given out to this thread alone, which is what is tested.
                        unsafe { kept.write_bytes(number, 16) };
                        let brief = memory.take(of(32, 8)).unwrap();
                        assert!(memory.give_back(brief, of(32, 8)));
                        // SAFETY: as above.
                        let bytes = unsafe { std::slice::from_raw_parts(kept, 16) };
                        assert!(bytes.iter().all(|byte| *byte == number));
                    }
                });
            }
        });
    }
}
