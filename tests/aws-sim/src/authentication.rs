//! From a signed request to its caller.

use jiff::Timestamp;

use crate::caller::{Caller, CallerSession};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::http::Incoming;
use crate::service::Service;
use crate::session::{Kind, Session};
use crate::signature::Claim;

pub(crate) fn authenticate(
    cloud: &mut Cloud,
    service: Service,
    claim: &Claim,
    incoming: &Incoming,
) -> Result<Caller, AwsError> {
    let now = cloud.clock.now();
    claim.check_scope(service.name())?;
    claim.check_time(now)?;
    match &claim.token {
        Some(token) => with_session(cloud, service, claim, token, incoming, now),
        None => with_key(cloud, service, claim, incoming, now),
    }
}

fn with_key(
    cloud: &mut Cloud,
    service: Service,
    claim: &Claim,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<Caller, AwsError> {
    let key = cloud.keys.get_mut(&claim.access_key_id).ok_or_else(AwsError::invalid_token)?;
    if !key.honoured_by(service, now) {
        return Err(AwsError::invalid_token());
    }
    claim.check_signature(incoming, &key.secret)?;
    key.used(now, service.name(), &claim.region);
    let user = cloud.users.get(&key.owner).ok_or_else(AwsError::invalid_token)?;
    Ok(Caller { principal: user.principal.clone(), now, session: None })
}

fn with_session(
    cloud: &Cloud,
    service: Service,
    claim: &Claim,
    token: &str,
    incoming: &Incoming,
    now: Timestamp,
) -> Result<Caller, AwsError> {
    let session = cloud.sessions.get(&claim.access_key_id).filter(|session| session.token == token);
    let session = session.ok_or_else(AwsError::invalid_token)?;
    claim.check_signature(incoming, &session.secret)?;
    if session.expires <= now {
        return Err(AwsError::expired_token());
    }
    if service == Service::Iam && !reaches_iam(session) {
        return Err(AwsError::invalid_token());
    }
    let session_facts = CallerSession {
        kind: session.kind,
        made: session.made,
        mfa_at: session.mfa_at,
        policies: session.policies.clone(),
        source_identity: session.source_identity.clone(),
    };
    Ok(Caller { principal: session.principal.clone(), now, session: Some(session_facts) })
}

/// "You cannot call any IAM API operations unless MFA authentication information is included in the request."
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
fn reaches_iam(session: &Session) -> bool {
    match session.kind {
        Kind::SessionToken => session.mfa_at.is_some(),
        Kind::Role => true,
        Kind::Federation => false,
    }
}
