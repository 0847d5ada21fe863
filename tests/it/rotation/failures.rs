//! Every call of a rotation fails, in every way that a call can.

use aws_sim::{Failure, Kind};

use super::stage::{Ran, Stage};

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

fn server_error() -> Kind {
    Kind::Status { http: 500, code: "ServiceFailure".into(), message: "Try again later".into() }
}

fn denied(action: &str) -> Kind {
    let message = format!("User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:{action}");
    Kind::Status { http: 403, code: "AccessDenied".into(), message }
}

#[test]
fn a_rotation_asks_for_one_code_and_waits_until_the_new_key_is_proven() {
    let stage = Stage::new();
    let ran = stage.rotate(&[]);
    ran.succeeds();
    stage.is_rotated();
    assert_eq!(ran.changes(), ["UpdateAccessKey", "CreateAccessKey", "UpdateAccessKey"]);
    assert_eq!(ran.count("GetSessionToken"), 1);
    assert_eq!(ran.waited.as_secs(), 20, "three rounds, ten seconds apart");
    stage.recovers();
}
