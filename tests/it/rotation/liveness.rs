//! New keys that are not live yet, live at one service and not at the other, or live now and then.

use std::time::Duration;

use aws_sim::Status;

use super::stage::Stage;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_new_key_that_is_not_live_yet_is_waited_for_before_the_old_one_is_off() {
    for (sts, iam) in [(5, 5), (25, 25), (90, 90), (5, 90), (90, 5), (0, 40)] {
        let stage = Stage::new();
        stage.sim().new_keys_live_after(seconds(sts), seconds(iam));
        let ran = stage.rotate(&[]);
        ran.succeeds();
        stage.is_rotated();
        let at = |action: &str| ran.requests.iter().rev().find(|request| request.action == action).unwrap().at;
        let tried_for = at("UpdateAccessKey").duration_since(at("CreateAccessKey")).as_secs();
        assert!(tried_for >= sts.max(iam).cast_signed() + 20, "{sts} {iam}: proven in {tried_for} s");
        stage.recovers();
    }
}

#[test]
fn a_new_key_that_flaps_is_tried_until_it_works_three_times_in_a_row() {
    for flaps in [1, 2, 5] {
        let stage = Stage::new();
        stage.sim().new_keys_live_after(seconds(3), seconds(8));
        stage.sim().new_keys_flap(flaps);
        stage.rotate(&[]).succeeds();
        stage.is_rotated();
        stage.recovers();
    }
}

#[test]
fn a_new_key_that_is_not_live_for_minutes_is_kept_and_the_old_one_works_on() {
    let stage = Stage::new();
    stage.sim().new_keys_live_after(seconds(3600), seconds(3600));
    let ran = stage.rotate(&[]);
    let held = stage.held();
    assert_eq!(held.state, Some("created"));
    let new = held.other_id();
    ran.exits(7);
    ran.error(&format!(
        "rotation of `prod` stopped after the new key was saved; the old key works, nothing is lost: the new key \
         AKIA...{} does not work yet (AWS does not know this access key, or it is inactive)",
        &new[16..]
    ));
    ran.hint("run `vault rotate prod --resume`");
    assert!((300..330).contains(&ran.waited.as_secs()), "{:?}", ran.waited);
    stage.signs_in();
    assert_eq!(ran.count("CreateAccessKey"), 1);
    stage.rotate(&[]).exits(7);
    stage.pass(seconds(3600));
    stage.follow_hint(&ran).succeeds();
    stage.is_rotated();
    assert_eq!(stage.held().current.id.as_str(), new);
    stage.recovers();
}

#[test]
fn an_old_key_that_works_on_for_seconds_after_it_was_switched_off_changes_nothing() {
    let stage = Stage::without_mfa();
    stage.sim().deactivated_keys_work_for(seconds(20));
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    stage.pass(seconds(25 * 3600));
    stage.rotate(&["--resume"]).succeeds();
    assert_eq!(stage.status(stage.user.access_key_id()), None);
    let current = stage.held().current.id.to_string();
    assert_eq!(stage.status(&current), Some(Status::Active));
    assert_eq!(stage.held().state, None);
}
