//! The threads that Argon2's lanes are computed on.

use std::num::NonZero;
use std::thread::{Builder, available_parallelism};

use rayon::ThreadPoolBuilder;

use crate::process::leaving_no_trace;

/// Does the work with a thread for each lane, as far as there are processors for them. Where no thread can be had, which would
/// end the program in the middle of it, this one does all of it.
pub fn on_threads<T: Send>(lanes: u32, work: impl FnOnce() -> T + Send) -> T {
    let processors = available_parallelism().map_or(1, NonZero::get);
    let mut threads = Vec::new();
    let pool = ThreadPoolBuilder::new()
        .num_threads(processors.min(lanes as usize))
        .spawn_handler(|lane| {
            // What the lanes leave on their stacks lets the identity be computed on.
            threads.push(Builder::new().spawn(|| leaving_no_trace(|| lane.run()))?);
            Ok(())
        })
        .build();
    let done = match pool {
        Ok(pool) => pool.install(|| leaving_no_trace(work)),
        Err(_) => alone(work),
    };
    // Nothing of them is to be there after this.
    for thread in threads {
        let _ = thread.join();
    }
    done
}

fn alone<T>(work: impl FnOnce() -> T) -> T {
    // Refused where this thread is all of a pool already, which is as good.
    let _pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    leaving_no_trace(work)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rayon::iter::{IntoParallelIterator, ParallelIterator};

    use super::*;

    /// Who computed what.
    fn threads_of_lanes() -> Vec<std::thread::ThreadId> {
        (0..16).into_par_iter().map(|_| std::thread::current().id()).collect()
    }

    /// Counts the threads that have ended, to the last.
    struct Here;

    static ENDED: AtomicUsize = AtomicUsize::new(0);

    thread_local!(static HERE: Here = const { Here });

    impl Drop for Here {
        fn drop(&mut self) {
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn its_threads_are_gone_with_their_stacks_when_it_is_done() {
        for round in 1..=20 {
            let threads = on_threads(4, || rayon::broadcast(|_| HERE.with(|_| ())).len());
            assert_eq!(ENDED.load(Ordering::SeqCst), round * threads);
        }
    }

    #[test]
    fn without_a_pool_this_thread_does_all_lanes_as_often_as_it_has_to() {
        // A thread of its own: a pool of the thread that it is made on stays.
        std::thread::spawn(|| {
            let us = std::thread::current().id();
            for _ in 0..2 {
                assert_eq!(alone(threads_of_lanes), [us; 16]);
            }
            assert!(!on_threads(4, threads_of_lanes).contains(&us));
        })
        .join()
        .unwrap();
    }
}
