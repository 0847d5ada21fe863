//! How long it takes to get a session from STS by an MFA code, from nothing. Ours is opened by an identity: what a passphrase
//! adds is told beside it, and is what a guess costs.

use std::process::Stdio;

use super::amount::Amount;
use super::bench::{Bench, LONG};
use super::figure::{Figure, Told};
use super::guest::Guest;
use super::machine::Machine;
use super::stopwatch::{Entrant, finished, take_turns};

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let machine = Machine::new(0);
    let mut guests = Guest::all(bench);
    let runs = bench.runs(LONG);
    let mut entrants = vec![Entrant::new(runs, || {
        let (name, phone) = machine.add_another_user();
        let mut login = machine.opening(&["login", &name, "--mfa-code", &phone.code()]);
        finished(login.stderr(Stdio::null()))
    })];
    entrants.extend(guests.iter_mut().map(|guest| {
        Entrant::new(runs, || {
            guest.next_person();
            guest.signs_in(&guest.code()).timed()
        })
    }));
    take_turns(&mut entrants);
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    drop(entrants);
    let others: Vec<_> =
        guests.iter().zip(&times[1..]).map(|(guest, time)| guest.told(Told::Measured(*time))).collect();
    vec![
        Figure::new("cold `vault login`, less the KDF", times[0])
            .at_most(Amount::of_milliseconds(15.0))
            .beside(others.into_iter().chain(Guest::not_led(bench))),
    ]
}
