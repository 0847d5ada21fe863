//! The sign-in endpoint: trades a session for a token that opens the console. It speaks plain JSON over the same http as STS
//! and IAM do.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use form_urlencoded::Serializer;
use serde::Deserialize;
use serde_json::json;

use super::client::{Aws, MOST_ATTEMPTS, PAUSE};
use super::console::Partition;
use super::error::AwsError;
use super::refusal::Refusal;
use crate::credentials::SessionCredentials;
use crate::secret::SigninToken;

const ACTION: &str = "getSigninToken";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    signin_token: String,
}

impl Aws {
    /// `seconds` is how long the console session is to last, where that is not as long as the session. AWS takes it only with
    /// a session of a role that an access key assumed.
    pub fn signin_token(
        &self,
        partition: Partition,
        session: &SessionCredentials,
        seconds: Option<u32>,
    ) -> Result<SigninToken, AwsError> {
        let address = address(&partition.federation(self.session_endpoint()), session, seconds);
        self.wait(ACTION, async {
            let mut left = MOST_ATTEMPTS;
            loop {
                left -= 1;
                // A lost token opens nothing.
                match self.trade(&address).await {
                    Err(error) if left > 0 && may_pass(&error) => tokio::time::sleep(PAUSE).await,
                    answer => return answer,
                }
            }
        })
    }

    /// The address that signs a browser in on a page of the console.
    pub fn console_sign_in(&self, partition: Partition, token: &SigninToken, page: &str) -> String {
        partition.sign_in(self.session_endpoint(), token, page)
    }

    async fn trade(&self, address: &str) -> Result<SigninToken, AwsError> {
        let request = HttpRequest::get(address).map_err(|error| AwsError::unreadable(ACTION, error))?;
        let host = address.parse().ok().and_then(|uri: http::Uri| uri.host().map(str::to_owned));
        self.observer().asked(host.clone());
        let exchange = async {
            let reply = self.connector().call(request).await;
            let reply =
                reply.map_err(|error| AwsError::unanswered(ACTION, host.clone(), error.is_timeout(), &error))?;
            let status = reply.status().as_u16();
            let body = ByteStream::new(reply.into_body()).collect().await;
            let body = body.map_err(|error| AwsError::unanswered(ACTION, host.clone(), false, &error))?;
            read(status, &body.into_bytes())
        };
        let answer = tokio::time::timeout(self.attempt_timeout(), exchange).await;
        answer.unwrap_or_else(|_| Err(AwsError::timed_out(ACTION, host.clone())))
    }
}

/// A secret as a whole: it holds the session. Only ever sent, and to whoever made that.
fn address(federation: &str, session: &SessionCredentials, seconds: Option<u32>) -> String {
    let session = json!({
        "sessionId": session.access_key_id, "sessionKey": session.secret_access_key.expose(),
        "sessionToken": session.session_token.expose(),
    });
    let mut query = Serializer::new(String::new());
    query.append_pair("Action", ACTION);
    seconds.map(|seconds| query.append_pair("SessionDuration", &seconds.to_string()));
    query.append_pair("Session", &session.to_string());
    format!("{federation}?{}", query.finish())
}

/// Its refusals are pages without a code, and nothing of them is repeated.
fn read(status: u16, body: &[u8]) -> Result<SigninToken, AwsError> {
    let refused = |refusal| AwsError::Refused { action: ACTION, refusal, message: format!("status {status}") };
    match status {
        200 => match serde_json::from_slice::<Answer>(body) {
            Ok(answer) if !answer.signin_token.is_empty() => Ok(SigninToken::new(answer.signin_token)),
            _ => Err(AwsError::unreadable(ACTION, "no token in it")),
        },
        429 => Err(refused(Refusal::Throttled)),
        400..=499 => Err(refused(Refusal::Invalid)),
        500..=599 => Err(refused(Refusal::Unavailable)),
        _ => Err(AwsError::unreadable(ACTION, format!("status {status}"))),
    }
}

fn may_pass(error: &AwsError) -> bool {
    match error {
        AwsError::Refused { refusal, .. } => matches!(refusal, Refusal::Throttled | Refusal::Unavailable),
        AwsError::Network { failure, .. } => failure.may_pass() || failure.may_have_been_sent(),
        AwsError::Unreadable { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sim::{Failure, Kind};

    use super::*;
    use crate::aws::NetworkFailure;
    use crate::aws::stage::{Stage, aws_at, stranger};

    fn federated(stage: &Stage) -> SessionCredentials {
        stage.aws.federation_token(&stage.key, "alice", 900).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_session_is_traded_for_a_token() {
        let stage = Stage::new();
        let session = federated(&stage);
        let token = stage.aws.signin_token(Partition::Aws, &session, None).unwrap_or_else(|error| panic!("{error}"));
        assert!(token.expose().len() > 20);
        let sent = stage.sim.requests().pop().unwrap();
        assert_eq!((&*sent.service, &*sent.action), ("signin", ACTION));
        assert_eq!(sent.access_key_id.as_deref(), Some(session.access_key_id.as_str()));
        assert_eq!(sent.parameter("SessionDuration"), None);
    }

    #[test]
    fn a_session_that_may_not_sign_in_is_refused_without_a_word_of_it() {
        let stage = Stage::new();
        let session = stage.mfa_session();
        let refused = stage.aws.signin_token(Partition::Aws, &session, None).err().unwrap();
        let message = "status 400".to_owned();
        assert_eq!(refused, AwsError::Refused { action: ACTION, refusal: Refusal::Invalid, message });
        let longer = stage.aws.signin_token(Partition::Aws, &federated(&stage), Some(3600));
        assert!(matches!(longer, Err(AwsError::Refused { refusal: Refusal::Invalid, .. })));
    }

    #[test]
    fn what_may_pass_is_tried_three_times_in_all() {
        let busy = || Kind::Status { http: 503, code: "x".into(), message: "x".into() };
        for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(5), busy()] {
            let stage = Stage::new();
            let session = federated(&stage);
            stage.sim.fail(Failure::on(ACTION).kind(kind.clone()));
            assert!(stage.aws.signin_token(Partition::Aws, &session, None).is_ok(), "{kind:?}");
            stage.sim.fail(Failure::on(ACTION).kind(kind.clone()).lasting());
            assert!(stage.aws.signin_token(Partition::Aws, &session, None).is_err(), "{kind:?}");
            assert_eq!(stage.sim.count(ACTION), 5, "{kind:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_come_or_makes_no_sense_is_told_with_its_host() {
        let mut stage = Stage::new();
        let session = federated(&stage);
        stage.aws.set_attempt_timeout(Duration::from_millis(50));
        stage.sim.fail(Failure::on(ACTION).kind(Kind::Delay(Duration::from_secs(60))).lasting());
        let late = stage.aws.signin_token(Partition::Aws, &session, None).err().unwrap();
        let timeout = NetworkFailure::Timeout { sent: true };
        let told = |detail: &str| detail.starts_with("127.0.0.1: ");
        assert!(matches!(&late, AwsError::Network { failure, detail, .. } if *failure == timeout && told(detail)));
        for reply in
            ["HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n<html/>", "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"]
        {
            let aws = aws_at(&format!("http://127.0.0.1:{}", stranger(reply)));
            let answer = aws.signin_token(Partition::Aws, &session, None).err();
            assert!(matches!(answer, Some(AwsError::Unreadable { .. })), "{answer:?}");
        }
    }
}
