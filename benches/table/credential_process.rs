//! How long AWS tools wait for a session that is there.

use std::process::Command;

use super::amount::Amount;
use super::bench::{Bench, LONG, SHORT};
use super::figure::{Figure, Told};
use super::guest::Guest;
use super::machine::{Machine, QUICK};
use super::packaged;
use super::stopwatch::{Entrant, take_turns};

const ASK: [&str; 2] = ["credential-process", "prod"];
/// How much longer the same may take among many profiles and still be the same.
const NOISE: f64 = 1.1;

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (one, many, guests) = (Machine::signed_in(1), bench.many(), Guest::all(bench));
    let theirs: Vec<(&Guest, Command)> =
        guests.iter().filter_map(|guest| Some((guest, guest.has_session()?))).collect();
    let asked_before: Vec<usize> = theirs.iter().map(|(guest, _)| guest.sessions_asked_for()).collect();
    let quick = packaged::quick();
    let ours = [
        one.command("/bin/true", &[]),
        one.command(&quick, &ASK),
        many.command(&quick, &ASK),
        one.command(QUICK, &ASK),
        one.vault(&ASK),
    ];
    let ours_end = ours.len();
    let mut entrants: Vec<Entrant> = ours.map(|command| Entrant::program(bench.runs(SHORT), command)).into();
    let (guests, commands): (Vec<_>, Vec<_>) = theirs.into_iter().unzip();
    entrants.extend(commands.into_iter().map(|command| Entrant::program(bench.runs(LONG), command)));
    take_turns(&mut entrants);
    for (guest, before) in guests.iter().zip(asked_before) {
        assert_eq!(guest.sessions_asked_for(), before, "{} had no session", guest.kind.name());
    }
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    let others = guests.iter().zip(&times[ours_end..]).map(|(guest, time)| guest.told(Told::Measured(*time)));
    vec![
        Figure::new("*floor: `/bin/true`*", times[0]),
        Figure::new("`vault-quick credential-process`, as AWS tools ask: unlocked, its session cached", times[1])
            .at_most(Amount::of_milliseconds(1.0))
            .beside(others.chain(Guest::not_led(bench))),
        Figure::new("the same among 10,000 profiles", times[2])
            .at_most(times[1].times(NOISE))
            .goal_told("as at 1, and a tenth for noise"),
        Figure::new("the same as `cargo install` makes it", times[3]),
        Figure::new("the same by `vault` itself", times[4]),
    ]
}
