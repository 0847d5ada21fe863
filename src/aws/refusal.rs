//! What AWS's refusals mean.

/// A refusal told apart by code and text, since AWS has one code, AccessDenied, for many reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The MFA code is wrong, or was used before.
    WrongCode,
    /// The MFA serial names no device of this user.
    WrongSerial,
    AccessDenied,
    /// No such access key, or it is inactive; also what a key answers for up to a minute after it was made.
    UnknownKey,
    /// The secret does not belong to the access key.
    SignatureMismatch,
    /// The session that signed is over.
    Expired,
    Throttled,
    /// Signed at another time than AWS has, and correcting it did not help.
    ClockSkew,
    /// GetSessionToken was signed by a session.
    SessionForSession,
    /// A role assumed from a role lives for an hour at most.
    RoleChainingCap,
    /// More than the role's own maximum session duration.
    MaxSessionDuration,
    /// A parameter is outside AWS's limits; the text says which.
    Invalid,
    /// STS is switched off for this region in the account's settings.
    RegionDisabled,
    LimitExceeded,
    NoSuchEntity,
    /// Something of this name is there already.
    AlreadyExists,
    /// Two codes that were to enable or resynchronise an MFA device.
    WrongPairOfCodes,
    /// AWS itself failed (5xx).
    Unavailable,
    Other {
        code: String,
    },
}

impl Refusal {
    /// Codes and texts as STS and IAM send them; the texts are not documented and are matched by the words that matter.
    pub(super) fn of(status: u16, code: &str, message: &str) -> Self {
        match code {
            "AccessDenied" | "AccessDeniedException" => Self::of_denial(message),
            "ValidationError" | "ValidationException" => Self::of_validation(message),
            "SignatureDoesNotMatch" | "InvalidSignatureException" => {
                // "Signature expired: 20240101T000000Z is now earlier than ..." and "Signature not yet current: ...".
                let of_time = ["Signature expired", "Signature not yet current"];
                if of_time.iter().any(|words| message.contains(words)) {
                    Self::ClockSkew
                } else {
                    Self::SignatureMismatch
                }
            }
            "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Self::ClockSkew,
            "InvalidClientTokenId" | "UnrecognizedClientException" => Self::UnknownKey,
            "ExpiredToken" | "ExpiredTokenException" => Self::Expired,
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "TooManyRequestsException" => Self::Throttled,
            "InvalidInput"
            | "InvalidParameterValue"
            | "InvalidParameterCombination"
            | "MissingParameter"
            | "MalformedPolicyDocument"
            | "PackedPolicyTooLarge" => Self::Invalid,
            "RegionDisabledException" => Self::RegionDisabled,
            "LimitExceeded" | "LimitExceededException" => Self::LimitExceeded,
            "NoSuchEntity" | "NoSuchEntityException" => Self::NoSuchEntity,
            "EntityAlreadyExists" | "EntityAlreadyExistsException" => Self::AlreadyExists,
            "InvalidAuthenticationCode" | "InvalidAuthenticationCodeException" => Self::WrongPairOfCodes,
            _ if status == 429 => Self::Throttled,
            _ if status >= 500 => Self::Unavailable,
            _ => Self::Other { code: code.to_owned() },
        }
    }

    fn of_denial(message: &str) -> Self {
        if message.contains("invalid MFA one time pass code") {
            Self::WrongCode
        } else if message.contains("verify your MFA serial number") {
            Self::WrongSerial
        } else if message.contains("GetSessionToken with session credentials") {
            Self::SessionForSession
        } else {
            Self::AccessDenied
        }
    }

