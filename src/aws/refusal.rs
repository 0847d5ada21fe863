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
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
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
