//! A closer look at how long programs wait for a session that is there, and at what one such run asks of the machine, where the
//! tools that count it are on PATH.

use std::process::Command;

use super::bench::{MANY, SHORT};
use super::machine::{Machine, QUICK};
use super::packaged;
use super::stopwatch::{Entrant, take_turns};
use super::toll;

/// Makes the same command each time.
type Starter<'a> = Box<dyn Fn() -> Command + 'a>;

pub fn show() {
    let quick = packaged::quick();
    let (one, many) = (Machine::signed_in(1), Machine::signed_in(MANY));
    let runs: [(&str, Starter); 10] = [
        ("*floor: `/bin/true`*", Box::new(|| one.command("/bin/true", &[]))),
        ("`vault --version`", Box::new(|| one.vault(&["--version"]))),
        ("`vault-quick credential-process`", Box::new(|| one.command(&quick, &["credential-process", "prod"]))),
        ("the same as `cargo install` makes it", Box::new(|| one.command(QUICK, &["credential-process", "prod"]))),
        ("`vault credential-process`", Box::new(|| one.vault(&["credential-process", "prod"]))),
        ("`vault credential-process` among 10,000 profiles", Box::new(|| many.vault(&["credential-process", "prod"]))),
        ("`vault env`", Box::new(|| one.vault(&["env", "prod"]))),
        ("`vault get`", Box::new(|| one.vault(&["get", "prod", "expiration"]))),
        ("`vault exec -- /bin/true`", Box::new(|| one.vault(&["exec", "prod", "--", "/bin/true"]))),
        ("`vault list`, by an identity", Box::new(|| one.opening(&["list"]))),
    ];
    let mut entrants: Vec<Entrant> = runs.iter().map(|(_, command)| Entrant::program(SHORT, command())).collect();
    take_turns(&mut entrants);
    println!("| whole program | median | nine of ten within | system calls | instructions | page faults |");
    println!("|---|---:|---:|---:|---:|---:|");
    for ((what, command), entrant) in runs.iter().zip(&entrants) {
        let [median, most] = [entrant.median(), entrant.within(9)].map(|time| time.as_secs_f64() * 1e3);
        let [calls, instructions, faults] = toll::of(&command());
        println!("| {what} | {median:.2} ms | {most:.2} ms | {calls} | {instructions} | {faults} |");
    }
    println!("\nrelocations of the program: {}", toll::relocations());
}
