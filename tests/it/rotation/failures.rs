//! Every call of a rotation fails, in every way that a call can.

use std::fs;

use aws_sim::{Failure, Kind, Status};

use super::stage::{Ran, Stage};
use crate::program::files_below;

/// The calls of an undisturbed rotation, as the action and which of that action's it is.
fn calls() -> Vec<(String, usize)> {
    let stage = Stage::new();
    let ran = stage.rotate(&[]);
    ran.succeeds();
    let mut calls: Vec<(String, usize)> = Vec::new();
    for request in ran.requests {
        let nth = 1 + calls.iter().filter(|(action, _)| *action == request.action).count();
        calls.push((request.action, nth));
    }
    calls
}

pub fn server_error() -> Kind {
    Kind::Status { http: 500, code: "ServiceFailure".into(), message: "Try again later".into() }
}

pub fn denied(action: &str) -> Kind {
    let message = format!("User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:{action}");
    Kind::Status { http: 403, code: "AccessDenied".into(), message }
}

/// Each of these calls, and every one of its action after it, fails in this way; then what the hint says is done.
fn every_call_fails_for_ever(calls: impl IntoIterator<Item = (String, usize)>, kind: impl Fn(&str) -> Kind) {
    for (action, nth) in calls {
        println!("--- {action} {nth}");
        let stage = Stage::new();
        stage.sim().fail(Failure::on(&action).nth(nth).kind(kind(&action)).lasting());
        let ran = stage.rotate(&[]);
        println!("{}", ran.shown());
        stage.sim().stop_failing();
        goes_on(&stage, &ran);
    }
}

/// Where something is changed, and the looks right before and after.
fn chief_calls() -> impl Iterator<Item = (String, usize)> {
    let calls = [("GetCallerIdentity", 1), ("ListAccessKeys", 2), ("UpdateAccessKey", 1), ("CreateAccessKey", 1)];
    let later = [("ListAccessKeys", 4), ("UpdateAccessKey", 2), ("ListAccessKeys", 10)];
    calls.into_iter().chain(later).map(|(action, nth)| (action.to_owned(), nth))
}

/// All, but those of a proof that AWS's clock is not heard in: it is given up by that clock, which here moves only in what
/// AWS answers.
fn calls_but_the_proofs() -> impl Iterator<Item = (String, usize)> {
    calls().into_iter().filter(|(action, nth)| action != "GetCallerIdentity" || *nth == 1)
}

/// Where the rotation stopped it says how to go on, and that works.
fn goes_on(stage: &Stage, ran: &Ran) {
    let held = stage.held();
    match ran.code() {
        0 => {}
        8 => drop(stage.follow_hint(ran).succeeds()),
        4 | 5 | 7 if held.state.is_some() => drop(stage.follow_hint(ran).succeeds()),
        4 | 5 => stage.is_untouched(),
        _ => panic!("{}", ran.shown()),
    }
    stage.recovers();
    stage.rotate(&["--now"]);
    let held = stage.held();
    assert!(held.current.id.as_str() != stage.user.access_key_id(), "it was never rotated\n{}", ran.shown());
}

#[test]
fn a_rotation_asks_for_one_code_and_waits_until_the_new_key_is_proven() {
    let stage = Stage::new();
    let ran = stage.rotate(&[]);
    ran.succeeds();
    stage.is_rotated();
    assert_eq!(ran.changes(), ["UpdateAccessKey", "CreateAccessKey", "UpdateAccessKey"]);
    assert_eq!(ran.codes_spent(), 1);
    let new = stage.held().current.id.to_string();
    let by_the_new_key = |action: &str| {
        let tried = ran.requests.iter().filter(|request| request.action == action);
        tried.filter(|request| request.access_key_id.as_deref() == Some(&*new)).map(|request| request.at).collect()
    };
    for action in ["GetCallerIdentity", "ListAccessKeys"] {
        let tried: Vec<jiff::Timestamp> = by_the_new_key(action);
        assert_eq!(tried.len(), 3, "{action}");
        // The clock that waits is not the one that stamps.
        let apart = |one: &jiff::Timestamp, next: &jiff::Timestamp| next.duration_since(*one).as_millis() >= 9900;
        assert!(tried.is_sorted_by(apart), "{action}: {tried:?}");
    }
    stage.recovers();
}

#[test]
fn a_chief_call_that_is_denied_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(chief_calls(), denied);
}

#[test]
fn a_chief_call_whose_answers_are_lost_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(chief_calls(), |_| Kind::AfterApplied);
}

#[test]
#[ignore = "takes a minute"]
fn a_call_that_is_denied_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(calls(), denied);
}

#[test]
#[ignore = "takes a minute"]
fn a_call_that_is_never_answered_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(calls_but_the_proofs(), |_| Kind::BeforeSend);
}

#[test]
#[ignore = "takes a minute"]
fn a_call_whose_answers_are_lost_after_it_was_applied_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(calls_but_the_proofs(), |_| Kind::AfterApplied);
}

#[test]
#[ignore = "takes a minute"]
fn a_call_whose_answers_are_cut_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(calls_but_the_proofs(), |_| Kind::CutReply(30));
}

