//! Why a call to AWS brought nothing. Holds no secret: action names, AWS's codes and texts, and what the network said.

use std::error::Error;
use std::io;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use thiserror::Error;

use super::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AwsError {
    /// AWS answered and said no. The message is AWS's own text, to be escaped before it is shown.
    #[error("{action} was refused: {message}")]
    Refused { action: &'static str, refusal: Refusal, message: String },
    /// No answer came. The detail names the host.
    #[error("{action} got no answer from {detail}")]
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

    /// Whether the request certainly never left, and another try may get through.
    pub(super) fn may_pass(self) -> bool {
        !self.may_have_been_sent() && self != Self::Tls
    }
}

impl AwsError {
    pub(super) fn unreadable(action: &'static str, detail: impl ToString) -> Self {
        Self::Unreadable { action, detail: detail.to_string() }
    }

    pub(super) fn timed_out(action: &'static str, host: Option<String>) -> Self {
        Self::network(action, NetworkFailure::Timeout { sent: true }, host, "no reply in time")
    }

    fn network(action: &'static str, failure: NetworkFailure, host: Option<String>, detail: &str) -> Self {
        let host = host.unwrap_or_else(|| "AWS".to_owned());
        Self::Network { action, failure, detail: format!("{host}: {detail}") }
    }

    pub(super) fn from_sdk<E>(action: &'static str, host: Option<String>, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match &error {
            SdkError::ServiceError(answer) => Self::refused(action, answer.raw().status().as_u16(), answer.err()),
            SdkError::TimeoutError(_) => Self::timed_out(action, host),
            SdkError::DispatchFailure(failure) => Self::unanswered(action, host, failure.is_timeout(), &error),
            // The reply began and broke off.
            SdkError::ResponseError(_) if chain(&error).any(|cause| cause.is::<hyper::Error>()) => {
                Self::network(action, NetworkFailure::Closed, host, &root_cause(&error))
            }
            _ => Self::unreadable(action, root_cause(&error)),
        }
    }

    pub(super) fn unanswered(
        action: &'static str,
        host: Option<String>,
        timeout: bool,
        error: &(dyn Error + 'static),
    ) -> Self {
        Self::network(action, unanswered(timeout, error), host, &root_cause(error))
    }

    fn refused(action: &'static str, status: u16, answer: &impl ProvideErrorMetadata) -> Self {
        // AWS names a code with each refusal; the sign-in page of a hotel's network does not.
        let Some(code) = answer.code() else {
            return Self::unreadable(action, format!("status {status} without an error code"));
        };
        let message = answer.message().unwrap_or(code);
        let refusal = Refusal::of(status, code, message);
        // After the first line AWS may repeat the request as it should have been signed, session token included.
        let kept = if refusal == Refusal::SignatureMismatch { message.lines().next() } else { Some(message) };
        Self::Refused { action, refusal, message: kept.unwrap_or_default().to_owned() }
    }
}

fn unanswered(timeout: bool, error: &(dyn Error + 'static)) -> NetworkFailure {
    let never_connected = chain(error)
        .filter_map(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect);
    match (never_connected, timeout) {
        (true, true) => NetworkFailure::Timeout { sent: false },
        (true, false) if chain(error).any(|cause| cause.is::<ResolveDnsError>()) => NetworkFailure::Dns,
        (true, false) if chain(error).any(|cause| cause.is::<rustls::Error>()) => NetworkFailure::Tls,
        (true, false) => NetworkFailure::Connect,
        (false, true) => NetworkFailure::Timeout { sent: true },
        (false, false) => NetworkFailure::Closed,
    }
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and all that it came from. `io::Error::source` skips the error inside of it, which is where rustls' are.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::aws::stage::{aws_at, some_key, stranger};
    use crate::aws::{CallerIdentity, MfaAnswer, SessionTokenRequest, Signer};

    fn call(endpoint: &str) -> Result<CallerIdentity, AwsError> {
        aws_at(endpoint).caller_identity(&Signer::AccessKey(&some_key()))
    }

    fn failure(endpoint: &str) -> (NetworkFailure, String) {
        match call(endpoint) {
            Err(AwsError::Network { action: "GetCallerIdentity", failure, detail }) => (failure, detail),
            other => panic!("{endpoint}: {other:?}"),
        }
    }

    #[test]
    fn a_port_where_nobody_listens_is_a_failure_to_connect() {
        use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
        // Held, so that nobody else gets it meanwhile.
        let held = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&held, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = std::net::SocketAddr::try_from(getsockname(&held).unwrap()).unwrap().port();
        let (kind, detail) = failure(&format!("http://127.0.0.1:{port}"));
        assert_eq!(kind, NetworkFailure::Connect);
        assert!(detail.starts_with("127.0.0.1: ") && detail.contains("refused"), "{detail}");
    }

    #[test]
    fn a_host_without_an_address_is_named() {
        let (kind, detail) = failure("https://sts.nowhere-1.invalid");
        assert_eq!(kind, NetworkFailure::Dns);
        assert!(detail.starts_with("sts.nowhere-1.invalid: "), "{detail}");
    }

    #[test]
    fn whoever_does_not_speak_tls_is_not_that_host() {
        let port = stranger("HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(failure(&format!("https://127.0.0.1:{port}")).0, NetworkFailure::Tls);
    }

    #[test]
    fn a_call_with_a_code_is_tried_again_while_it_certainly_was_not_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let met = Arc::new(AtomicUsize::new(0));
        let count = met.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                // Counted before it is hung up on: the last caller goes on from that.
                count.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });

        let mfa = MfaAnswer {
            serial: "arn:aws:iam::123456789012:mfa/phone".parse().unwrap(),
            code: "123456".parse().unwrap(),
        };
        let request = SessionTokenRequest { duration_seconds: 900, mfa: Some(mfa) };
        let answer = aws_at(&format!("https://127.0.0.1:{port}")).session_token(&some_key(), &request).err();
        let hung_up = matches!(answer, Some(AwsError::Network { failure: NetworkFailure::Connect, .. }));
        assert!(hung_up, "{answer:?}");
        assert_eq!(met.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn an_answer_that_aws_would_not_give_is_unreadable_and_no_refusal() {
        for reply in [
            "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n<html>sign in, please",
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 21\r\n\r\n<html>sign in, please",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 114\r\n\r\n<GetCallerIdentityResponse>\
             <GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ] {
            let answer = call(&format!("http://127.0.0.1:{}", stranger(reply)));
            assert!(matches!(answer, Err(AwsError::Unreadable { .. })), "{reply}: {answer:?}");
        }
    }

    #[test]
    fn whoever_does_not_speak_http_gave_no_answer() {
        let port = stranger("SSH-2.0-OpenSSH_9.2\r\n");
        assert_eq!(failure(&format!("http://127.0.0.1:{port}")).0, NetworkFailure::Closed);
    }
}
