//! The Security Token Service.

use jiff::{SignedDuration, Timestamp};

use crate::caller::{Caller, Principal};
use crate::clock::iso;
use crate::cloud::Cloud;
use crate::constraints::{Constraints, DIGITS, SERIAL};
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::policy::Document;
use crate::service::Action;
use crate::session::{Kind, Session};
use crate::{assume_role, federation, random, xml};

pub(crate) const ACTIONS: &[Action] = &[
    Action { name: "GetCallerIdentity", parameters: &[], run: get_caller_identity },
    Action {
        name: "GetSessionToken",
        parameters: &["DurationSeconds", "SerialNumber", "TokenCode"],
        run: get_session_token,
    },
    assume_role::ACTION,
    federation::ACTION,
];

/// The root user's sessions are cut to an hour rather than refused.
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const ROOT_MOST_SECONDS: i64 = 3600;
const DEFAULT_SECONDS: i64 = 43200;

/// The limits of GetSessionToken and GetFederationToken.
pub(crate) const TOKEN_SECONDS: (i64, i64) = (900, 129_600);

/// Needs no permission: an explicit deny changes nothing.
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
fn get_caller_identity(cloud: &mut Cloud, caller: &Caller, _: &Parameters) -> Result<String, AwsError> {
    let principal = &caller.principal;
    let fields = [
        xml::text("Arn", principal.arn()),
        xml::text("UserId", user_id(cloud, principal)),
        xml::text("Account", principal.account()),
    ];
    Ok(fields.concat())
}

fn user_id(cloud: &Cloud, principal: &Principal) -> String {
    match principal {
        Principal::Root { account } => account.clone(),
        Principal::User { arn, .. } => cloud.users.get(arn).map(|user| user.id.clone()).unwrap_or_default(),
        Principal::Role { role_arn, session, .. } => {
            let role_id = cloud.roles.get(role_arn).map_or("", |role| &role.id);
            format!("{role_id}:{session}")
        }
        Principal::Federated { account, name, .. } => format!("{account}:{name}"),
    }
}

/// Asks no policy either: it is how a user authenticates.
fn get_session_token(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let duration = parameters.number("DurationSeconds")?;
    let mut constraints = Constraints::default();
    constraints.range("DurationSeconds", duration, TOKEN_SECONDS);
    constrain_mfa(&mut constraints, parameters);
    constraints.check()?;
    refuse_sessions(caller, "GetSessionToken")?;
    let mfa_at = verify_mfa(cloud, caller, parameters)?;
    let seconds = token_seconds(caller, duration);
    let session = Session { mfa_at, ..new_session(Kind::SessionToken, caller.principal.clone(), caller.now, seconds) };
    Ok(issue(cloud, session))
}

pub(crate) fn token_seconds(caller: &Caller, asked: Option<i64>) -> i64 {
    let most = if matches!(caller.principal, Principal::Root { .. }) { ROOT_MOST_SECONDS } else { TOKEN_SECONDS.1 };
    asked.unwrap_or(DEFAULT_SECONDS).min(most)
}

pub(crate) fn refuse_sessions(caller: &Caller, action: &str) -> Result<(), AwsError> {
    if caller.is_long_term() {
        return Ok(());
    }
    Err(AwsError::access_denied(format!("Cannot call {action} with session credentials")))
}

pub(crate) fn constrain_mfa(constraints: &mut Constraints, parameters: &Parameters) {
    constraints.text("SerialNumber", parameters.optional("SerialNumber"), (9, 256), &SERIAL);
    constraints.text("TokenCode", parameters.optional("TokenCode"), (6, 6), &DIGITS);
}

/// When the caller proved a second factor in this call; a right code is spent from here on, however the call ends.
pub(crate) fn verify_mfa(
    cloud: &mut Cloud,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<Option<Timestamp>, AwsError> {
    let (serial, code) = match (parameters.optional("SerialNumber"), parameters.optional("TokenCode")) {
        (None, None) => return Ok(None),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            return Err(AwsError::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            ));
        }
    };
    let owner = caller.principal.user_arn();
    let device = cloud
        .devices
        .get_mut(serial)
        .filter(|device| device.owner.is_some() && device.owner == owner && device.seed.is_some());
    let Some(device) = device else {
        return Err(AwsError::access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is \
             valid and associated with this user.",
        ));
    };
    if device.accept(code, caller.now) {
        return Ok(Some(caller.now));
    }
    Err(AwsError::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code."))
}

pub(crate) fn new_session(kind: Kind, principal: Principal, now: Timestamp, seconds: i64) -> Session {
    Session {
        access_key_id: random::id("ASIA"),
        secret: random::secret_access_key(),
        token: random::session_token(),
        principal,
        kind,
        chained: false,
        made: now,
        expires: now + SignedDuration::from_secs(seconds),
        mfa_at: None,
        policies: Vec::new(),
        source_identity: None,
    }
}

/// Remembers the session and returns its `Credentials` element.
pub(crate) fn issue(cloud: &mut Cloud, mut session: Session) -> String {
    session.token = cloud.session_token.clone().unwrap_or(session.token);
    let credentials = xml::nest(
        "Credentials",
        &[
            xml::text("AccessKeyId", &session.access_key_id),
            xml::text("SecretAccessKey", &session.secret),
            xml::text("SessionToken", &session.token),
            xml::text("Expiration", iso(session.expires)),
        ],
    );
    cloud.sessions.insert(session.access_key_id.clone(), session);
    credentials
}

/// The policies that a call passes to narrow its session.
pub(crate) fn session_policies(parameters: &Parameters) -> Result<Vec<Document>, AwsError> {
    let malformed = |error: String| AwsError::new(400, "MalformedPolicyDocument", error);
    let arns = parameters.list("PolicyArns", ".arn");
    if arns.len() > 10 {
        return Err(AwsError::validation("The number of policies exceeds the limit of 10"));
    }
    let inline = parameters.optional("Policy").map(|json| Document::parse(json).map_err(malformed));
    let managed = arns.into_iter().map(managed_policy);
    inline.into_iter().chain(managed).collect()
}

/// What the AWS-managed policies allow here, in outline; any other policy exists and allows nothing.
fn managed_policy(arn: &str) -> Result<Document, AwsError> {
    let invalid = || AwsError::validation(format!("Invalid ARN: {arn}"));
    let (_, name) =
        arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":policy/")).ok_or_else(invalid)?;
    let actions = match name {
        "AdministratorAccess" => r#"["*"]"#,
        "ReadOnlyAccess" => r#"["iam:Get*", "iam:List*"]"#,
        _ => "[]",
    };
    let json = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}}}"#);
    Document::parse(&json).map_err(|_| invalid())
}
