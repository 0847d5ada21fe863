//! STS: who signs, and sessions.

use super::client::{Aws, Signer};
use super::error::AwsError;
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::{MfaCode, MfaSerial, RoleArn, arn_user_name};

/// Who AWS says signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

impl CallerIdentity {
    /// The IAM user's name; None for root and for roles.
    pub fn user_name(&self) -> Option<&str> {
        arn_user_name(&self.arn)
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn partition(&self) -> Option<&str> {
        self.arn.split(':').nth(1).filter(|partition| !partition.is_empty())
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
    pub fn caller_identity(&self, _signer: &Signer) -> Result<CallerIdentity, AwsError> {
        unimplemented!("arrives with the next commit")
    }

    pub fn session_token(
        &self,
        _key: &AccessKey,
        _request: &SessionTokenRequest,
    ) -> Result<SessionCredentials, AwsError> {
        unimplemented!("arrives with the next commit")
    }

    pub fn assume_role(&self, _signer: &Signer, _request: &AssumeRoleRequest) -> Result<SessionCredentials, AwsError> {
        unimplemented!("arrives with the next commit")
    }
}
