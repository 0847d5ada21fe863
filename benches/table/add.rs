//! How long it takes to add a profile where there are many.

use std::process::Stdio;

use super::amount::Amount;
use super::bench::{Bench, LONG, MANY, MIDDLING};
use super::figure::{Figure, Told};
use super::guest::Guest;
use super::machine::user_name;
use super::peer::Kind;
use super::stopwatch::{Entrant, take_turns};

const ROLE: &str = "arn:aws:iam::123456789012:role/admin";

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (many, source) = (bench.many(), user_name(0));
    let add = ["add", "one-more", "--replace", "--role-arn", ROLE, "--source-profile", &source];
    let mut ours = many.vault(&add);
    ours.stderr(Stdio::null());
    let guests: Vec<Guest> = Guest::all(bench).into_iter().filter(|guest| guest.kind == Kind::AwsCli).collect();
    let mut entrants = vec![Entrant::program(bench.runs(MIDDLING), ours)];
    for guest in &guests {
        guest.write(".aws/config", &(0..MANY).map(plaintext_section).collect::<String>());
        let set = guest.command(&["configure", "set", "role_arn", ROLE, "--profile", "one-more"]);
        entrants.push(Entrant::program(bench.runs(LONG), set));
    }
    take_turns(&mut entrants);
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    let others = guests.iter().zip(&times[1..]).map(|(guest, time)| guest.told(Told::Measured(*time)));
    vec![
        Figure::new("`vault add` of one role to 10,000 profiles, unlocked", times[0])
            .at_most(Amount::of_milliseconds(150.0))
            .beside(others),
    ]
}

/// Of `~/.aws/config`.
fn plaintext_section(n: usize) -> String {
    format!("[profile {}]\nregion = eu-central-1\n", user_name(n))
}
