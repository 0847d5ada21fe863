//! What is due of a key at a login.

use std::time::Duration;

use aws_sim::Status;

use super::stage::Stage;

const DAY: Duration = Duration::from_secs(86_400);

/// prod's key is a day older than it may be.
fn overdue(on_login: &str) -> Stage {
    let stage = Stage::new();
    stage.run(&["set", "--vault", "rotate_every=1d", &format!("rotate_on_login={on_login}")]).succeeds();
    stage.pass(2 * DAY);
    stage
}

fn login(stage: &Stage, flags: &[&str]) -> super::stage::Ran {
    stage.with_code(&[&["login", "prod", "--no-export"], flags].concat())
}

#[test]
fn a_login_with_rotate_replaces_a_key_that_is_due_with_its_own_code() {
    let stage = overdue("never");
    let ran = login(&stage, &["--rotate"]);
    ran.succeeds();
    stage.is_rotated();
    let made = ran.requests.iter().filter(|request| request.action == "GetSessionToken" && request.succeeded());
    assert_eq!(made.count(), 1, "{}", ran.shown());
    stage.signs_in();
}

#[test]
fn a_login_rotates_by_itself_where_that_is_set_and_only_tells_where_it_is_not() {
    let stage = overdue("always");
    login(&stage, &[]).succeeds();
    stage.is_rotated();
    for setting in ["never", "ask"] {
        let stage = overdue(setting);
        // Nobody is there to be asked.
        login(&stage, &[]).succeeds().says("vault rotate prod");
        stage.is_untouched();
    }
}

#[test]
fn a_login_with_rotate_leaves_a_key_alone_that_is_not_due() {
    let stage = Stage::new();
    login(&stage, &["--rotate"]).succeeds().says("prod: its key is not due");
    stage.is_untouched();
}

#[test]
fn a_login_deletes_the_old_key_whose_grace_is_over() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    stage.pass(Duration::from_secs(23 * 3600));
    login(&stage, &[]).succeeds();
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Inactive), "an hour too early");
    stage.pass(Duration::from_secs(2 * 3600));
    login(&stage, &["--force"]).succeeds().says("is deleted");
    assert_eq!((stage.status(stage.user.access_key_id()), stage.held().state), (None, None));
}

#[test]
fn a_login_goes_on_with_the_session_where_the_rotation_after_it_fails() {
    let stage = overdue("always");
    stage.sim().deny(&stage.user, "iam:CreateAccessKey");
    login(&stage, &[]).succeeds().says("signed in").says("AWS refused CreateAccessKey");
    stage.is_untouched();
    stage.run(&["get", "prod", "expiration"]).succeeds();
}
