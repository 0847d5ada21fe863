//! What a rotation writes down in the log, its own saves vouch for.

use std::fs;
use std::path::PathBuf;

use super::stage::{Ran, Stage};

fn log_file(stage: &Stage) -> PathBuf {
    stage.case.home().join(".local/state/vault/log.jsonl")
}

fn lines(stage: &Stage) -> Vec<String> {
    fs::read_to_string(log_file(stage)).unwrap_or_default().lines().map(|line| format!("{line}\n")).collect()
}

fn verify(stage: &Stage) -> Ran {
    stage.run(&["log", "--verify"])
}

/// All that was written down in a rotation, in its order.
const ACTS: [&str; 3] = ["issued", "key-created", "key-disabled"];

#[test]
fn what_a_rotation_wrote_down_is_vouched_for_when_it_ends_and_shows_when_it_is_cut() {
    let stage = Stage::new();
    let before = lines(&stage).len();
    stage.rotate(&[]).succeeds();
    let all = lines(&stage);
    let acts = all[before..].iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["act"].clone());
    assert_eq!(acts.collect::<Vec<_>>(), ACTS);
    verify(&stage).succeeds().says(&format!("the first {} lines of log.jsonl are as they were", all.len()));
    for cut in before..all.len() {
        let left = [&all[..cut], &all[cut + 1..]].concat();
        fs::write(log_file(&stage), left.concat()).unwrap();
        verify(&stage).exits(6).says("the log was changed");
        fs::write(log_file(&stage), all[..cut].concat()).unwrap();
        verify(&stage).exits(6).says("the log was changed");
        // The next command that saves does not cover it up.
        stage.run(&["set", "prod", "region=eu-west-1"]).succeeds();
        verify(&stage).exits(6).says("the log was changed");
        fs::write(log_file(&stage), all.concat()).unwrap();
    }
}
