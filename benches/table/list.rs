//! How long it takes to see what there is.

use std::process::Stdio;

use super::amount::Amount;
use super::bench::{Bench, MIDDLING};
use super::figure::Figure;
use super::machine::{Machine, done, user_name};
use super::stopwatch::{Entrant, take_turns};

const SOME: usize = 500;

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (some, many) = (with_sessions(), bench.many());
    let runs = bench.runs(MIDDLING);
    let mut status = some.vault(&["status"]);
    // Where it says which vault it is.
    status.stderr(Stdio::null());
    let mut entrants = [
        Entrant::program(runs, some.vault(&["list"])),
        Entrant::program(runs, status),
        Entrant::program(runs, many.vault(&["list"])),
    ];
    take_turns(&mut entrants);
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    vec![
        Figure::new("`vault list` of 500 profiles with sessions, unlocked", times[0])
            .at_most(Amount::of_milliseconds(10.0)),
        Figure::new("`vault status` of the same: their sessions too", times[1]),
        Figure::new("`vault list` of 10,000 profiles, unlocked", times[2]).at_most(Amount::of_milliseconds(120.0)),
    ]
}

fn with_sessions() -> Machine {
    let (machine, _) = Machine::unlocked(SOME);
    let names: Vec<String> = (0..SOME - 1).map(user_name).collect();
    let words: Vec<&str> = ["login", "prod"].into_iter().chain(names.iter().map(String::as_str)).collect();
    done(&mut machine.vault(&[&words[..], &["--no-export", "--no-mfa"]].concat()), "");
    machine
}
