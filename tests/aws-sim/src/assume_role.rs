//! AssumeRole: trust, conditions, durations, and what a session may carry.
//! https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

use crate::caller::{Caller, Principal, set_mfa};
use crate::cloud::Cloud;
use crate::constraints::{Constraints, EXTERNAL_ID, NAME};
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::policy::{Question, Verdict};
use crate::role::RoleRecord;
use crate::service::Action;
use crate::session::{Kind, Session};
use crate::{sts, xml};

pub(crate) const ACTION: Action = Action {
    name: "AssumeRole",
    parameters: &[
        "RoleArn",
        "RoleSessionName",
        "DurationSeconds",
        "ExternalId",
        "SerialNumber",
        "TokenCode",
        "Policy",
        "PolicyArns.member.N.arn",
        "Tags.member.N.Key",
        "Tags.member.N.Value",
        "TransitiveTagKeys.member.N",
        "SourceIdentity",
    ],
    run: assume_role,
};

const DEFAULT_SECONDS: i64 = 3600;
/// Of any role assumed with temporary credentials.
const CHAINED_MOST_SECONDS: i64 = 3600;
const POLICY_MOST_CHARACTERS: usize = 2048;

fn assume_role(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let duration = parameters.number("DurationSeconds")?;
    check_parameters(parameters, duration)?;
    if matches!(caller.principal, Principal::Root { .. }) {
        return Err(AwsError::access_denied("Roles may not be assumed by root accounts."));
    }
    let seconds = duration.unwrap_or(DEFAULT_SECONDS);
    if !caller.is_long_term() && seconds > CHAINED_MOST_SECONDS {
        return Err(AwsError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    let mfa_at = sts::verify_mfa(cloud, caller, parameters)?;
    let role = authorized_role(cloud, caller, parameters, mfa_at.is_some())?;
    if seconds > role.max_session_seconds {
        return Err(AwsError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let session = session(role, caller, parameters, seconds)?;
    let reply = reply(role, &session, parameters);
    Ok(reply + &sts::issue(cloud, session))
}

fn check_parameters(parameters: &Parameters, duration: Option<i64>) -> Result<(), AwsError> {
    let mut constraints = Constraints::default();
    constraints.length("RoleArn", Some(parameters.required("RoleArn")?), (20, 2048));
    constraints.text("RoleSessionName", Some(parameters.required("RoleSessionName")?), (2, 64), &NAME);
    constraints.range("DurationSeconds", duration, (900, 43200));
    constraints.text("ExternalId", parameters.optional("ExternalId"), (2, 1224), &EXTERNAL_ID);
    constraints.text("SourceIdentity", parameters.optional("SourceIdentity"), (2, 64), &NAME);
    sts::constrain_mfa(&mut constraints, parameters);
    constraints.check()?;
    check_tags(parameters)?;
    check_policy_size(parameters)
}

fn check_tags(parameters: &Parameters) -> Result<(), AwsError> {
    let keys = parameters.list("Tags", ".Key");
    let values = parameters.list("Tags", ".Value");
    let mut constraints = Constraints::default();
    keys.iter().for_each(|key| constraints.length("Tags.member.key", Some(key), (1, 128)));
    values.iter().for_each(|value| constraints.length("Tags.member.value", Some(value), (0, 256)));
    constraints.check()?;
    if keys.len() > 50 || keys.len() != values.len() {
        return Err(AwsError::validation("A session takes at most 50 tags, each with a key and a value"));
    }
    let mut lower: Vec<_> = keys.iter().map(|key| key.to_lowercase()).collect();
    lower.sort();
    lower.dedup();
    if lower.len() != keys.len() {
        let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    let transitive = parameters.list("TransitiveTagKeys", "");
    if transitive.iter().any(|key| !lower.contains(&key.to_lowercase())) {
        let message = "The specified transitive tag key must be included in the requested tags.";
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    Ok(())
}

fn check_policy_size(parameters: &Parameters) -> Result<(), AwsError> {
    let arns: usize = parameters.list("PolicyArns", ".arn").iter().map(|arn| arn.len()).sum();
    let size = arns + parameters.optional("Policy").map_or(0, |policy| policy.chars().count());
    if size <= POLICY_MOST_CHARACTERS {
        return Ok(());
    }
    let percent = size * 100 / POLICY_MOST_CHARACTERS;
    let message = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
    Err(AwsError::new(400, "PackedPolicyTooLarge", message))
}

/// A role that doesn't exist is refused as one that doesn't trust the caller: AWS tells nobody which roles there are.
fn authorized_role<'a>(
    cloud: &'a Cloud,
    caller: &Caller,
    parameters: &Parameters,
    proved_mfa: bool,
) -> Result<&'a RoleRecord, AwsError> {
    let arn = parameters.required("RoleArn")?;
    let mut context = caller.context();
    if proved_mfa {
        set_mfa(&mut context, Some(0));
    }
    for (key, parameter) in [("sts:externalid", "ExternalId"), ("sts:rolesessionname", "RoleSessionName")] {
        context.extend(parameters.optional(parameter).map(|value| (key, value.to_owned())));
    }
    let question = Question { action: "sts:AssumeRole", resource: arn, context: &context };
    let refusal = |reason: &str| {
        let user = caller.principal.arn();
        let message = format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}{reason}");
        Err(AwsError::access_denied(message))
    };
    // "You cannot call any AWS STS API except GetCallerIdentity" with a federated user's credentials.
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
    let may_call = !matches!(caller.principal, Principal::Federated { .. });
    let Some(role) = cloud.roles.get(arn).filter(|_| may_call) else { return refusal("") };
    let (trust, by_name) = role.trust.judge_trust(&caller.principal, &question);
    let (identity, kind) = caller.judge(cloud, &question);
    // Trust in the caller itself is enough within the account; trust in its account leaves it to the caller's policies.
    let granted = identity == Verdict::Allowed || (by_name && role.account == caller.principal.account());
    match (identity, trust) {
        (Verdict::Denied, _) => refusal(&format!(" with an explicit deny in an {kind} policy")),
        (_, Verdict::Allowed) if granted => Ok(role),
        _ => refusal(""),
    }
}

fn session(role: &RoleRecord, caller: &Caller, parameters: &Parameters, seconds: i64) -> Result<Session, AwsError> {
    let principal = Principal::Role {
        account: role.account.clone(),
        role: role.name.clone(),
        role_arn: role.arn.clone(),
        session: parameters.required("RoleSessionName")?.to_owned(),
    };
    // The session itself carries no MFA: "the temporary credentials returned by AssumeRole do not include MFA
    // information in the context".
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    Ok(Session {
        chained: !caller.is_long_term(),
        policies: sts::session_policies(parameters)?,
        source_identity: source_identity(caller, parameters)?,
        ..sts::new_session(Kind::Role, principal, caller.now, seconds)
    })
}

/// Once set, a source identity stays for the whole chain.
fn source_identity(caller: &Caller, parameters: &Parameters) -> Result<Option<String>, AwsError> {
    let inherited = caller.session.as_ref().and_then(|session| session.source_identity.as_deref());
    let asked = parameters.optional("SourceIdentity");
    if inherited.is_some() && asked.is_some() && asked != inherited {
        return Err(AwsError::access_denied("The source identity of a session can't be changed in a role chain"));
    }
    Ok(asked.or(inherited).map(str::to_owned))
}

fn reply(role: &RoleRecord, session: &Session, parameters: &Parameters) -> String {
    let name = parameters.optional("RoleSessionName").unwrap_or_default();
    let user = [xml::text("AssumedRoleId", format!("{}:{name}", role.id)), xml::text("Arn", session.principal.arn())];
    let packed = (!session.policies.is_empty()).then_some("1");
    xml::nest("AssumedRoleUser", &user)
        + &xml::optional("PackedPolicySize", packed)
        + &xml::optional("SourceIdentity", session.source_identity.as_ref())
}
