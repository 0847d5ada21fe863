//! How much memory the agent needs to keep a vault unlocked.

use std::process::Stdio;

use super::amount::Amount;
use super::bench::{Bench, MIDDLING};
use super::figure::Figure;
use super::machine::{Machine, resident};
use super::stopwatch::finished;

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let machine = Machine::signed_in(1);
    for words in [&["list"][..], &["credential-process", "prod"], &["set", "prod", "region=eu-west-1"]] {
        for _ in 0..bench.runs(MIDDLING) {
            finished(machine.vault(words).stderr(Stdio::null()));
        }
    }
    let memory = Amount::memory(resident(machine.agent()));
    vec![Figure::new("the agent's memory, unlocked and idle, after some use", memory).at_most(Amount::memory(8 * 1024))]
}
