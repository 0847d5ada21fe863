//! How long it takes to rotate many keys, beside the least that it could take: against a simulated AWS whose every answer takes
//! 50 ms. A new key is tried for 20 seconds, as always; of many keys one is tried while others are made.

use std::process::Stdio;
use std::time::Duration;

use aws_sim::{Failure, Kind, Status};

use super::amount::Amount;
use super::bench::Bench;
use super::figure::Figure;
use super::machine::Machine;
use super::stopwatch::finished;

const KEYS: usize = 1_000;
const WHAT: &str = "`vault rotate --all` of 1,000 keys, 50 ms a call";
const ANSWER: Duration = Duration::from_millis(50);
/// Calls at once.
const AT_ONCE: u32 = 20;
/// Three rounds of trying the new key, ten seconds apart.
const PROOF: Duration = Duration::from_secs(20);

pub fn measure(bench: &Bench) -> Vec<Figure> {
    if bench.quick {
        return vec![Figure::left_out(WHAT, "it takes a minute")];
    }
    let machine = Machine::new(KEYS);
    machine.aws.fail(Failure::on_every_action().kind(Kind::Delay(ANSWER)).lasting());
    let took = finished(machine.opening(&["rotate", "--all"]).stderr(Stdio::null()));
    machine.aws.stop_failing();
    let calls = machine.aws.requests().len();
    let least = ANSWER * u32::try_from(calls).unwrap_or(u32::MAX) / AT_ONCE + PROOF;
    let lost = machine.users.iter().filter(|user| !has_a_new_key(&machine, user)).count();
    vec![
        Figure::new(WHAT, Amount::seconds(took))
            .at_most(Amount::seconds(least).times(1.2))
            .goal_told(format!("≤ 1.2 x {}: {calls} calls, 20 at once, and 20 s of trying", Amount::seconds(least))),
        Figure::new("the same: users without a new key that works", Amount::pieces(lost)).at_most(Amount::pieces(0)),
    ]
}

/// And the old one is off.
fn has_a_new_key(machine: &Machine, user: &aws_sim::User) -> bool {
    let statuses: Vec<Status> = machine.aws.access_keys(user).iter().map(|key| key.status).collect();
    statuses == [Status::Inactive, Status::Active]
}
