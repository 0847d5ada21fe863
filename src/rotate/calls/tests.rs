use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn never_more_call_at_a_time_also_where_they_step_aside_between() {
    let (calls, calling, most) = (Calls::at_once(3), AtomicUsize::new(0), AtomicUsize::new(0));
    let call = || {
        most.fetch_max(calling.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        calling.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let _place = calls.place();
                    call();
                    calls.aside(thread::yield_now);
                    call();
                }
            });
        }
    });
    assert!((2..=3).contains(&most.into_inner()));
    assert_eq!(*calls.free.lock().unwrap(), 3);
}

#[test]
fn who_waits_for_something_else_has_given_the_place_away() {
    let calls = Calls::at_once(1);
    let (called, has_called) = channel();
    thread::scope(|scope| {
        let _place = calls.place();
        scope.spawn(|| {
            let _place = calls.place();
            called.send(()).unwrap();
        });
        calls.aside(|| has_called.recv().unwrap());
    });
    assert_eq!(*calls.free.lock().unwrap(), 1);
}

#[test]
fn a_panic_while_waiting_leaves_the_count_right() {
    let calls = Calls::at_once(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _place = calls.place();
        calls.aside(|| panic!("on purpose"));
    }));
    assert!(panicked.is_err());
    assert_eq!(*calls.free.lock().unwrap(), 1);
}