#[test]
#[ignore = "takes a minute"]
fn a_call_that_meets_errors_of_aws_stops_the_rotation_with_a_way_on() {
    every_call_fails_for_ever(calls(), |_| server_error());
}

/// Waiting for AWS takes its real time, so this is one position an action.
#[test]
#[ignore = "takes a minute"]
fn a_call_that_is_throttled_for_ever_stops_the_rotation_with_a_way_on() {
    for action in ["GetCallerIdentity", "ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey", "CreateAccessKey"]
    {
        let stage = Stage::new();
        stage.sim().fail(Failure::on(action).kind(Kind::Throttle).lasting());
        let ran = stage.rotate(&[]);
        println!("{}", ran.shown());
        assert!(ran.waited.as_secs() >= 55, "it gave up after {:?}", ran.waited);
        stage.sim().stop_failing();
        goes_on(&stage, &ran);
    }
}

/// What AWS may be asked again it is asked again; a rotation that meets one failure goes through.
#[test]
fn one_failure_of_any_call_but_create_does_not_stop_a_rotation() {
    let actions = ["GetCallerIdentity", "ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey"];
    for action in actions {
        for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(30), server_error(), Kind::Throttle] {
            println!("--- {action} {kind:?}");
            let stage = Stage::new();
            stage.sim().fail(Failure::on(action).kind(kind));
            stage.rotate(&[]).succeeds();
            stage.is_rotated();
        }
    }
}

#[test]
fn a_create_that_never_reached_aws_is_sent_again_once_its_list_has_shown_no_key() {
    for kind in [Kind::BeforeSend, server_error()] {
        let stage = Stage::new();
        stage.sim().fail(Failure::on("CreateAccessKey").kind(kind));
        let ran = stage.rotate(&[]);
        ran.succeeds().says("AWS's answer was lost");
        assert_eq!(ran.count("CreateAccessKey"), 2);
        let created: Vec<_> = ran.requests.iter().filter(|request| request.action == "CreateAccessKey").collect();
        assert!(created[1].at.duration_since(created[0].at).as_secs() >= 60, "a list may lag behind for so long");
        stage.is_rotated();
        stage.recovers();
    }
}

#[test]
fn a_create_that_is_throttled_once_is_sent_again() {
    let stage = Stage::new();
    stage.sim().fail(Failure::on("CreateAccessKey").kind(Kind::Throttle));
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
}

#[test]
fn a_reply_to_create_that_is_lost_after_it_was_applied_leaves_one_named_orphan_and_the_old_key_working() {
    for kind in [Kind::AfterApplied, Kind::CutReply(0), Kind::CutReply(200)] {
        let stage = Stage::new();
        stage.sim().fail(Failure::on("CreateAccessKey").kind(kind));
        let ran = stage.rotate(&[]);
        let old = stage.user.access_key_id();
        let keys = stage.sim().access_keys(&stage.user);
        let orphan = keys.iter().find(|key| key.access_key_id != old).unwrap().access_key_id.clone();
        ran.exits(8).says(&format!("`vault rotate prod --delete-key {orphan}` deletes it, and goes on"));
        ran.says("very likely the one that AWS made when its answer was lost");
        assert_eq!((ran.count("CreateAccessKey"), ran.count("DeleteAccessKey")), (1, 0), "not touched unasked");
        assert_eq!(stage.held().current.id.as_str(), old);
        stage.signs_in();
        assert_eq!(stage.status(&orphan), Some(Status::Active), "nor by the next one who comes");
        stage.follow_hint(&ran).succeeds().says("is deleted");
        assert_eq!(stage.status(&orphan), None);
        stage.is_rotated();
        stage.recovers();
    }
}

/// Whoever answers so, on the way or in the place of AWS, could put any secret in the place of the one that works.
#[test]
fn an_answer_to_create_with_a_key_that_is_no_new_one_is_taken_for_none() {
    let stage = Stage::new();
    let old = stage.user.access_key_id().to_owned();
    let twice = Kind::Altered("</AccessKeyId>".into(), format!("</AccessKeyId><AccessKeyId>{old}</AccessKeyId>"));
    stage.sim().fail(Failure::on("CreateAccessKey").kind(twice));
    let ran = stage.rotate(&[]);
    ran.exits(8).says("very likely the one that AWS made when its answer was lost");
    assert_eq!((ran.count("CreateAccessKey"), ran.count("DeleteAccessKey")), (1, 0));
    assert_eq!(stage.held().current.id.as_str(), old);
    stage.signs_in();
    stage.follow_hint(&ran).succeeds().says("is deleted");
    stage.is_rotated();
    stage.recovers();
}

/// Of another program, or of somebody who wants it that way.
#[test]
fn a_folder_in_the_place_of_the_users_lock_is_named() {
    let stage = Stage::new();
    stage.run(&["rotate", "prod", "--dry-run"]).succeeds();
    let [lock] = &files_below(&stage.case.home().join(".local/state/vault/rotations"))[..] else { panic!("one lock") };
    fs::remove_file(lock).unwrap();
    fs::create_dir(lock).unwrap();
    let ran = stage.rotate(&[]);
    ran.exits(6).error(&format!("the lock {} is not a regular file", lock.display()));
    ran.hint("remove it; it is made again");
    fs::remove_dir(lock).unwrap();
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
}
