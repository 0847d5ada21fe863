use std::time::{Duration, Instant};

use aws_sim::{Failure, Kind, Outcome};

use crate::scene;

const ALICE: &[(&str, &str)] = &[("UserName", "alice")];

#[test]
fn a_connection_closed_before_sending_applies_nothing() {
    let scene = scene();
    scene.sim.fail(Failure::on("CreateAccessKey"));
    let client = scene.client();
    let wire = client.sign("iam", "CreateAccessKey", ALICE);
    assert!(wire.try_send(&client.address).is_none());
    assert_eq!(scene.sim.access_keys(&scene.alice).len(), 1);
    assert_eq!(scene.sim.requests()[0].outcome, Outcome::Lost { applied: false });
    assert_eq!(wire.send(&client.address).error(), "200");
}

#[test]
fn a_lost_reply_leaves_the_call_applied() {
    let scene = scene();
    scene.sim.fail(Failure::on("CreateAccessKey").kind(Kind::AfterApplied));
    let client = scene.client();
    assert!(client.sign("iam", "CreateAccessKey", ALICE).try_send(&client.address).is_none());
    assert_eq!(scene.sim.access_keys(&scene.alice).len(), 2);
    assert_eq!(scene.sim.requests()[0].outcome, Outcome::Lost { applied: true });
}

#[test]
fn a_cut_reply_has_its_head_and_so_many_bytes() {
    let scene = scene();
    scene.sim.fail(Failure::on("GetSessionToken").kind(Kind::CutReply(20)));
    let reply = scene.client().sts("GetSessionToken", &[]);
    assert_eq!(reply.body, "<GetSessionTokenResp");
    assert!(reply.header("content-length").parse::<usize>().unwrap() > 100);
    assert_eq!(scene.client().sts("GetSessionToken", &[]).error(), "200");
}

#[test]
fn an_ordered_error_stands_in_for_the_call() {
    let scene = scene();
    let down = Kind::Status { http: 503, code: "ServiceUnavailable".to_owned(), message: "Try later".to_owned() };
    scene.sim.fail(Failure::on("CreateAccessKey").kind(down));
    scene.sim.fail(Failure::on("CreateAccessKey").nth(2).kind(Kind::Throttle));
    let create = || scene.client().iam("CreateAccessKey", ALICE).error();
    assert_eq!(create(), "503 ServiceUnavailable: Try later");
    assert_eq!(create(), "400 Throttling: Rate exceeded");
    assert_eq!(scene.sim.access_keys(&scene.alice).len(), 1);
    assert_eq!(create(), "200");
}

#[test]
fn a_lasting_failure_ends_when_it_is_stopped() {
    let scene = scene();
    scene.sim.fail(Failure::on_every_action().nth(2).lasting().kind(Kind::Throttle));
    let ask = || scene.client().sts("GetCallerIdentity", &[]).status;
    assert_eq!([ask(), ask(), ask()], [200, 400, 400]);
    scene.sim.stop_failing();
    assert_eq!(ask(), 200);
}

#[test]
fn a_late_reply_was_applied_at_once() {
    let scene = scene();
    let delay = Duration::from_millis(50);
    scene.sim.fail(Failure::on("CreateAccessKey").kind(Kind::Delay(delay)));
    let begun = Instant::now();
    assert_eq!(scene.client().iam("CreateAccessKey", ALICE).error(), "200");
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_failure_spends_no_code_unless_it_was_applied() {
    let scene = scene();
    scene.sim.fail(Failure::on("GetSessionToken").kind(Kind::Throttle));
    scene.sim.fail(Failure::on("GetSessionToken").nth(2).kind(Kind::AfterApplied));
    let code = scene.phone.code();
    let client = scene.client();
    let parameters = [("SerialNumber", scene.phone.serial()), ("TokenCode", code.as_str())];
    let wire = client.sign("sts", "GetSessionToken", &parameters);
    assert_eq!(wire.send(&client.address).code(), "Throttling");
    assert!(wire.try_send(&client.address).is_none());
    assert_eq!(wire.send(&client.address).code(), "AccessDenied");
}

#[test]
fn a_dropped_simulator_answers_no_more() {
    let scene = scene();
    let client = scene.client();
    assert_eq!(client.sts("GetCallerIdentity", &[]).error(), "200");
    drop(scene);
    assert!(std::net::TcpStream::connect(&client.address).is_err());
}
