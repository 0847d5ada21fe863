use std::time::Duration;

use aws_sim::{Outcome, Status};
use jiff::{SignedDuration, ToSpan};

use crate::client::Client;
use crate::{ACCOUNT, scene};

const INVALID_TOKEN: &str = "403 InvalidClientTokenId: The security token included in the request is invalid.";
const MISMATCH: &str = "403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you \
                        provided. Check your AWS Secret Access Key and signing method. Consult the service \
                        documentation for details.";

#[test]
fn a_signed_call_says_who_the_caller_is() {
    let scene = scene();
    let reply = scene.client().sts("GetCallerIdentity", &[]);
    assert_eq!(reply.text("Arn"), "arn:aws:iam::123456789012:user/alice");
    assert_eq!(reply.text("Account"), ACCOUNT);
    assert!(reply.text("UserId").starts_with("AIDA"));
}

#[test]
fn a_wrong_secret_and_an_unknown_key_are_told_apart() {
    let scene = scene();
    let id = scene.alice.access_key_id();
    let wrong = Client::with(&scene.sim, id, "wJalrXUtnFEMI", None);
    assert_eq!(wrong.sts("GetCallerIdentity", &[]).error(), MISMATCH);
    let unknown = Client::with(&scene.sim, "AKIAABCDEFGHIJKLMNOP", scene.alice.secret_access_key(), None);
    assert_eq!(unknown.sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
}

#[test]
fn an_inactive_or_deleted_key_is_refused_as_an_unknown_one() {
    let scene = scene();
    let id = scene.alice.access_key_id();
    scene.sim.set_key_status(id, Status::Inactive);
    assert_eq!(scene.client().sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
    scene.sim.set_key_status(id, Status::Active);
    assert_eq!(scene.client().sts("GetCallerIdentity", &[]).error(), "200");
    scene.sim.delete_key(id);
    assert_eq!(scene.client().sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
}

#[test]
fn anything_changed_after_signing_breaks_the_signature() {
    let scene = scene();
    let client = scene.client();
    let signed = || client.sign("iam", "ListAccessKeys", &[("UserName", "alice")]);
    let mut other_body = signed();
    other_body.body = other_body.body.replace("alice", "bobby");
    let mut other_type = signed();
    other_type.header_mut("content-type").push_str("; x=y");
    let mut other_date = signed();
    *other_date.header_mut("x-amz-date") = (client.signs_at + 1.second()).strftime("%Y%m%dT%H%M%SZ").to_string();
    for changed in [other_body, other_type, other_date] {
        assert_eq!(changed.send(&client.address).error(), MISMATCH);
    }
    assert_eq!(signed().send(&client.address).error(), "200");
}

#[test]
fn a_date_or_token_that_was_not_signed_is_refused() {
    let scene = scene();
    let session = scene.mfa_session();
    for header in ["x-amz-date", "x-amz-security-token"] {
        let mut wire = session.sign("sts", "GetCallerIdentity", &[]);
        let authorization = wire.header_mut("authorization");
        *authorization = authorization.replace(&format!(";{header}"), "");
        assert_eq!(wire.send(&session.address).error(), MISMATCH, "{header}");
    }
}

#[test]
fn an_unsigned_call_is_refused() {
    let scene = scene();
    let client = scene.client();
    let unsigned = client.sign("sts", "GetCallerIdentity", &[]).without_header("authorization");
    let error = unsigned.send(&client.address).error();
    assert_eq!(error, "403 MissingAuthenticationToken: Request is missing Authentication Token");
}

#[test]
fn a_signature_for_another_service_or_no_region_is_refused() {
    let scene = scene();
    let other = Client { scope: Some("iam".to_owned()), ..scene.client() };
    let error = other.sts("GetCallerIdentity", &[]).error();
    assert_eq!(error, "403 SignatureDoesNotMatch: Credential should be scoped to correct service: 'sts'.");
    let nowhere = Client { region: "aws-global".to_owned(), ..scene.client() };
    let error = nowhere.sts("GetCallerIdentity", &[]).error();
    assert_eq!(error, "403 SignatureDoesNotMatch: Credential should be scoped to a valid region.");
}

#[test]
fn a_clock_more_than_five_minutes_off_is_refused_with_both_times() {
    let scene = scene();
    scene.sim.set_offset(SignedDuration::from_hours(2));
    let now = scene.sim.now();
    let call = |offset: i64| scene.client().at(now + offset.seconds()).sts("GetCallerIdentity", &[]).error();
    assert_eq!(call(-280), "200");
    assert_eq!(call(280), "200");
    assert!(call(-310).starts_with("403 SignatureDoesNotMatch: Signature expired: "), "{}", call(-310));
    assert!(call(-310).ends_with(" - 5 min.)"));
    assert!(call(310).starts_with("403 SignatureDoesNotMatch: Signature not yet current: "), "{}", call(310));
}

#[test]
fn replies_carry_the_time_of_the_clock_that_was_set() {
    let scene = scene();
    scene.sim.advance(Duration::from_secs(30 * 24 * 3600));
    let before = scene.sim.now().as_second();
    let date = scene.client().sts("GetCallerIdentity", &[]).header("date");
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date.to_uppercase()).unwrap();
    assert!((before..before + 60).contains(&parsed.as_second()), "{date}");
}

#[test]
fn a_key_with_a_token_and_a_session_without_one_are_refused() {
    let scene = scene();
    let session = scene.mfa_session();
    let with_token = Client { token: session.token.clone(), ..scene.client() };
    assert_eq!(with_token.sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
    let without = Client { token: None, ..scene.mfa_session() };
    assert_eq!(without.sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
    let foreign = Client { token: session.token, ..scene.mfa_session() };
    assert_eq!(foreign.sts("GetCallerIdentity", &[]).error(), INVALID_TOKEN);
}

#[test]
fn parameters_that_no_call_knows_are_refused() {
    let scene = scene();
    let reply = scene.client().sts("GetSessionToken", &[("DurationSecond", "900")]);
    assert_eq!(reply.code(), "ValidationError");
    assert_eq!(scene.client().sts("GetSession", &[]).code(), "InvalidAction");
    assert_eq!(scene.client().iam("GetSessionToken", &[]).code(), "InvalidAction");
}

#[test]
fn the_log_tells_who_asked_what_and_how_it_ended() {
    let scene = scene();
    scene.sim.clear_requests();
    let client = Client { region: "eu-central-1".to_owned(), ..scene.client() };
    client.sts("GetSessionToken", &[("DurationSeconds", "1")]);
    client.sts("GetCallerIdentity", &[]);
    let log = scene.sim.requests();
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].service.as_str(), log[0].action.as_str()), ("sts", "GetSessionToken"));
    assert_eq!(log[0].region, "eu-central-1");
    assert_eq!(log[0].parameter("DurationSeconds"), Some("1"));
    assert_eq!(log[0].parameters.len(), 1);
    assert_eq!(log[0].access_key_id.as_deref(), Some(scene.alice.access_key_id()));
    assert!(!log[0].signed_with_token);
    assert_eq!(log[0].outcome, Outcome::Refused("ValidationError".to_owned()));
    assert!(log[1].succeeded());
    assert_eq!((scene.sim.count("GetSessionToken"), scene.sim.count("AssumeRole")), (1, 0));
}
