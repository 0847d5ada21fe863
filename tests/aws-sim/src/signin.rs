//! The sign-in endpoint: trades a session for a token with which a browser opens the console.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
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

/// "The URL that the federation endpoint provides is valid for 15 minutes after it is created."
const OPENS_FOR: SignedDuration = SignedDuration::from_mins(15);

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

fn signin_token(cloud: &mut Cloud, parameters: &Parameters, claimed: &Value) -> Result<String, AwsError> {
    let refused = |message: &str| AwsError::new(400, "InvalidSession", message);
    let part = |name: &str| claimed[name].as_str().unwrap_or_default();
    let session = cloud.sessions.get(part("sessionId"));
    let session = session.filter(|s| s.secret == part("sessionKey") && s.token == part("sessionToken"));
    let session = session.filter(|s| s.expires > cloud.clock.now()).ok_or_else(|| refused("Invalid session"))?;
    if session.kind == Kind::SessionToken {
        return Err(refused("Sessions of GetSessionToken can't sign in"));
    }
    let seconds = parameters.number("SessionDuration")?;
    if let Some(seconds) = seconds {
        // Only a role assumed directly may ask for a console session longer than its own.
        if session.kind == Kind::Federation || session.chained || !(900..=43200).contains(&seconds) {
            return Err(refused("SessionDuration isn't allowed for this session"));
        }
    }
    let now = cloud.clock.now();
    let until = seconds.map_or(session.expires, |seconds| now + SignedDuration::from_secs(seconds));
    let token = random::session_token();
    let sign_in = SignIn { arn: session.principal.arn(), made: now, until };
    cloud.sign_ins.insert(token.clone(), sign_in);
    Ok(json!({ "SigninToken": token }).to_string())
}

/// What a token stands for.
#[derive(Clone)]
pub(crate) struct SignIn {
    arn: String,
    made: Timestamp,
    until: Timestamp,
}

/// A console session, as a browser gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    pub arn: String,
    pub until: Timestamp,
    pub destination: String,
}

/// What a browser comes to that opens this address; None where it is not signed in.
pub(crate) fn visit(cloud: &Cloud, address: &str) -> Option<Visit> {
    let (place, query) = address.split_once('?')?;
    let parameters = Parameters::parse(query.as_bytes()).ok()?;
    parameters.refuse_unknown(&["Issuer", "Destination", "SigninToken"]).ok()?;
    let destination = parameters.optional("Destination")?.to_owned();
    let sign_in = cloud.sign_ins.get(parameters.optional("SigninToken")?)?;
    let in_time = cloud.clock.now().duration_since(sign_in.made) <= OPENS_FOR;
    let fits = place.ends_with("/federation") && parameters.action() == "login" && in_time;
    fits.then(|| Visit { arn: sign_in.arn.clone(), until: sign_in.until, destination })
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
