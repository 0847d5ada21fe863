//! A stack that holds no secrets once they are dropped. What is wiped on drop was copied on its way: a key that is returned
//! by value is in the frames of every function that it came through, and nothing wipes those when they return.

use std::{panic, thread};

use super::allocator::is_read_here;

/// Deeper than parsing a vault and signing it go, unoptimised too; little beside what a thread has.
const DEPTH: usize = 128 * 1024;

/// Does the work, and then wipes the stack that it was done on.
pub fn leaving_no_trace<T>(work: impl FnOnce() -> T) -> T {
    leaving_no_trace_within::<DEPTH, T>(work)
}

/// The same for work that goes less deep. A page of stack that was never used has to be got from the system before it can be
/// wiped: 32 of them are a good part of what handing out one session takes.
pub fn leaving_no_trace_within<const DEPTH: usize, T>(work: impl FnOnce() -> T) -> T {
    let value = in_frames_below(work);
    wipe_below::<DEPTH>();
    value
}

/// Does the one on a second thread, whose stack is wiped too, and the other here meanwhile. Where there can't be another
/// thread, this one does both.
pub fn at_once<A: Send, B>(there: impl Fn() -> A + Sync, here: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, || leaving_no_trace(&there));
        let here = here();
        let there =
            other.map_or_else(|_| there(), |other| other.join().unwrap_or_else(|why| panic::resume_unwind(why)));
        (there, here)
    })
}

/// Never inlined: inlined, what it calls would leave its traces in our caller's frame, which lies above what is wiped.
#[inline(never)]
fn in_frames_below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn wipe_below<const DEPTH: usize>() {
    let mut below = [0_u8; DEPTH];
    is_read_here(below.as_mut_ptr());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what is left where another function's frame was; the compiler knows no such thing, so it is asked of the system.
    fn stack_has(pattern: &[u8; 32]) -> bool {
        use std::os::unix::fs::FileExt;
        let here = std::hint::black_box(0_u8);
        let top = std::ptr::from_ref(&here) as u64;
        let mut below = vec![0_u8; 64 * 1024];
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut below, top - 64 * 1024).unwrap();
        // Every second byte only, so that the frames of this function never hold the pattern itself.
        let looks_like = |window: &[u8]| window.iter().zip(pattern).step_by(2).all(|(a, b)| *a == b ^ 0xff);
        below.windows(32).any(looks_like)
    }

    #[inline(never)]
    fn leave_a_trace(masked: &[u8; 32]) -> u8 {
        let mut frame = [0_u8; 4096];
        for (at, byte) in masked.iter().enumerate() {
            frame[1024 + at] = byte ^ 0xff;
        }
        std::hint::black_box(&mut frame)[1040]
    }

    #[test]
    fn what_the_work_leaves_in_its_frames_is_gone() {
        let masked: [u8; 32] = std::array::from_fn(|at| (7 * at + 3) as u8);
        leave_a_trace(&masked);
        assert!(stack_has(&masked), "the search finds nothing");
        leaving_no_trace(|| leave_a_trace(&masked));
        assert!(!stack_has(&masked));
    }
}
