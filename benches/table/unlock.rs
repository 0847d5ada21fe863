//! How long it takes to open a vault, beyond what a passphrase costs on purpose.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use vault::secret::Passphrase;
use vault::store::passphrase::{self, Cost};

use super::amount::Amount;
use super::bench::{Bench, LONG, MIDDLING};
use super::figure::{Figure, Other, Told};
use super::machine::{Machine, PASSPHRASE, PROGRAM, done};
use super::packaged;
use super::peer::Kind;
use super::stopwatch::{Entrant, finished, median, take_turns};

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (machine, _) = Machine::unlocked(1);
    let runs = bench.runs(MIDDLING);
    let packaged = packaged::vault(&machine);
    let starts_agent = |program: &Path| {
        let (program, machine) = (program.to_owned(), &machine);
        Entrant::new(runs, move || {
            done(&mut machine.vault(&["agent", "stop"]), "");
            finished(&mut machine.unlock_by(&program))
        })
    };
    let mut entrants = vec![
        starts_agent(&packaged),
        starts_agent(Path::new(PROGRAM)),
        Entrant::program(runs, machine.opening(&["list"])),
    ];
    let age = bench.peers.iter().find(|peer| peer.kind == Kind::Age).and_then(|peer| peer.program.as_ref());
    entrants.extend(age.map(|age| Entrant::program(runs, decrypt(&machine, machine.command(age, &[])))));
    take_turns(&mut entrants);
    let times: Vec<Amount> = entrants.iter().map(|entrant| Amount::milliseconds(entrant.median())).collect();
    let age = times.get(3).map(|time| Other { name: Kind::Age.name(), told: Told::Measured(*time) });
    let most = Amount::of_milliseconds(5.0);
    let kdf = Amount::milliseconds(derivation(Cost::Standard, bench.runs(LONG)));
    vec![
        Figure::new("cold `vault unlock` beyond the KDF, the agent's start included", times[0]).at_most(most),
        Figure::new("the same as `cargo install` makes it", times[1]),
        Figure::new("`vault list` of a locked vault of 1 profile, without an agent and the KDF", times[2])
            .at_most(most)
            .beside(age),
        Figure::new("the KDF (`standard`), alone", kdf),
    ]
}

/// What stock age does with the same file and the same identity.
fn decrypt(machine: &Machine, mut age: Command) -> Command {
    let vault = machine.path(".local/share/vault/vault.age");
    age.arg("--decrypt").arg("--identity").arg(machine.path("recovery.txt")).arg(vault);
    age
}

/// What each guess of a passphrase costs.
pub fn derivation(cost: Cost, runs: usize) -> Duration {
    let passphrase = Passphrase::new(PASSPHRASE.to_owned());
    let parameters = cost.parameters().expect("the system has randomness");
    median(runs, || drop(passphrase::derive(&passphrase, &parameters, None).expect("there is memory")))
}
