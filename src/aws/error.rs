//! Why a call to AWS brought nothing. Holds no secret: action names, AWS's codes and texts, and what the network said.

use thiserror::Error;

use super::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AwsError {
    /// AWS answered and said no. The message is AWS's own text, to be escaped before it is shown.
    #[error("{action} was refused: {message}")]
    Refused { action: &'static str, refusal: Refusal, message: String },
    /// No answer came.
    #[error("{action} got no answer: {detail}")]
    Network { action: &'static str, failure: NetworkFailure, detail: String },
    /// An answer came that makes no sense, from AWS or from something in between.
    #[error("{action} got an unreadable answer: {detail}")]
    Unreadable { action: &'static str, detail: String },
}

/// How far a call got that was never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFailure {
    /// The host's name has no address.
    Dns,
    /// Nothing could be sent: refused, unreachable, or the proxy said no.
    Connect,
    /// Somebody answered who could not prove to be that host.
    Tls,
    /// No connection in time (`sent` false), or no reply in time after the request may have been sent.
    Timeout { sent: bool },
    /// The connection broke after the request may have been sent: AWS may have acted on it, and an MFA code in it may be
    /// spent.
    Closed,
}

impl NetworkFailure {
    /// Whether AWS may have acted on the call though its answer is lost.
    pub fn may_have_been_sent(self) -> bool {
        matches!(self, Self::Closed | Self::Timeout { sent: true })
    }
}
