//! So many calls to AWS at a time, and no more. Who waits for the vault takes nobody's place.

use std::sync::{Condvar, Mutex};

pub struct Calls {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The place of one who calls, until this is dropped.
pub struct Place<'c>(&'c Calls);

impl Calls {
    pub fn at_once(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    /// Waits for a place. Whoever decides what to send has one already: what is decided now must not be sent in a minute.
    pub fn place(&self) -> Place<'_> {
        self.take();
        Place(self)
    }

    /// For somebody with a place who waits for something else: the place is another's meanwhile.
    pub fn aside<R>(&self, wait: impl FnOnce() -> R) -> R {
        let _back = Back::of(self);
        wait()
    }

    fn take(&self) {
        let free = self.free.lock().expect(NO_PANIC);
        *self.freed.wait_while(free, |free| *free == 0).expect(NO_PANIC) -= 1;
    }

    fn give(&self) {
        *self.free.lock().expect(NO_PANIC) += 1;
        self.freed.notify_one();
    }
}

const NO_PANIC: &str = "nothing panics while it counts";

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.give();
    }
}

/// Has given its place away, and takes one again, also if what it waited for panics.
struct Back<'c>(&'c Calls);

impl<'c> Back<'c> {
    fn of(calls: &'c Calls) -> Self {
        calls.give();
        Self(calls)
    }
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests;
