//! How long programs wait for a session that is there: `cargo bench --bench hot_path`. Prints the table that the README
//! carries, and, where the tools for it are on PATH, what one such run asks of the machine. Whole processes, from start to
//! exit; one run of each after the other, so that whatever else the machine does meets all of them.

mod machine;
mod toll;

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sim::{Role, Simulator, Trust};
use machine::{ACCOUNT, Machine};

const RUNS: usize = 400;
/// Of what takes a hundred times as long.
const SLOW_RUNS: usize = 10;
const MANY: usize = 10_000;

/// What is measured.
struct Row {
    what: &'static str,
    goal: &'static str,
    runs: usize,
    command: Command,
    times: Vec<Duration>,
}

impl Row {
    fn new(what: &'static str, goal: &'static str, command: Command) -> Self {
        Self { what, goal, runs: RUNS, command, times: Vec::new() }
    }

    fn slow(self) -> Self {
        Self { runs: SLOW_RUNS, ..self }
    }

    fn time(&mut self) {
        let started = Instant::now();
        let status = self.command.status().expect("the program starts");
        self.times.push(started.elapsed());
        assert!(status.success(), "{}: {status}", self.what);
    }

    /// What so many tenths of the runs stay within.
    fn within(&self, tenths: usize) -> f64 {
        self.times[(self.times.len() - 1) * tenths / 10].as_secs_f64() * 1e3
    }
}

fn main() {
    let aws = Simulator::start();
    let role = aws.add_role(Role::new(ACCOUNT, "peer", Trust::of(ACCOUNT)));
    let (one, many) = (Machine::new(&aws, "one", 1), Machine::new(&aws, "many", MANY));
    let mut rows = vec![
        Row::new("*floor: `/bin/true`*", "", one.unlocked("/bin/true", &[])),
        Row::new("`vault --version`", "", one.vault(&["--version"])),
        Row::new("`vault credential-process`, 1 profile", "1.0 ms", one.vault(&["credential-process", "prod"])),
        Row::new("the same among 10,000 profiles", "as at 1", many.vault(&["credential-process", "prod"])),
        Row::new("`vault env`", "", one.vault(&["env", "prod"])),
        Row::new("`vault get`", "", one.vault(&["get", "prod", "expiration"])),
        Row::new("`vault exec -- /bin/true`", "", one.vault(&["exec", "prod", "--", "/bin/true"])),
        Row::new("`vault list` without an agent: opens the vault, by an identity", "5 ms", one.opening(&["list"])),
    ];
    match one.cached_by_the_aws_cli(&role) {
        Some(peer) => {
            rows.push(Row::new("*peer: `aws sts get-caller-identity`, its session cached too*", "", peer).slow())
        }
        None => println!("aws is not on PATH: no comparison\n"),
    }
    for round in 0..RUNS {
        rows.iter_mut().filter(|row| round % (RUNS / row.runs) == 0).for_each(Row::time);
    }
    println!("| whole program | goal | median | nine of ten within |");
    println!("|---|---|---:|---:|");
    for row in &mut rows {
        row.times.sort();
        println!("| {} | {} | {:.2} ms | {:.2} ms |", row.what, row.goal, row.within(5), row.within(9));
    }
    println!("\n| of one run | system calls | instructions | page faults |\n|---|---:|---:|---:|");
    for row in rows.iter().filter(|row| row.runs == RUNS) {
        let [calls, instructions, faults] = toll::of(&row.command);
        println!("| {} | {calls} | {instructions} | {faults} |", row.what);
    }
    println!("\nrelocations of the program: {}", toll::relocations());
}
