//! How the last run went: who was not there hears of it, once.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vault::disk::RealDisk;
use vault::rotate::last_run::{Failed, LastRun, Reason, only_run};

use super::{BY_CRON, Machine};
use crate::commands::due::made_days_ago;
use crate::commands::{error, screen, warning};
use crate::program::Case;

fn outcome(exit: u8, names: &[&str]) -> LastRun {
    let failed = |name: &&str| Failed { profile: name.parse().unwrap(), reason: Reason::of_exit(exit).unwrap() };
    let time: Timestamp = "2026-11-22T11:04:30Z".parse().unwrap();
    let mut outcome = LastRun::new(time, exit);
    outcome.failed = names.iter().map(failed).collect();
    outcome
}

/// A run that ended so, as `rotate --scheduled` remembers it.
fn remember(machine: &Machine, outcome: &LastRun) {
    outcome.record(&RealDisk, &machine.state()).unwrap();
}

#[test]
fn how_the_last_run_went_is_not_known_where_its_record_is_damaged_and_all_else_is() {
    let machine = Machine::with_vault(&["crontab"]);
    machine.run(&["schedule", "install"]).succeeds();
    for (text, told) in [("{", "is damaged"), (r#"{"version":2}"#, "is of a later version of this program")] {
        fs::write(machine.state().join("schedule.json"), text).unwrap();
        let line = format!("last run of the schedule: not known: schedule.json {told}; the next run writes it anew");
        machine.run(&["schedule", "status"]).succeeds().stdout(&format!("{}{line}\n", BY_CRON));
        let standing = machine.status();
        assert_eq!(
            (&standing["last_run"], &standing["unreadable"][0]["file"]),
            (&Value::Null, &json!("schedule.json"))
        );
        machine.run(&["status"]).succeeds().stderr_has(&warning(&line));
        machine.run(&["list"]).succeeds();
    }
    machine.run(&["rotate", "--due", "--scheduled"]).succeeds();
    assert_eq!(machine.status()["last_run"]["exit"], 0);
    assert_eq!(machine.status()["unreadable"], json!([]));
}

#[test]
fn a_run_that_failed_is_told_at_the_next_command_at_a_terminal_once() {
    let machine = Machine::with_vault(&[]);
    remember(&machine, &outcome(3, &["prod", "dev"]));
    let line = warning("the scheduled rotation of 2026-11-22 11:04 failed for prod, dev: the vault was locked")
        + "vault: hint: `vault unlock`, then `vault rotate --due`\n";
    // Who is not there is not told, nor a program that reads what is said.
    machine.run(&["list"]).succeeds().stderr_has("the vault is empty");
    assert!(!machine.run(&["list"]).err.contains("scheduled"));
    let on_terminal = || screen(machine.vault(&["list"]).on_terminal().finish().0.succeeds());
    let shown = on_terminal();
    assert!(shown.contains(&line), "{shown}");
    assert!(!on_terminal().contains("scheduled"), "told twice");
    // `status` says it as long as it is so.
    machine.run(&["status"]).succeeds().stderr_has(&line);
    machine.run(&["status"]).succeeds().stderr_has(&line);
    // The next one anew.
    remember(&machine, &outcome(5, &[]));
    assert!(on_terminal().contains("the scheduled rotation of 2026-11-22 11:04 failed: no network"));
    remember(&machine, &outcome(0, &[]));
    assert!(!on_terminal().contains("scheduled"));
    assert!(!machine.run(&["status"]).err.contains("scheduled"));
}

#[test]
fn a_schedule_that_no_run_comes_of_is_told_by_status_and_doctor() {
    let machine = Machine::with_vault(&["crontab"]);
    machine.run(&["schedule", "install"]).succeeds();
    let told = "none since then, though there is one a day: what starts it does not run, or this machine was off";
    let doctor = || machine.run(&["doctor"]).out;
    for (hours, is_told) in [(48, false), (50, true)] {
        let time = Timestamp::now() - SignedDuration::from_hours(hours);
        remember(&machine, &LastRun::new(time, 0));
        let status = machine.run(&["schedule", "status"]);
        assert_eq!(
            status.succeeds().out.ends_with(&format!(", nothing was due\n  {told}\n")),
            is_told,
            "{}",
            status.out
        );
        let found = doctor();
        assert_eq!(found.contains(&format!("; {told}")), is_told, "{found}");
    }
    machine.run(&["schedule", "remove"]).succeeds();
    remember(&machine, &LastRun::new(Timestamp::now() - SignedDuration::from_hours(50), 0));
    assert!(!machine.run(&["schedule", "status"]).succeeds().out.contains(told) && !doctor().contains(told));
}

#[test]
fn what_a_run_failed_at_and_was_done_by_hand_is_no_longer_warned_of() {
    let machine = Machine::with_vault(&["crontab"]);
    let failed = "the scheduled rotation of 2026-11-22 11:04 failed for prod: the vault was locked";
    remember(&machine, &outcome(3, &["prod"]));
    machine.run(&["rotate", "--due", "--dry-run"]).succeeds();
    machine.run(&["status"]).succeeds().stderr_has(failed);
    machine.run(&["rotate", "--due"]).succeeds();
    assert!(!machine.run(&["status"]).succeeds().err.contains("scheduled"));
    assert!(!machine.run(&["doctor"]).out.contains(failed));
    let shown = machine.run(&["schedule", "status"]);
    let told = "last run: 2026-11-22 11:04, 1 failed, done by hand since (exit code 3): the vault was locked\n";
    assert!(shown.succeeds().out.contains(told), "{}", shown.out);
    // The next one anew.
    remember(&machine, &outcome(3, &["prod"]));
    machine.run(&["status"]).succeeds().stderr_has(failed);
}

#[test]
fn a_second_run_at_the_same_time_does_nothing_and_names_the_first() {
    let machine = Machine::with_vault(&[]);
    let first = only_run(&RealDisk, &machine.state()).unwrap();
    let second = machine.run(&["rotate", "--due", "--scheduled"]);
    let told = format!("another scheduled run is going on (process {})", std::process::id());
    second.exits(1).stdout("").stderr(&error(&told));
    assert_eq!(machine.status()["last_run"], Value::Null, "it is no run");
    drop(first);
    machine.run(&["rotate", "--due", "--scheduled"]).succeeds();
    assert_eq!(machine.status()["last_run"]["exit"], 0);
}

#[test]
fn what_the_last_run_came_to_is_shown_with_its_profiles() {
    let machine = Machine::new(&[]);
    let mut ended = outcome(8, &["prod"]);
    (ended.rotated, ended.waiting) = (4, 1);
    remember(&machine, &ended);
    let shown = machine.run(&["schedule", "status"]);
    shown.succeeds().stdout(
        "nothing is scheduled; `vault schedule install` does that\n\
         last run: 2026-11-22 11:04, 4 rotated, 1 waiting, 1 failed (exit code 8): a person is needed\n  \
         prod: a person is needed\n",
    );
    let failed = json!([{"profile": "prod", "reason": "person-needed"}]);
    let last = json!({"time": "2026-11-22T11:04:30Z", "exit": 8, "rotated": 4, "waiting": 1, "failed": failed});
    assert_eq!(machine.status()["last_run"], last);
    machine.run(&["schedule", "remove"]).succeeds();
    assert_eq!(machine.status()["last_run"], Value::Null);
}

#[test]
fn a_failure_is_shown_on_the_desktop_once_and_another_one_again() {
    let machine = Machine::of(Case::with_prod(), &["notify-send"]);
    made_days_ago(&machine.case, 91);
    let run = |code: i32, locked: bool| {
        let run = machine.vault(&["rotate", "--due", "--scheduled"]);
        if locked { run.asking() } else { run }.run().exits(code);
        machine.asked()
    };
    let shown = run(3, true);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with("notify-send --app-name=vault -- the scheduled rotation of 20"), "{shown:?}");
    assert!(shown[0].ends_with(" failed: the vault was locked `vault unlock`, then `vault rotate --due`"), "{shown:?}");
    assert!(run(3, true).is_empty());
    machine.run(&["rotate", "--due"]).succeeds();
    assert_eq!(run(3, true).len(), 1, "what it had failed at was done by hand");
    assert!(run(3, true).is_empty());
    // Due, and not to be resolved.
    machine.case.write(&machine.case.config(), 0o600, "[profile prod]\nregion = eu west 1\n");
    machine.run(&["set", "--vault", "rotate_every=30d"]).succeeds();
    let shown = run(1, false);
    assert!(shown.len() == 1 && shown[0].contains(" failed for prod: it could not be done "), "{shown:?}");
    assert!(run(1, false).is_empty());
    machine.run(&["set", "--vault", "rotate_every=3650d"]).succeeds();
    assert!(run(0, false).is_empty());
    machine.run(&["set", "--vault", "rotate_every=30d"]).succeeds();
    assert_eq!(run(1, false).len(), 1);
    assert_eq!(machine.status()["last_run"]["exit"], 1);
}
