use std::time::Duration;

use aws_sim::{Role, SessionKind, Status, Trust};

use crate::client::{Client, Reply};
use crate::{ACCOUNT, Scene, scene};

const WRONG_CODE: &str = "403 AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.";
const WRONG_SERIAL: &str = "403 AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please \
                            verify your MFA serial number is valid and associated with this user.";

fn ask(scene: &Scene, serial: &str, code: &str) -> Reply {
    scene.client().sts("GetSessionToken", &[("SerialNumber", serial), ("TokenCode", code)])
}

#[test]
fn a_session_signs_as_its_user_until_it_expires() {
    let scene = scene();
    let reply = scene.client().sts("GetSessionToken", &[("DurationSeconds", "900")]);
    let session = Client::of_reply(&scene.sim, &reply);
    assert!(session.access_key_id.starts_with("ASIA"));
    assert_eq!(session.sts("GetCallerIdentity", &[]).text("Arn"), scene.alice.arn());
    let facts = scene.sim.session(&session.access_key_id).unwrap();
    assert_eq!((facts.kind, facts.with_mfa), (SessionKind::SessionToken, false));
    assert_eq!(reply.text("Expiration"), facts.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    scene.sim.advance(Duration::from_secs(901));
    let error = session.at(scene.sim.now()).sts("GetCallerIdentity", &[]).error();
    assert_eq!(error, "403 ExpiredToken: The security token included in the request is expired");
}

#[test]
fn a_session_outlives_its_key() {
    let scene = scene();
    let session = scene.mfa_session();
    scene.sim.delete_key(scene.alice.access_key_id());
    assert_eq!(session.sts("GetCallerIdentity", &[]).error(), "200");
}

#[test]
fn a_session_has_the_token_that_the_test_chose() {
    let scene = scene();
    scene.sim.set_session_token("$(a)'`b;%");
    assert_eq!(scene.client().sts("GetSessionToken", &[]).text("SessionToken"), "$(a)'`b;%");
    assert_eq!(scene.mfa_session().sts("GetCallerIdentity", &[]).error(), "200");
}

#[test]
fn a_code_is_accepted_once() {
    let scene = scene();
    let code = scene.phone.code();
    assert_eq!(ask(&scene, scene.phone.serial(), &code).error(), "200");
    assert_eq!(ask(&scene, scene.phone.serial(), &code).error(), WRONG_CODE);
    let next = scene.phone.code();
    assert_ne!(code, next);
    assert_eq!(ask(&scene, scene.phone.serial(), &next).error(), "200");
}

#[test]
fn a_wrong_code_is_refused_and_spends_nothing() {
    let scene = scene();
    assert_eq!(ask(&scene, scene.phone.serial(), &scene.phone.wrong_code()).error(), WRONG_CODE);
    assert_eq!(ask(&scene, scene.phone.serial(), &scene.phone.code()).error(), "200");
}

#[test]
fn a_serial_of_nobody_of_another_user_or_of_a_security_key_is_refused() {
    let scene = scene();
    let bob = scene.sim.add_user(ACCOUNT, "bob");
    let tablet = scene.sim.add_mfa_device(&bob, "tablet");
    let yubikey = scene.sim.add_fido_device(&scene.alice, "yubikey");
    let code = scene.phone.code();
    assert_eq!(ask(&scene, "arn:aws:iam::123456789012:mfa/none", &code).error(), WRONG_SERIAL);
    assert_eq!(ask(&scene, tablet.serial(), &tablet.code()).error(), WRONG_SERIAL);
    assert_eq!(ask(&scene, &yubikey, &code).error(), WRONG_SERIAL);
    assert_eq!(ask(&scene, scene.phone.serial(), &code).error(), "200");
}

#[test]
fn a_malformed_code_and_half_a_pair_are_refused_in_awss_words() {
    let scene = scene();
    let error = ask(&scene, scene.phone.serial(), "12345").error();
    assert_eq!(
        error,
        "400 ValidationError: 1 validation error detected: Value '12345' at 'tokenCode' failed to satisfy constraint: \
         Member must have length greater than or equal to 6"
    );
    let error = scene.client().sts("GetSessionToken", &[("TokenCode", "123456")]).error();
    assert!(error.contains("must provide both MFA serial number and one time pass code"), "{error}");
}

#[test]
fn durations_are_held_to_their_limits() {
    let scene = scene();
    let ask = |seconds: &str| scene.client().sts("GetSessionToken", &[("DurationSeconds", seconds)]);
    assert_eq!(ask("129600").error(), "200");
    for (seconds, limit) in [("899", "greater than or equal to 900"), ("129601", "less than or equal to 129600")] {
        assert_eq!(
            ask(seconds).error(),
            format!(
                "400 ValidationError: 1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to \
                 satisfy constraint: Member must have value {limit}"
            )
        );
    }
}

#[test]
fn a_root_session_lasts_an_hour_at_most() {
    let scene = scene();
    let root = scene.sim.add_root(ACCOUNT);
    let client = Client::of(&scene.sim, &root);
    let reply = client.sts("GetSessionToken", &[("DurationSeconds", "43200")]);
    let session = Client::of_reply(&scene.sim, &reply);
    let left = scene.sim.session(&session.access_key_id).unwrap().expires.as_second() - scene.sim.now().as_second();
    assert!((3500..=3600).contains(&left), "{left}");
    assert_eq!(session.sts("GetCallerIdentity", &[]).text("Arn"), "arn:aws:iam::123456789012:root");
}

#[test]
fn a_session_makes_no_session() {
    let scene = scene();
    let session = scene.mfa_session();
    let error = session.sts("GetSessionToken", &[]).error();
    assert_eq!(error, "403 AccessDenied: Cannot call GetSessionToken with session credentials");
    let error = session.sts("GetFederationToken", &[("Name", "bob")]).error();
    assert_eq!(error, "403 AccessDenied: Cannot call GetFederationToken with session credentials");
}

#[test]
fn only_a_session_with_mfa_reaches_iam() {
    let scene = scene();
    let without = Client::of_reply(&scene.sim, &scene.client().sts("GetSessionToken", &[]));
    assert_eq!(without.iam("GetUser", &[]).code(), "InvalidClientTokenId");
    assert_eq!(scene.mfa_session().iam("GetUser", &[]).text("UserName"), "alice");
}

#[test]
fn a_federated_user_says_who_it_is_and_reaches_neither_iam_nor_a_role() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let everything = ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AdministratorAccess");
    let reply = scene.client().sts("GetFederationToken", &[("Name", "bob"), everything]);
    let session = Client::of_reply(&scene.sim, &reply);
    let identity = session.sts("GetCallerIdentity", &[]);
    assert_eq!(identity.text("Arn"), "arn:aws:sts::123456789012:federated-user/bob");
    assert_eq!(identity.text("UserId"), "123456789012:bob");
    assert_eq!(session.iam("GetUser", &[("UserName", "alice")]).code(), "InvalidClientTokenId");
    let assume = [("RoleArn", role.as_str()), ("RoleSessionName", "bob")];
    assert_eq!(session.sts("AssumeRole", &assume).code(), "AccessDenied");
}

#[test]
fn a_key_switched_off_by_hand_is_off_at_once() {
    let scene = scene();
    scene.sim.deactivated_keys_work_for(Duration::from_secs(10));
    scene.sim.set_key_status(scene.alice.access_key_id(), Status::Inactive);
    assert_eq!(scene.client().sts("GetCallerIdentity", &[]).code(), "InvalidClientTokenId");
}
