//! strace as the machine that fails: the real program is killed, or an error is put in its way, at each of its system calls,
//! for each command that saves. Whatever happens, the vault opens and holds what it held; what the program said is true.

mod agent;
mod saving;
mod stage;
mod strace;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use saving::{COMMANDS, Saving};
use stage::Stage;
use strace::{Fault, Hit};
use verdict::{judge, judge_the_next_save};

/// One fault in one run of one command.
#[derive(Clone)]
struct Try {
    command: &'static Saving,
    fault: Fault,
}

#[test]
#[ignore = "needs strace"]
fn a_fault_at_any_system_call_of_any_command_that_saves_loses_nothing_and_is_told() {
    let tries: Vec<Try> = COMMANDS.iter().flat_map(tries_of).collect();
    assert!(tries.len() >= 1000, "only {} faults", tries.len());
    let counts = counts(&tries);
    let queue = Mutex::new(tries.into_iter().rev().collect::<Vec<_>>());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| work(&queue, &wrong));
        }
    });
    println!("{counts}");
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} faults ended badly:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n\n"));
}

/// What an undisturbed run calls once it has looked at the home folder, each call with each of its faults.
fn tries_of(command: &'static Saving) -> Vec<Try> {
    let stage = Stage::of(command);
    let faults = strace::faults_of(&stage.case, stage.invocation(), command.reads_fail);
    assert!(faults.len() >= 40, "{}: only {} faults", command.name, faults.len());
    faults.into_iter().map(|fault| Try { command, fault }).collect()
}

fn work(queue: &Mutex<Vec<Try>>, wrong: &Mutex<Vec<String>>) {
    let mut stage: Option<Stage> = None;
    loop {
        let Some(Try { command, fault }) = queue.lock().unwrap().pop() else { return };
        if stage.as_ref().is_none_or(|stage| stage.command.name != command.name) {
            stage = Some(Stage::of(command));
        }
        let stage = stage.as_ref().expect("it was just made");
        if let Err(why) = try_one(stage, &fault) {
            wrong.lock().unwrap().push(format!("{} with {fault}: {why}", command.name));
        }
    }
}

fn try_one(stage: &Stage, fault: &Fault) -> Result<(), String> {
    stage.reset();
    let (output, hit) = strace::run_with(fault, &stage.case, stage.invocation());
    if hit == Hit::Missed {
        return Err("the fault never came".to_owned());
    }
    let found = judge(stage, fault, &output)?;
    judge_the_next_save(stage, &found)
}

fn counts(tries: &[Try]) -> String {
    let mut counts: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for Try { command, fault } in tries {
        let kinds = counts.entry((command.name, fault.call)).or_default();
        kinds[usize::from(!fault.kills())] += 1;
    }
    let lines = counts.iter().map(|((command, call), [kills, errors])| {
        format!("{command:24} {call:12} {kills:4} kills {errors:4} errors\n")
    });
    format!("{}{} faults in all", lines.collect::<String>(), tries.len())
}