    fn of_validation(message: &str) -> Self {
        if message.contains("role chaining") {
            Self::RoleChainingCap
        } else if message.contains("MaxSessionDuration set for this role") {
            Self::MaxSessionDuration
        } else {
            Self::Invalid
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sim::{Failure, Kind, Role, Status, Trust};

    use super::*;
    use crate::aws::stage::{Stage, access_key, some_key};
    use crate::aws::{AssumeRoleRequest, AwsError, SessionTokenRequest, Signer};

    fn refusal<T>(answer: Result<T, AwsError>) -> Refusal {
        match answer.map(|_| "an answer") {
            Err(AwsError::Refused { refusal, message, .. }) if !message.is_empty() => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn role_for(seconds: u32, role_arn: &str) -> AssumeRoleRequest {
        AssumeRoleRequest {
            role_arn: role_arn.parse().unwrap(),
            session_name: "vault-alice-1".into(),
            duration_seconds: seconds,
            mfa: None,
            external_id: None,
            tags: vec![],
            transitive_tags: vec![],
            source_identity: None,
            policy: None,
            policy_arns: vec![],
        }
    }

    #[test]
    fn a_wrong_code_a_used_code_and_a_wrong_serial_are_told_apart() {
        let stage = Stage::new();
        let wrong = stage.with_code(&stage.phone.wrong_code());
        assert_eq!(refusal(stage.aws.session_token(&stage.key, &wrong)), Refusal::WrongCode);

        let used = stage.with_mfa();
        assert!(stage.aws.session_token(&stage.key, &used).is_ok());
        assert_eq!(refusal(stage.aws.session_token(&stage.key, &used)), Refusal::WrongCode);

        let mut lost = stage.with_mfa();
        lost.mfa.as_mut().unwrap().serial = "arn:aws:iam::123456789012:mfa/lost".parse().unwrap();
        assert_eq!(refusal(stage.aws.session_token(&stage.key, &lost)), Refusal::WrongSerial);
    }

    #[test]
    fn a_key_that_is_unknown_inactive_or_has_another_secret_is_told_apart() {
        let stage = Stage::new();
        let caller = |key| refusal(stage.aws.caller_identity(&Signer::AccessKey(key)));
        let unknown = some_key();
        assert_eq!(caller(&unknown), Refusal::UnknownKey);
        let other_secret = access_key(stage.key.id.as_str(), unknown.secret.expose());
        assert_eq!(caller(&other_secret), Refusal::SignatureMismatch);
        stage.sim.set_key_status(stage.key.id.as_str(), Status::Inactive);
        assert_eq!(caller(&stage.key), Refusal::UnknownKey);
    }

    #[test]
    fn a_request_that_aws_repeats_does_not_get_into_the_error() {
        let stage = Stage::new();
        let repeated = "The signature does not match.\n\nThe Canonical String was\n'POST\nx-amz-security-token:FwoGZ'";
        stage.answer(403, "SignatureDoesNotMatch", repeated);
        let refused = stage.aws.caller_identity(&Signer::AccessKey(&stage.key));
        assert_eq!(
            refused,
            Err(AwsError::Refused {
                action: "GetCallerIdentity",
                refusal: Refusal::SignatureMismatch,
                message: "The signature does not match.".into()
            })
        );
    }

    #[test]
    fn what_a_user_may_not_do_and_what_is_not_there_are_told_apart() {
        let stage = Stage::new();
        let devices = |name| refusal(stage.aws.mfa_devices(&Signer::AccessKey(&stage.key), name));
        assert_eq!(devices("nobody"), Refusal::NoSuchEntity);
        stage.sim.deny(&stage.user, "iam:ListMFADevices");
        assert_eq!(devices("alice"), Refusal::AccessDenied);
    }

    #[test]
    fn a_session_that_is_over_is_expired() {
        let stage = Stage::new();
        let session = stage.mfa_session();
        stage.sim.advance(Duration::from_secs(3601));
        assert_eq!(refusal(stage.aws.caller_identity(&Signer::Session(&session))), Refusal::Expired);
    }

    #[test]
    fn each_limit_on_a_roles_duration_is_told_apart() {
        let stage = Stage::new();
        let role = stage.sim.add_role(Role::new("123456789012", "admin", Trust::of("123456789012")));
        let direct = stage.aws.assume_role(&Signer::AccessKey(&stage.key), &role_for(7200, &role));
        assert_eq!(refusal(direct), Refusal::MaxSessionDuration);
        let session = stage.mfa_session();
        let chained = stage.aws.assume_role(&Signer::Session(&session), &role_for(7200, &role));
        assert_eq!(refusal(chained), Refusal::RoleChainingCap);
        let too_short = SessionTokenRequest { duration_seconds: 899, mfa: None };
        assert_eq!(refusal(stage.aws.session_token(&stage.key, &too_short)), Refusal::Invalid);
    }

    #[test]
    fn a_throttled_read_is_repeated_before_it_is_reported() {
        let stage = Stage::new();
        stage.sim.fail(Failure::on("GetCallerIdentity").kind(Kind::Throttle).lasting());
        let signer = Signer::AccessKey(&stage.key);
        assert_eq!(refusal(stage.aws.caller_identity(&signer)), Refusal::Throttled);
        assert_eq!(stage.sim.count("GetCallerIdentity"), 3);
    }

    /// What the simulator has no way to, or what our own types keep us from asking, in AWS's words.
    #[test]
    fn codes_and_texts_of_aws_have_their_meaning() {
        let expired =
            "Signature expired: 20240101T000000Z is now earlier than 20240101T001500Z (20240101T002000Z - 5 min.)";
        let early = "Signature not yet current: 20240101T002000Z is still later than 20240101T000500Z";
        for (http, code, message, meaning) in [
            (403, "AccessDenied", "Cannot call GetSessionToken with session credentials", Refusal::SessionForSession),
            (403, "SignatureDoesNotMatch", expired, Refusal::ClockSkew),
            (403, "SignatureDoesNotMatch", early, Refusal::ClockSkew),
            (400, "RequestExpired", "Request has expired.", Refusal::ClockSkew),
            (403, "RequestTimeTooSkewed", "The difference is too large.", Refusal::ClockSkew),
            (403, "RegionDisabledException", "STS is not activated in this region.", Refusal::RegionDisabled),
            (409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", Refusal::LimitExceeded),
            (400, "PackedPolicyTooLarge", "Packed policy consumes 101% of allotted space", Refusal::Invalid),
            (429, "SlowDown", "Slow down", Refusal::Throttled),
            (503, "ServiceUnavailable", "Service is unavailable", Refusal::Unavailable),
            (418, "Teapot", "short and stout", Refusal::Other { code: "Teapot".into() }),
        ] {
            let stage = Stage::new();
            stage.answer(http, code, message);
            let answer = stage.aws.session_token(&stage.key, &stage.with_mfa());
            let refused = AwsError::Refused { action: "GetSessionToken", refusal: meaning, message: message.into() };
            assert_eq!(answer.err(), Some(refused), "{code}");
        }
    }
}
