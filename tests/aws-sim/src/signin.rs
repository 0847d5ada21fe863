//! The sign-in endpoint: trades a session for a token with which a browser opens the console.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::http::{Delivery, Incoming, Reply};
use crate::parameters::Parameters;
use crate::random;
use crate::request_log::{Outcome, Request};
use crate::service::under_failures;
use crate::session::Kind;

const ACTION: &str = "getSigninToken";

pub(crate) fn answer(cloud: &mut Cloud, incoming: &Incoming) -> (Reply, Delivery) {
    let parameters = Parameters::parse(incoming.query().as_bytes()).unwrap_or_default();
    let session: Value =
        parameters.optional("Session").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let entry = log_entry(cloud, &parameters, &session);
    let (result, delivery) = under_failures(cloud, entry, |cloud| {
        if incoming.method != "GET" || parameters.action() != ACTION {
            return Err(AwsError::new(400, "InvalidAction", "Bad Request"));
        }
        parameters.refuse_unknown(&["Session", "SessionDuration"])?;
        signin_token(cloud, &parameters, &session)
    });
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(error) => (error.status, error.message),
    };
    let date = cloud.clock.now();
    (Reply { status, content_type: "application/json", body, request_id: random::request_id(), date }, delivery)
}

fn signin_token(cloud: &Cloud, parameters: &Parameters, claimed: &Value) -> Result<String, AwsError> {
    let refused = |message: &str| AwsError::new(400, "InvalidSession", message);
    let part = |name: &str| claimed[name].as_str().unwrap_or_default();
    let session = cloud.sessions.get(part("sessionId"));
    let session = session.filter(|s| s.secret == part("sessionKey") && s.token == part("sessionToken"));
    let session = session.filter(|s| s.expires > cloud.clock.now()).ok_or_else(|| refused("Invalid session"))?;
    if session.kind == Kind::SessionToken {
        return Err(refused("Sessions of GetSessionToken can't sign in"));
    }
    if let Some(seconds) = parameters.number("SessionDuration")? {
        // Only a role assumed directly may ask for a console session longer than its own.
        if session.kind == Kind::Federation || session.chained || !(900..=43200).contains(&seconds) {
            return Err(refused("SessionDuration isn't allowed for this session"));
        }
    }
    Ok(json!({ "SigninToken": random::session_token() }).to_string())
}

fn log_entry(cloud: &Cloud, parameters: &Parameters, session: &Value) -> Request {
    Request {
        at: cloud.clock.now(),
        service: "signin".to_owned(),
        action: parameters.action().to_owned(),
        region: String::new(),
        parameters: parameters.arguments().into_iter().collect::<BTreeMap<_, _>>(),
        access_key_id: session["sessionId"].as_str().map(str::to_owned),
        signed_with_token: session["sessionToken"].is_string(),
        outcome: Outcome::Ok,
    }
}
