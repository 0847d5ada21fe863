//! Power cuts and disk errors at every operation of everything that saves.

mod command;
mod configure;
mod credentials;
mod group;
mod import;
mod keys;
mod log;
mod replace;
mod restore;
mod schedule;
mod standing;
mod trust;
mod vault;

use std::fmt;

use crate::fault_disk::{Fault, FaultDisk, Image};

/// Something that saves, and what must hold however it ends.
trait Scenario {
    fn start(&self) -> Image;

    fn save(&self, disk: &FaultDisk) -> Ended;

    /// What the next start does with what it finds; it must succeed on every state that a crash can leave.
    fn recover(&self, disk: &FaultDisk) -> Result<(), String>;

    /// Whether the state is the old one, the new one, or wrong.
    fn judge(&self, image: &Image) -> Result<State, String>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    NotCommitted,
    Committed,
    CommittedNotDurable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Old,
    New,
}

/// How much was tried.
#[derive(Default)]
struct Tried {
    operations: usize,
    crashes: usize,
    distinct_states: usize,
    faults: usize,
    crashes_in_recovery: usize,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations: {} crash points and {} disk errors, {} distinct states, {} crash points in their recovery",
            self.operations, self.crashes, self.faults, self.distinct_states, self.crashes_in_recovery
        )
    }
}

/// Every crash of an undisturbed run with every crash of the recovery from it, and every error at every operation with every
/// crash after it.
fn try_everything(scenario: &dyn Scenario) -> Result<Tried, String> {
    let undisturbed = FaultDisk::on(scenario.start());
    let ended = scenario.save(&undisturbed);
    if ended != Ended::Committed {
        return Err(format!("without any fault the save ended as {ended:?}\n{}", undisturbed.told()));
    }
    let mut tried = Tried { operations: undisturbed.operation_count(), ..Tried::default() };
    judge_outcome(scenario, &undisturbed, ended)?;
    judge_crashes(scenario, &undisturbed, 0, judge_recovery_and_its_crashes, &mut tried)?;
    for fault in undisturbed.faults() {
        tried.faults += 1;
        let disk = FaultDisk::failing(scenario.start(), fault);
        let ended = scenario.save(&disk);
        // What crashes before the fault lead to is known from the undisturbed run.
        judge_outcome(scenario, &disk, ended)
            .and_then(|()| judge_crashes(scenario, &disk, fault.at + 1, judge_recovery, &mut tried))
            .and_then(|()| judge_what_follows(scenario, &disk, fault, ended))
            .map_err(|wrong| format!("{fault:?} ended as {ended:?}: {wrong}"))?;
    }
    Ok(tried)
}

type JudgeRecovery = fn(&dyn Scenario, &Image, &mut Tried) -> Result<(), String>;

fn judge_crashes(
    scenario: &dyn Scenario,
    disk: &FaultDisk,
    from: usize,
    judge_recovery: JudgeRecovery,
    tried: &mut Tried,
) -> Result<(), String> {
    let crashes = disk.crashes_from(from);
    tried.crashes += crashes.tried;
    tried.distinct_states += crashes.distinct.len();
    for crash in crashes.distinct {
        let told = || format!("{crash}\n{}left:\n{}", disk.told_up_to(crash.before), crash.image.tree());
        scenario.judge(&crash.image).map_err(|wrong| format!("{wrong}\n{}", told()))?;
        judge_recovery(scenario, &crash.image, tried).map_err(|wrong| format!("{wrong}\nafter {}", told()))?;
    }
    Ok(())
}

/// What may not be durable is what the next command finds, and must not be built on: a power cut during that command, which
/// undoes it, leaves a state that all is well with.
fn judge_what_follows(scenario: &dyn Scenario, disk: &FaultDisk, fault: Fault, ended: Ended) -> Result<(), String> {
    if fault.lasting || ended != Ended::CommittedNotDurable {
        return Ok(());
    }
    let from = disk.operation_count();
    let told = |wrong: String| format!("{wrong}\nthe next command: {}", disk.told());
    scenario.recover(disk).map_err(told)?;
    for crash in disk.crashes_from(from).distinct {
        scenario.judge(&crash.image).map_err(|wrong| told(format!("{wrong}\n{crash}")))?;
        recovered(scenario, &crash.image).map_err(|wrong| told(format!("{wrong}\n{crash}")))?;
    }
    Ok(())
}

/// The outcome that was told must be true now, and stay true when the power goes at once.
fn judge_outcome(scenario: &dyn Scenario, disk: &FaultDisk, ended: Ended) -> Result<(), String> {
    let promised = if ended == Ended::NotCommitted { State::Old } else { State::New };
    let told = |wrong: String| format!("{wrong}\n{}", disk.told());
    let now = scenario.judge(&disk.image()).map_err(told)?;
    if now != promised {
        return Err(told(format!("told {ended:?}, and the state is the {now:?} one")));
    }
    for crash in disk.crashes_at_the_end() {
        let state = scenario.judge(&crash.image).map_err(|wrong| told(format!("{wrong}\n{crash}")))?;
        if state != promised && ended != Ended::CommittedNotDurable {
            return Err(told(format!("told {ended:?}, and a power cut led to the {state:?} state\n{crash}")));
        }
    }
    Ok(())
}

fn judge_recovery(scenario: &dyn Scenario, image: &Image, _tried: &mut Tried) -> Result<(), String> {
    recovered(scenario, image).map(drop)
}

fn judge_recovery_and_its_crashes(scenario: &dyn Scenario, image: &Image, tried: &mut Tried) -> Result<(), String> {
    let disk = recovered(scenario, image)?;
    let crashes = disk.crashes_from(0);
    tried.crashes_in_recovery += crashes.tried;
    for crash in crashes.distinct {
        let told = |wrong| format!("{wrong}\nrecovery: {crash}\n{}", disk.told_up_to(crash.before));
        scenario.judge(&crash.image).map_err(told)?;
        recovered(scenario, &crash.image).map_err(told)?;
    }
    Ok(())
}

fn recovered(scenario: &dyn Scenario, image: &Image) -> Result<FaultDisk, String> {
    let disk = FaultDisk::on(image.clone());
    match scenario.recover(&disk) {
        Ok(()) => Ok(disk),
        Err(wrong) => Err(format!("recovery: {wrong}\n{}", disk.told())),
    }
}
