//! IAM's calls on access keys.
//! https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html

use crate::caller::Caller;
use crate::clock::{iso, signed};
use crate::cloud::Cloud;
use crate::constraints::{Constraints, WORD};
use crate::error::AwsError;
use crate::iam::{Subject, page};
use crate::key::{AccessKey, Status};
use crate::parameters::Parameters;
use crate::service::Action;
use crate::xml;

pub(crate) const LIST: Action =
    Action { name: "ListAccessKeys", parameters: &["UserName", "Marker", "MaxItems"], run: list };
pub(crate) const CREATE: Action = Action { name: "CreateAccessKey", parameters: &["UserName"], run: create };
pub(crate) const UPDATE: Action =
    Action { name: "UpdateAccessKey", parameters: &["UserName", "AccessKeyId", "Status"], run: update };
pub(crate) const DELETE: Action =
    Action { name: "DeleteAccessKey", parameters: &["UserName", "AccessKeyId"], run: delete };
pub(crate) const LAST_USED: Action =
    Action { name: "GetAccessKeyLastUsed", parameters: &["AccessKeyId"], run: last_used };

/// Active or not: a deactivated key still counts.
const KEYS_PER_USER: usize = 2;

fn list(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let subject = Subject::authorized(cloud, caller, parameters, "iam:ListAccessKeys")?;
    let member = |key: &AccessKey| described(key, &subject.name).concat();
    let members = cloud.keys_of(&subject.arn).into_iter().map(member).collect();
    page("AccessKeyMetadata", members, parameters)
}

fn create(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let subject = Subject::authorized(cloud, caller, parameters, "iam:CreateAccessKey")?;
    if cloud.keys_of(&subject.arn).len() >= KEYS_PER_USER {
        let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_PER_USER}");
        return Err(AwsError::new(409, "LimitExceeded", message));
    }
    let id = cloud.create_key(&subject.arn);
    let Cloud { keys, propagation, .. } = cloud;
    let key = keys.get_mut(&id).ok_or_else(|| not_found(&id))?;
    key.spread_by(propagation);
    let mut fields = described(key, &subject.name);
    fields.push(xml::text("SecretAccessKey", &key.secret));
    Ok(xml::nest("AccessKey", &fields))
}

fn update(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let id = key_id(parameters)?;
    let status = match parameters.required("Status")? {
        "Active" => Status::Active,
        "Inactive" => Status::Inactive,
        other => {
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    let subject = Subject::authorized(cloud, caller, parameters, "iam:UpdateAccessKey")?;
    let lingering = cloud.lingering_until();
    owned(cloud, &subject, id)?.set_status(status, lingering);
    Ok(String::new())
}

fn delete(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let id = key_id(parameters)?;
    let subject = Subject::authorized(cloud, caller, parameters, "iam:DeleteAccessKey")?;
    let lingering = cloud.lingering_until();
    owned(cloud, &subject, id)?.delete(lingering);
    Ok(String::new())
}

/// A key of another account, or of nobody, is refused as forbidden and not as unknown.
fn last_used(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let id = key_id(parameters)?;
    let latest = caller.now - signed(cloud.propagation.last_used_lag);
    let user_and_key = cloud.keys.get(id).filter(|key| !key.deleted).and_then(|key| {
        let user = cloud.users.get(&key.owner)?;
        (user.principal.account() == caller.principal.account()).then_some((user, key))
    });
    let Some((user, key)) = user_and_key else {
        let arn = caller.principal.arn();
        return Err(AwsError::access_denied(format!(
            "User: {arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key {id}"
        )));
    };
    caller.authorize(cloud, "iam:GetAccessKeyLastUsed", &key.owner, &format!("user {}", user.name))?;
    let last = key.last_use_before(latest);
    let fields = [
        xml::optional("LastUsedDate", last.map(|last| iso(last.at))),
        xml::text("ServiceName", last.map_or("N/A", |last| last.service)),
        xml::text("Region", last.map_or("N/A", |last| &last.region)),
    ];
    Ok(xml::text("UserName", &user.name) + &xml::nest("AccessKeyLastUsed", &fields))
}

fn described(key: &AccessKey, user: &str) -> Vec<String> {
    vec![
        xml::text("UserName", user),
        xml::text("AccessKeyId", &key.id),
        xml::text("Status", key.status.as_str()),
        xml::text("CreateDate", iso(key.created)),
    ]
}

fn key_id(parameters: &Parameters) -> Result<&str, AwsError> {
    let id = parameters.required("AccessKeyId")?;
    let mut constraints = Constraints::default();
    constraints.text("AccessKeyId", Some(id), (16, 128), &WORD);
    constraints.check()?;
    Ok(id)
}

fn owned<'a>(cloud: &'a mut Cloud, subject: &Subject, id: &str) -> Result<&'a mut AccessKey, AwsError> {
    let key = cloud.keys.get_mut(id).filter(|key| key.owner == subject.arn && !key.deleted);
    key.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> AwsError {
    AwsError::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}
