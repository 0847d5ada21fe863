use aws_sim::{Role, Trust};

use crate::client::{Client, Reply, Wire};
use crate::{ACCOUNT, Scene, scene};

fn sign_in(session: &Client, duration: Option<&str>) -> Reply {
    let json = format!(
        r#"{{"sessionId":"{}","sessionKey":"{}","sessionToken":"{}"}}"#,
        session.access_key_id,
        session.secret,
        session.token.as_deref().unwrap_or_default()
    );
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("Action", "getSigninToken").append_pair("Session", &json);
    duration.map(|seconds| query.append_pair("SessionDuration", seconds));
    let target = format!("/federation?{}", query.finish());
    let headers = vec![("host".to_owned(), session.address.clone())];
    Wire { method: "GET".to_owned(), target, headers, body: String::new() }.send(&session.address)
}

fn role_session(scene: &Scene, client: &Client, name: &str) -> Client {
    let role = scene.sim.add_role(Role::new(ACCOUNT, name, Trust::of(ACCOUNT)));
    Client::of_reply(&scene.sim, &client.sts("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "console")]))
}

#[test]
fn a_role_session_signs_in_and_may_ask_for_longer() {
    let scene = scene();
    let session = role_session(&scene, &scene.client(), "admin");
    let reply = sign_in(&session, Some("43200"));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.starts_with(r#"{"SigninToken":""#));
    assert_eq!(sign_in(&session, Some("43201")).status, 400);
    assert_eq!(scene.sim.count("getSigninToken"), 2);
}

#[test]
fn a_chained_role_and_a_federated_user_may_not_ask_for_a_duration() {
    let scene = scene();
    let chained = role_session(&scene, &scene.mfa_session(), "admin");
    let federated = Client::of_reply(&scene.sim, &scene.client().sts("GetFederationToken", &[("Name", "bob")]));
    for session in [chained, federated] {
        assert_eq!(sign_in(&session, None).status, 200);
        assert_eq!(sign_in(&session, Some("3600")).status, 400);
    }
}

#[test]
fn a_session_of_get_session_token_does_not_sign_in() {
    let scene = scene();
    assert_eq!(sign_in(&scene.mfa_session(), None).status, 400);
}

#[test]
fn a_session_that_is_not_whole_does_not_sign_in() {
    let scene = scene();
    let session = role_session(&scene, &scene.client(), "admin");
    let wrong_key = Client { secret: "wrong".to_owned(), ..session };
    assert_eq!(sign_in(&wrong_key, None).status, 400);
}
