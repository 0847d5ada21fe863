//! How long it takes to see what there is.

use super::amount::Amount;
use super::bench::{Bench, LONG, MIDDLING};
use super::figure::{Figure, Told};
use super::guest::Guest;
use super::machine::{Machine, done, user_name};
use super::peer::Kind;
use super::stopwatch::{Entrant, take_turns};

const SOME: usize = 500;

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (some, many) = (with_sessions(), bench.many());
    let guests: Vec<Guest> = Guest::all(bench).into_iter().filter(|guest| guest.kind == Kind::AwsCli).collect();
    let runs = bench.runs(MIDDLING);
    let mut entrants = vec![
        Entrant::program(runs, some.vault(&["list"])),
        Entrant::program(runs, some.vault(&["status"])),
        Entrant::program(runs, many.vault(&["list"])),
    ];
    for guest in &guests {
        guest.write(".aws/config", &(0..SOME).map(plaintext_section).collect::<String>());
        entrants.push(Entrant::program(bench.runs(LONG), guest.command(&["configure", "list-profiles"])));
    }
    take_turns(&mut entrants);
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    let others = guests.iter().zip(&times[3..]).map(|(guest, time)| guest.told(Told::Measured(*time)));
    vec![
        Figure::new("`vault list` of 500 profiles with sessions, unlocked", times[0])
            .at_most(Amount::of_milliseconds(10.0))
            .beside(others),
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

/// Of `~/.aws/config`.
pub fn plaintext_section(n: usize) -> String {
    format!("[profile {}]\nregion = eu-central-1\n", user_name(n))
}
