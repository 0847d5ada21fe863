//! IAM's calls on roles.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::caller::Caller;
use crate::clock::iso;
use crate::cloud::Cloud;
use crate::constraints::{Constraints, NAME};
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::role::RoleRecord;
use crate::service::Action;
use crate::xml;

const LEAST_SECONDS: i64 = 3600;

pub(crate) const GET: Action = Action { name: "GetRole", parameters: &["RoleName"], run: get };
pub(crate) const UPDATE: Action =
    Action { name: "UpdateRole", parameters: &["RoleName", "Description", "MaxSessionDuration"], run: update };

fn get(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let role = authorized(cloud, caller, parameters, "iam:GetRole")?;
    let fields = [
        xml::text("Path", "/"),
        xml::text("RoleName", &role.name),
        xml::text("RoleId", &role.id),
        xml::text("Arn", &role.arn),
        xml::text("CreateDate", iso(role.created)),
        // IAM sends policy documents percent-encoded inside the XML.
        xml::text("AssumeRolePolicyDocument", utf8_percent_encode(&role.trust_json, NON_ALPHANUMERIC).to_string()),
        xml::optional("Description", role.description.as_ref()),
        xml::text("MaxSessionDuration", role.max_session_seconds.to_string()),
    ];
    Ok(xml::nest("Role", &fields))
}

fn update(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let seconds = parameters.number("MaxSessionDuration")?;
    let mut constraints = Constraints::default();
    constraints.range("MaxSessionDuration", seconds, (LEAST_SECONDS, 43200));
    constraints.length("Description", parameters.optional("Description"), (0, 1000));
    constraints.check()?;
    let role = authorized(cloud, caller, parameters, "iam:UpdateRole")?;
    // "If you do not specify a value for this setting, the default value of one hour is applied." Of a description left out
    // the reference says nothing, so nobody may count on its staying.
    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
    role.max_session_seconds = seconds.unwrap_or(LEAST_SECONDS);
    role.description = parameters.optional("Description").map(str::to_owned);
    // An empty element: the one IAM reply that has a result with nothing in it.
    Ok(" ".to_owned())
}

fn authorized<'a>(
    cloud: &'a mut Cloud,
    caller: &Caller,
    parameters: &Parameters,
    action: &str,
) -> Result<&'a mut RoleRecord, AwsError> {
    let name = parameters.required("RoleName")?;
    let mut constraints = Constraints::default();
    constraints.text("RoleName", Some(name), (1, 64), &NAME);
    constraints.check()?;
    let arn = format!("arn:aws:iam::{}:role/{name}", caller.principal.account());
    caller.authorize(cloud, action, &arn, &format!("role {name}"))?;
    let message = || format!("The role with name {name} cannot be found.");
    cloud.roles.get_mut(&arn).ok_or_else(|| AwsError::no_such_entity(message()))
}
