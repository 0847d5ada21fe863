//! What a run asks of the machine, counted by tools that may be there.

use std::process::{Command, Stdio};

use super::machine::PROGRAM;

const MISSING: &str = "-";

/// System calls, instructions and page faults.
pub fn of(command: &Command) -> [String; 3] {
    [system_calls(command), instructions(command), page_faults(command)]
        .map(|count| count.unwrap_or(MISSING.to_owned()))
}

/// The last line of the table is the sum; of its columns, the fourth counts calls.
fn system_calls(command: &Command) -> Option<String> {
    let told = under(command, "strace", &["--follow-forks", "--summary-only"])?;
    let total = told.lines().find(|line| line.ends_with(" total"))?;
    total.split_whitespace().nth(3).map(str::to_owned)
}

fn instructions(command: &Command) -> Option<String> {
    let told = under(command, "valgrind", &["--tool=callgrind", "--callgrind-out-file=/dev/null"])?;
    let collected = told.lines().find_map(|line| line.split_once("Collected : "))?.1;
    collected.trim().parse().ok().map(in_thousands)
}

fn page_faults(command: &Command) -> Option<String> {
    let told = under(command, "perf", &["stat", "--field-separator", ",", "--event", "page-faults"])?;
    let faults = told.lines().find(|line| line.contains("page-faults"))?;
    faults.split(',').next().map(str::to_owned)
}

/// What the tool says on stderr.
fn under(command: &Command, tool: &str, options: &[&str]) -> Option<String> {
    let mut traced = Command::new(tool);
    traced.args(options).arg(command.get_program()).args(command.get_args());
    traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().map(|folder| traced.current_dir(folder));
    let output = traced.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn in_thousands(count: u64) -> String {
    format!("{} k", count / 1000)
}

/// As they lie in the file: packed ones many to an entry.
pub fn relocations() -> String {
    let output = Command::new("readelf").args(["--relocs", "--wide", PROGRAM]).output();
    let Ok(output) = output else { return MISSING.to_owned() };
    let told = String::from_utf8_lossy(&output.stdout);
    let sections = told.lines().filter(|line| line.starts_with("Relocation section"));
    sections
        .map(|line| line.trim_start_matches("Relocation section ").trim_end_matches(':'))
        .collect::<Vec<_>>()
        .join("; ")
}
