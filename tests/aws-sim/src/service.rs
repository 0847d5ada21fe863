//! From a request to its reply: which service, which action, whose failure.

use crate::authentication::authenticate;
use crate::caller::Caller;
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::failure::Kind;
use crate::http::{Delivery, Incoming, Reply};
use crate::parameters::Parameters;
use crate::request_log::{Outcome, Request};
use crate::signature::Claim;
use crate::{iam, random, signin, sts, xml};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Sts,
    Iam,
}

/// One call of the query protocol: the parameters it knows, and what it does. The result is the inside of the reply's
/// `...Result` element, empty for calls that have none.
pub(crate) struct Action {
    pub name: &'static str,
    pub parameters: &'static [&'static str],
    pub run: fn(&mut Cloud, &Caller, &Parameters) -> Result<String, AwsError>,
}

impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Iam => "iam",
        }
    }

    fn of(version: &str) -> Option<Service> {
        match version {
            "2011-06-15" => Some(Service::Sts),
            "2010-05-08" => Some(Service::Iam),
            _ => None,
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    fn action(self, name: &str) -> Result<&'static Action, AwsError> {
        let actions = match self {
            Service::Sts => sts::ACTIONS,
            Service::Iam => iam::ACTIONS,
        };
        let unknown = || AwsError::new(400, "InvalidAction", format!("Could not find operation {name}"));
        actions.iter().find(|action| action.name == name).ok_or_else(unknown)
    }
}

pub(crate) fn answer(cloud: &mut Cloud, incoming: &Incoming) -> (Reply, Delivery) {
    if incoming.path() == "/federation" {
        return signin::answer(cloud, incoming);
    }
    let parameters = Parameters::parse(&incoming.body).unwrap_or_default();
    let service = Service::of(parameters.version());
    let claim = Claim::read(incoming);
    let entry = log_entry(cloud, service, &parameters, claim.as_ref().ok());
    let request_id = random::request_id();
    let (result, delivery) = under_failures(cloud, entry, |cloud| {
        let service = service.ok_or_else(|| AwsError::new(400, "InvalidAction", "No such version of a service"))?;
        let result = call(cloud, service, incoming, claim)?;
        Ok(xml::response(parameters.action(), service.namespace(), &result, &request_id))
    });
    let namespace = service.unwrap_or(Service::Sts).namespace();
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(error) => (error.status, xml::error(&error, namespace, &request_id)),
    };
    let reply = Reply { status, content_type: "text/xml", body, request_id, date: cloud.clock.now() };
    (reply, delivery)
}

fn call(
    cloud: &mut Cloud,
    service: Service,
    incoming: &Incoming,
    claim: Result<Claim, AwsError>,
) -> Result<String, AwsError> {
    check_form(incoming)?;
    let parameters = Parameters::parse(&incoming.body)?;
    let caller = authenticate(cloud, service, &claim?, incoming)?;
    let action = service.action(parameters.action())?;
    parameters.refuse_unknown(action.parameters)?;
    (action.run)(cloud, &caller, &parameters)
}

fn check_form(incoming: &Incoming) -> Result<(), AwsError> {
    let content_type = incoming.header("content-type").unwrap_or_default();
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    if incoming.method == "POST" && incoming.target == "/" && is_form {
        return Ok(());
    }
    Err(AwsError::new(400, "MalformedQueryString", "Calls are form-encoded POST requests to /"))
}

fn log_entry(cloud: &Cloud, service: Option<Service>, parameters: &Parameters, claim: Option<&Claim>) -> Request {
    Request {
        at: cloud.clock.now(),
        service: service.map_or("", Service::name).to_owned(),
        action: parameters.action().to_owned(),
        region: claim.map_or("", |claim| &claim.region).to_owned(),
        parameters: parameters.arguments(),
        access_key_id: claim.map(|claim| claim.access_key_id.clone()),
        signed_with_token: claim.is_some_and(|claim| claim.token.is_some()),
        outcome: Outcome::Ok,
    }
}

/// Runs `apply` unless an ordered failure stands in its place, and logs how it ended.
pub(crate) fn under_failures(
    cloud: &mut Cloud,
    mut entry: Request,
    apply: impl FnOnce(&mut Cloud) -> Result<String, AwsError>,
) -> (Result<String, AwsError>, Delivery) {
    let failure = cloud.failures.strike(&entry.action);
    let delivery = Delivery::under(failure.as_ref());
    let result = match &failure {
        Some(Kind::BeforeSend) => Ok(String::new()),
        Some(Kind::Altered(text, other)) => apply(cloud).map(|answer| answer.replace(text, other)),
        Some(kind) => kind.error().map_or_else(|| apply(cloud), Err),
        None => apply(cloud),
    };
    entry.outcome = match (&failure, &result) {
        (Some(Kind::BeforeSend), _) => Outcome::Lost { applied: false },
        (Some(Kind::AfterApplied | Kind::CutReply(_)), result) => Outcome::Lost { applied: result.is_ok() },
        (_, Ok(_)) => Outcome::Ok,
        (_, Err(error)) => Outcome::Refused(error.code.clone()),
    };
    cloud.log.push(entry);
    (result, delivery)
}
