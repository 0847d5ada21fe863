//! STS: who signs, and sessions.

use aws_sdk_sts::types::{Credentials, PolicyDescriptorType, Tag};

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::time::timestamp;
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::{MfaCode, MfaSerial, NameError, RoleArn, arn_is_root, arn_partition, arn_user_name};
use crate::secret::{SecretAccessKey, SessionToken};

/// Who AWS says signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

impl CallerIdentity {
    pub fn is_root(&self) -> bool {
        arn_is_root(&self.arn)
    }

    /// The IAM user's name; None for root and for roles.
    pub fn user_name(&self) -> Option<&str> {
        arn_user_name(&self.arn)
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn partition(&self) -> Option<&str> {
        arn_partition(&self.arn)
    }
}

/// A code and the device it came from.
#[derive(Clone)]
pub struct MfaAnswer {
    pub serial: MfaSerial,
    pub code: MfaCode,
}

#[derive(Clone)]
pub struct SessionTokenRequest {
    pub duration_seconds: u32,
    pub mfa: Option<MfaAnswer>,
}

#[derive(Clone)]
pub struct AssumeRoleRequest {
    pub role_arn: RoleArn,
    pub session_name: String,
    pub duration_seconds: u32,
    pub mfa: Option<MfaAnswer>,
    pub external_id: Option<String>,
    pub tags: Vec<(String, String)>,
    pub transitive_tags: Vec<String>,
    pub source_identity: Option<String>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
}

impl Aws {
    /// Needs no permission, so it tells whether a key works at all.
    pub fn caller_identity(&self, signer: &Signer) -> Result<CallerIdentity, AwsError> {
        let action = "GetCallerIdentity";
        let answer = self.call(action, Repeat::Freely, async || {
            let call = self.sts().get_caller_identity().customize();
            call.config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        match (answer.account, answer.arn, answer.user_id) {
            (Some(account), Some(arn), Some(user_id)) => Ok(CallerIdentity { account, arn, user_id }),
            _ => Err(AwsError::unreadable(action, "no account, ARN or user id in it")),
        }
    }

    /// Sessions of an IAM user. Signed by a long-term key, since AWS makes no session from a session.
    pub fn session_token(
        &self,
        key: &AccessKey,
        request: &SessionTokenRequest,
    ) -> Result<SessionCredentials, AwsError> {
        let action = "GetSessionToken";
        let repeat = repeat_of(&request.mfa);
        let answer = self.call(action, repeat, async || {
            self.sts()
                .get_session_token()
                .duration_seconds(seconds(request.duration_seconds))
                .set_serial_number(serial(&request.mfa))
                .set_token_code(code(&request.mfa))
                .customize()
                .config_override(signed_by(&Signer::AccessKey(key), repeat))
                .send()
                .await
        })?;
        credentials(action, answer.credentials)
    }

    pub fn assume_role(&self, signer: &Signer, request: &AssumeRoleRequest) -> Result<SessionCredentials, AwsError> {
        let action = "AssumeRole";
        let repeat = repeat_of(&request.mfa);
        let answer = self.call(action, repeat, async || {
            self.sts()
                .assume_role()
                .role_arn(request.role_arn.as_str())
                .role_session_name(&request.session_name)
                .duration_seconds(seconds(request.duration_seconds))
                .set_serial_number(serial(&request.mfa))
                .set_token_code(code(&request.mfa))
                .set_external_id(request.external_id.clone())
                .set_tags(unless_empty(request.tags.iter().map(tag).collect()))
                .set_transitive_tag_keys(unless_empty(request.transitive_tags.clone()))
                .set_source_identity(request.source_identity.clone())
                .set_policy(request.policy.clone())
                .set_policy_arns(unless_empty(request.policy_arns.iter().map(policy_arn).collect()))
                .customize()
                .config_override(signed_by(signer, repeat))
                .send()
                .await
        })?;
        credentials(action, answer.credentials)
    }
}

pub(super) fn signed_by(signer: &Signer, repeat: Repeat) -> aws_sdk_sts::config::Builder {
    aws_sdk_sts::Config::builder().credentials_provider(signer.credentials()).retry_config(repeat.retry_config())
}

/// Without a code a lost reply costs nothing but a session that nobody uses.
fn repeat_of(mfa: &Option<MfaAnswer>) -> Repeat {
    if mfa.is_some() { Repeat::OnlyUnsent } else { Repeat::Freely }
}

fn serial(mfa: &Option<MfaAnswer>) -> Option<String> {
    mfa.as_ref().map(|answer| answer.serial.to_string())
}

fn code(mfa: &Option<MfaAnswer>) -> Option<String> {
    mfa.as_ref().map(|answer| answer.code.as_str().to_owned())
}

fn seconds(duration: u32) -> i32 {
    i32::try_from(duration).unwrap_or(i32::MAX)
}

fn tag((key, value): &(String, String)) -> Tag {
    Tag::builder().key(key).value(value).build().expect("both required fields are set")
}

fn policy_arn(arn: &String) -> PolicyDescriptorType {
    PolicyDescriptorType::builder().arn(arn).build()
}

/// An empty list would be sent as an empty parameter.
fn unless_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

pub(super) fn credentials(action: &'static str, answer: Option<Credentials>) -> Result<SessionCredentials, AwsError> {
    let answer = answer.ok_or_else(|| AwsError::unreadable(action, "no credentials in it"))?;
    // These go into files and shell lines; AWS's are base64.
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable(&answer.secret_access_key) || !printable(&answer.session_token) {
        return Err(AwsError::unreadable(action, "credentials that are not printable text"));
    }
    Ok(SessionCredentials {
        access_key_id: answer.access_key_id.parse().map_err(|error: NameError| AwsError::unreadable(action, error))?,
        secret_access_key: SecretAccessKey::new(answer.secret_access_key),
        session_token: SessionToken::new(answer.session_token),
        expiration: timestamp(answer.expiration).map_err(|error| AwsError::unreadable(action, error))?,
    })
}

#[cfg(test)]
mod tests {
    use aws_sim::{Role, SessionKind, Trust};

    use super::*;
    use crate::aws::stage::Stage;

    #[test]
    fn the_signer_is_named_by_account_arn_and_partition() {
        let stage = Stage::new();
        let alice = stage.aws.caller_identity(&Signer::AccessKey(&stage.key)).unwrap();
        assert_eq!(alice.account, "123456789012");
        assert_eq!((alice.user_name(), alice.partition()), (Some("alice"), Some("aws")));
        let root = CallerIdentity { arn: "arn:aws-cn:iam::123456789012:root".into(), ..alice };
        assert_eq!((root.user_name(), root.partition()), (None, Some("aws-cn")));
    }

    #[test]
    fn a_session_is_signed_for_our_region_and_asks_for_what_was_requested() {
        let stage = Stage::new();
        let session = stage.mfa_session();
        let facts = stage.sim.session(session.access_key_id.as_str()).unwrap();
        assert_eq!((facts.kind, facts.with_mfa), (SessionKind::SessionToken, true));
        assert_eq!(facts.expires.as_second(), session.expiration.as_second());

        let [request] = &stage.sim.requests()[..] else { panic!("one request") };
        assert_eq!((request.region.as_str(), request.service.as_str()), ("eu-central-1", "sts"));
        let names: Vec<_> = request.parameters.keys().map(String::as_str).collect();
        assert_eq!(names, ["DurationSeconds", "SerialNumber", "TokenCode"]);
        assert_eq!(request.parameter("DurationSeconds"), Some("3600"));
    }

    #[test]
    fn without_mfa_neither_serial_nor_code_is_sent() {
        let stage = Stage::new();
        let request = SessionTokenRequest { duration_seconds: 900, mfa: None };
        let session = stage.aws.session_token(&stage.key, &request).unwrap_or_else(|error| panic!("{error}"));
        assert!(!stage.sim.session(session.access_key_id.as_str()).unwrap().with_mfa);
        assert_eq!(stage.sim.requests()[0].parameters.len(), 1);
    }

    #[test]
    fn all_that_narrows_and_names_a_roles_session_is_passed_on() {
        let stage = Stage::new();
        let trust = Trust::of("123456789012").with_external_id("x-42");
        let role = stage.sim.add_role(Role::new("123456789012", "admin", trust));
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}"#;
        let request = AssumeRoleRequest {
            role_arn: role.parse().unwrap(),
            session_name: "vault-alice-1".into(),
            duration_seconds: 1800,
            mfa: None,
            external_id: Some("x-42".into()),
            tags: vec![("team".into(), "blue".into()), ("cost".into(), "7".into())],
            transitive_tags: vec!["team".into()],
            source_identity: Some("alice".into()),
            policy: Some(policy.into()),
            policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
        };
        let session = stage.mfa_session();
        let assumed = stage.aws.assume_role(&Signer::Session(&session), &request);
        let assumed = assumed.unwrap_or_else(|error| panic!("{error}"));
        let facts = stage.sim.session(assumed.access_key_id.as_str()).unwrap();
        assert!(facts.narrowed && facts.source_identity.as_deref() == Some("alice"));

        let sent = stage.sim.requests().pop().unwrap();
        assert!(sent.signed_with_token);
        let sent: Vec<_> = sent.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("DurationSeconds", "1800"),
            ("ExternalId", "x-42"),
            ("Policy", policy),
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("RoleArn", role.as_str()),
            ("RoleSessionName", "vault-alice-1"),
            ("SourceIdentity", "alice"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
            ("Tags.member.2.Key", "cost"),
            ("Tags.member.2.Value", "7"),
            ("TransitiveTagKeys.member.1", "team"),
        ];
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_code_can_go_with_the_role_itself() {
        let stage = Stage::new();
        let trust = Trust::of("123456789012").with_mfa();
        let role = Role::new("123456789012", "admin", trust).max_session(std::time::Duration::from_secs(7200));
        let request = AssumeRoleRequest {
            role_arn: stage.sim.add_role(role).parse().unwrap(),
            session_name: "vault-alice-1".into(),
            duration_seconds: 7200,
            mfa: stage.with_mfa().mfa,
            external_id: None,
            tags: vec![],
            transitive_tags: vec![],
            source_identity: None,
            policy: None,
            policy_arns: vec![],
        };
        assert!(stage.aws.assume_role(&Signer::AccessKey(&stage.key), &request).is_ok());
        assert_eq!(stage.sim.requests()[0].parameters.len(), 5);
    }
}
