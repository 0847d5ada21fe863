//! The real program, killed in the middle of rotations: each with a machine of its own, all at once, since a proof takes its
//! twenty seconds.

use std::thread;
use std::time::Duration;

use aws_sim::{Failure, Kind, Status};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Case, Output, Running};
use crate::waiting;

/// When it happens: while the reply to this call, the nth of its action, is held back.
type Moment = (&'static str, usize);

/// Long enough that the reply never comes in time.
const HELD_BACK: Duration = Duration::from_secs(9);

/// Every call of a rotation that changes something, and one of each kind that looks.
const MOMENTS: [Moment; 9] = [
    ("GetCallerIdentity", 1),
    ("ListAccessKeys", 2),
    ("GetAccessKeyLastUsed", 1),
    ("UpdateAccessKey", 1),
    ("CreateAccessKey", 1),
    ("GetCallerIdentity", 2),
    ("GetCallerIdentity", 4),
    ("UpdateAccessKey", 2),
    ("ListAccessKeys", 9),
];

/// Each in a thread of its own. The first panic is the test's.
pub fn at_once<T: Send + Sync>(all: &[T], each: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        let threads: Vec<_> = all.iter().map(|one| scope.spawn(|| each(one))).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

fn rotate<'a>(case: &'a Case, flags: &[&str]) -> Running<'a> {
    let code = case.phone.code();
    let words = [&["rotate", "prod", "--mfa-code", &code], flags].concat();
    case.vault(&words).start()
}

/// Waits until AWS has had so many requests of the action, and the program waits for the reply or for time to pass.
fn reached(case: &Case, (action, nth): Moment) {
    waiting::until(format_args!("{action} {nth}"), || case.sim.count(action) >= nth);
}

fn send(running: &Running, signal: Signal) {
    kill_process(Pid::from_raw(running.id().cast_signed()).unwrap(), signal).unwrap();
}

/// A rotation that gets this signal at that moment.
fn struck_at(case: &Case, (action, nth): Moment, signal: Signal) -> Output {
    case.sim.fail(Failure::on(action).nth(nth).kind(Kind::Delay(HELD_BACK)));
    let running = rotate(case, &[]);
    reached(case, (action, nth));
    send(&running, signal);
    let output = running.finish();
    case.sim.stop_failing();
    output
}

/// What was left is resumed, and by what the vault holds a session is made.
fn goes_on(case: &Case) {
    // Longer than a list may lag behind a call: what has to be waited for is over.
    case.sim.advance(Duration::from_secs(120));
    let mut output = rotate(case, &["--resume"]).finish();
    if output.status.code() == Some(8) {
        let named = output.err.split("--delete-key ").nth(1).and_then(|rest| rest.split('`').next());
        let named = named.unwrap_or_else(|| panic!("no key is named: {}", output.err)).to_owned();
        output = rotate(case, &["--delete-key", &named]).finish();
    }
    output.succeeds();
    let keys = case.sim.access_keys(&case.alice);
    assert!(keys.len() <= 2, "{keys:?}");
    let code = case.phone.code();
    case.run(&["login", "prod", "--no-export", "--force", "--mfa-code", &code]).succeeds();
    let active: Vec<_> = keys.iter().filter(|key| key.status == Status::Active).collect();
    let shown = case.run(&["show", "prod"]);
    assert!(active.len() == 1 && shown.out.contains(&active[0].access_key_id), "{keys:?}\n{}", shown.out);
}

#[test]
#[ignore = "takes a minute of real time"]
fn a_rotation_that_is_killed_at_any_moment_is_resumed_and_loses_nothing() {
    at_once(&MOMENTS, |moment| {
        let case = Case::with_prod();
        struck_at(&case, *moment, Signal::KILL).dies_of(Signal::KILL);
        goes_on(&case);
    });
}

#[test]
#[ignore = "takes a minute of real time"]
fn a_rotation_that_is_asked_to_end_says_where_it_stands_and_is_resumed() {
    let moments = [("CreateAccessKey", 1), ("GetCallerIdentity", 2), ("UpdateAccessKey", 2)];
    let struck: Vec<(Moment, Signal)> =
        moments.into_iter().flat_map(|moment| [(moment, Signal::INT), (moment, Signal::TERM)]).collect();
    at_once(&struck, |(moment, signal)| {
        let case = Case::with_prod();
        // What is under way is ended: the reply comes a moment later.
        case.sim.fail(Failure::on(moment.0).nth(moment.1).kind(Kind::Delay(Duration::from_secs(2))));
        let running = rotate(&case, &[]);
        reached(&case, *moment);
        send(&running, *signal);
        let output = running.finish();
        output.exits(7).stderr_has("vault: error: rotation of `prod` stopped after");
        output.stderr_has("interrupted\nvault: hint: run `vault rotate prod --resume`\n");
        goes_on(&case);
    });
}

/// While a rotation runs, another of the same user does nothing.
#[test]
#[ignore = "takes half a minute of real time"]
fn a_second_rotation_of_the_user_leaves_the_first_alone() {
    let case = Case::with_prod();
    let first = rotate(&case, &[]);
    reached(&case, ("GetCallerIdentity", 2));
    let second = rotate(&case, &[]).finish();
    second.refuses(1, &format!("prod: another rotation of this user is running (process {})", first.id()));
    first.finish().succeeds();
    assert_eq!(case.sim.count("CreateAccessKey"), 1);
    goes_on(&case);
}
