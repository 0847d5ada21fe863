//! What this program promises of its speed and size, beside programs that do the same: `cargo bench --bench table`. All of it
//! in one run on one machine, against a simulated AWS on it; whole programs, from start to exit, unless it says otherwise.
//!
//! `-- --quick` leaves out what takes a minute; `-- login list` is those figures alone; `-- growth` and `-- hot-path` are closer
//! looks that the table has no room for. `-- --install-peers` gets the programs of others, into `target/peers`.

mod add;
mod agent;
mod amount;
mod bench;
mod callers;
mod credential_process;
mod endpoint;
mod figure;
mod growth;
mod guest;
mod hot_path;
mod list;
mod login;
mod machine;
mod packaged;
mod peer;
mod rotation;
mod size;
mod stopwatch;
mod synced_disk;
mod toll;
mod unlock;
mod wishes;

use std::env;
use std::process::ExitCode;

use bench::Bench;
use figure::Figure;
use wishes::{Topic, Wishes};

fn main() -> ExitCode {
    let wishes = match Wishes::of(env::args().skip(1)) {
        Ok(wishes) => wishes,
        Err(unknown) => {
            eprintln!("`{unknown}` is nothing that can be measured; {}", Wishes::known());
            return ExitCode::from(2);
        }
    };
    if wishes.install_peers {
        peer::install();
        return ExitCode::SUCCESS;
    }
    let bench = Bench::new(wishes.quick);
    let mut figures = Vec::new();
    for topic in &wishes.topics {
        eprintln!("{} ...", topic.name());
        match topic {
            Topic::Figures(_, measure) => figures.extend(measure(&bench)),
            Topic::Look(_, show) => show(),
        }
    }
    if !figures.is_empty() {
        print_table(&figures, &bench);
    }
    ExitCode::SUCCESS
}

fn print_table(figures: &[Figure], bench: &Bench) {
    println!("| figure | goal | vault | met | others (ours by theirs) |");
    println!("|---|---|---:|---|---|");
    figures.iter().for_each(|figure| println!("{figure}"));
    println!();
    bench.peers.iter().for_each(|peer| println!("- {peer}"));
}
