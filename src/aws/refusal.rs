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
