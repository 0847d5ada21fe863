//! GetFederationToken: a named session of a user, with at most what its policies grant.
//! https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html

use crate::caller::{Caller, Principal};
use crate::cloud::Cloud;
use crate::constraints::{Constraints, NAME};
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::service::Action;
use crate::session::{Kind, Session};
use crate::{sts, xml};

pub(crate) const ACTION: Action = Action {
    name: "GetFederationToken",
    parameters: &[
        "Name",
        "DurationSeconds",
        "Policy",
        "PolicyArns.member.N.arn",
        "Tags.member.N.Key",
        "Tags.member.N.Value",
    ],
    run: get_federation_token,
};

fn get_federation_token(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let name = parameters.required("Name")?;
    let duration = parameters.number("DurationSeconds")?;
    let mut constraints = Constraints::default();
    constraints.text("Name", Some(name), (2, 32), &NAME);
    constraints.range("DurationSeconds", duration, sts::TOKEN_SECONDS);
    constraints.check()?;
    sts::refuse_sessions(caller, "GetFederationToken")?;
    let account = caller.principal.account().to_owned();
    let principal =
        Principal::Federated { account: account.clone(), name: name.to_owned(), user_arn: caller.principal.arn() };
    let arn = principal.arn();
    caller.authorize(cloud, "sts:GetFederationToken", &arn, &arn)?;
    let seconds = sts::token_seconds(caller, duration);
    let session = Session {
        policies: sts::session_policies(parameters)?,
        ..sts::new_session(Kind::Federation, principal, caller.now, seconds)
    };
    let user = [xml::text("FederatedUserId", format!("{account}:{name}")), xml::text("Arn", arn)];
    Ok(xml::nest("FederatedUser", &user) + &sts::issue(cloud, session))
}
