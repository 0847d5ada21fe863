//! The one place that holds SDK clients and runs their futures.

use std::error::Error;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::Credentials;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;

use super::endpoint::{Endpoint, Endpoints};
use super::error::{AwsError, NetworkFailure};
use super::observer::Observer;
use super::refusal::Refusal;
use super::transport::{CaBundle, http_client, http_connector};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::Region;

/// One request and its reply.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// A whole call, repetitions included.
const CALL_TIMEOUT: Duration = Duration::from_secs(25);
pub(super) const MOST_ATTEMPTS: u32 = 3;
/// Before the second attempt; the SDK doubles it and takes a random part. Its own first second is for servers, while here a
/// person waits to hear that there is no network.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Calls AWS. Made by commands that do, since it starts a runtime; must not be used from inside another runtime.
pub struct Aws {
    region: Region,
    endpoints: Endpoints,
    http: SharedHttpConnector,
    observer: Observer,
    attempt_timeout: Duration,
    /// Making it fails where no file descriptor is left; the first call says so.
    runtime: io::Result<Runtime>,
    sts: OnceLock<aws_sdk_sts::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
}

/// Whose credentials sign a call.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    AccessKey(&'a AccessKey),
    Session(&'a SessionCredentials),
}

/// Which calls may be sent again when no answer came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Asking twice does no harm: the SDK's standard retries.
    Freely,
    /// The second call would not be the first again: it would make another key or device, or AWS would refuse its code as used.
    /// Sent again only if the first certainly never left, or was refused for its time, which AWS checks before all else.
    OnlyUnsent,
}

impl Aws {
    pub fn new(region: Region, endpoints: Endpoints) -> Self {
        Self::with_ca_bundle(region, endpoints, None)
    }

    /// Trusts these certificates instead of the system's where they are given.
    pub fn with_ca_bundle(region: Region, endpoints: Endpoints, ca_bundle: Option<CaBundle>) -> Self {
        Self {
            region,
            endpoints,
            http: http_connector(ca_bundle),
            observer: Observer::default(),
            attempt_timeout: ATTEMPT_TIMEOUT,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build(),
            sts: OnceLock::new(),
            iam: OnceLock::new(),
        }
    }

    /// AWS's clock minus ours when it last replied; None before it did.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        self.observer.clock_offset()
    }

    /// What time it is by AWS's clock, as far as it has told it.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock_offset().and_then(|offset| now.saturating_add(offset).ok()).unwrap_or(now)
    }

    /// Where STS is asked, if not at AWS itself: who makes the sessions.
    pub fn session_endpoint(&self) -> Option<&Endpoint> {
        self.endpoints.sts.as_ref()
    }

    /// The http underneath, for what the SDK has no client for.
    pub(super) fn connector(&self) -> &SharedHttpConnector {
        &self.http
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    pub(super) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    #[cfg(test)]
    pub(super) fn set_attempt_timeout(&mut self, timeout: Duration) {
        self.attempt_timeout = timeout;
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let mut config = aws_sdk_sts::config::Builder::from(&self.shared()).interceptor(self.observer.clone());
            config.set_endpoint_url(self.endpoints.sts.as_ref().map(ToString::to_string));
            aws_sdk_sts::Client::from_conf(config.build())
        })
    }

    pub(super) fn iam(&self) -> &aws_sdk_iam::Client {
        self.iam.get_or_init(|| {
            let mut config = aws_sdk_iam::config::Builder::from(&self.shared()).interceptor(self.observer.clone());
            config.set_endpoint_url(self.endpoints.iam.as_ref().map(ToString::to_string));
            aws_sdk_iam::Client::from_conf(config.build())
        })
    }

    /// What both services' clients have in common. Built by hand: aws-config's loader would read the caller's variables and
    /// profile files, and probe the metadata service.
    fn shared(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(self.region.to_string()))
            .http_client(http_client(self.http.clone()))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(self.attempt_timeout).build())
            .build()
    }

    /// Runs one call to its end.
    pub(super) fn call<T, E>(
        &self,
        action: &'static str,
        repeat: Repeat,
        send: impl AsyncFn() -> Result<T, SdkError<E>>,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.wait(action, self.attempts(action, repeat, send))
    }

    /// Waits for a call's answer, to its end or to ours.
    pub(super) fn wait<T>(
        &self,
        action: &'static str,
        answer: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<T, AwsError> {
        self.wait_at_most(CALL_TIMEOUT, action, answer)
    }

    pub(super) fn wait_at_most<T>(
        &self,
        longest: Duration,
        action: &'static str,
        answer: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<T, AwsError> {
        let runtime = self.runtime.as_ref().map_err(|error| AwsError::Network {
            action,
            failure: NetworkFailure::Connect,
            detail: format!("AWS: {error}"),
        })?;
        runtime
            .block_on(async { tokio::time::timeout(longest, answer).await })
            .unwrap_or_else(|_| Err(AwsError::timed_out(action, self.observer.host())))
    }

    pub(super) async fn attempts<T, E>(
        &self,
        action: &'static str,
        repeat: Repeat,
        send: impl AsyncFn() -> Result<T, SdkError<E>>,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let mut unsent = 0;
        let mut clock_corrected = false;
        loop {
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => AwsError::from_sdk(action, self.observer.host(), error),
            };
            match error {
                // The SDK now knows AWS's time from this refusal; of its own it repeats only some of these codes, and none
                // where its retries are off.
                AwsError::Refused { refusal: Refusal::ClockSkew, .. } if !clock_corrected => clock_corrected = true,
                AwsError::Network { failure, .. }
                    if repeat == Repeat::OnlyUnsent && failure.may_pass() && unsent + 1 < MOST_ATTEMPTS =>
                {
                    unsent += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                error => return Err(error),
            }
        }
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, and a name lookup that hangs would hold up the program's end.
        let stopped = Err(io::ErrorKind::Other.into());
        if let Ok(runtime) = std::mem::replace(&mut self.runtime, stopped) {
            runtime.shutdown_background();
        }
    }
}

impl Repeat {
    pub(super) fn retry_config(self) -> RetryConfig {
        match self {
            Self::Freely => RetryConfig::standard().with_max_attempts(MOST_ATTEMPTS).with_initial_backoff(PAUSE),
            Self::OnlyUnsent => RetryConfig::disabled(),
        }
    }
}

impl Signer<'_> {
    /// Without an expiration: AWS's clock decides whether a session is over, not the SDK by ours.
    pub(super) fn credentials(&self) -> Credentials {
        match self {
            Self::AccessKey(key) => Credentials::new(key.id.as_str(), key.secret.expose(), None, None, "vault"),
            Self::Session(session) => Credentials::new(
                session.access_key_id.as_str(),
                session.secret_access_key.expose(),
                Some(session.session_token.expose().to_owned()),
                None,
                "vault",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sim::{Failure, Kind, Outcome};
    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;
    use crate::aws::stage::{Stage, region, some_key};

    /// Twenty minutes and three hours, ours behind and ours ahead.
    const OFFSETS: [i64; 4] = [1200, -1200, 10_800, -10_800];

    fn close(offset: Option<SignedDuration>, seconds: i64) -> bool {
        offset.is_some_and(|offset| (offset.as_secs() - seconds).abs() <= 2)
    }

    /// A network without anybody on it.
    #[derive(Debug)]
    struct Nowhere;

    impl HttpConnector for Nowhere {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Err(ConnectorError::user("nobody here".into())))
        }
    }

    #[test]
    fn every_region_is_asked_at_its_own_host_and_every_partition_at_its_own_iam() {
        for (region, sts, iam) in [
            ("us-east-1", "sts.us-east-1.amazonaws.com", "iam.amazonaws.com"),
            ("eu-central-1", "sts.eu-central-1.amazonaws.com", "iam.amazonaws.com"),
            ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "iam.us-gov.amazonaws.com"),
        ] {
            let mut aws = Aws::new(region.parse().unwrap(), Endpoints::default());
            aws.http = SharedHttpConnector::new(Nowhere);
            let key = some_key();
            assert!(aws.caller_identity(&Signer::AccessKey(&key)).is_err());
            assert_eq!(aws.observer.host().as_deref(), Some(sts));
            assert!(aws.mfa_devices(&Signer::AccessKey(&key), "alice").is_err());
            assert_eq!(aws.observer.host().as_deref(), Some(iam));
        }
    }

    #[test]
    fn each_service_is_asked_at_its_own_endpoint() {
        let key = some_key();
        let (sts, iam) = (aws_sim::Simulator::start(), aws_sim::Simulator::start());
        let at = |sim: &aws_sim::Simulator| Some(sim.endpoint().parse().unwrap());
        let aws = Aws::new(region(), Endpoints { sts: at(&sts), iam: at(&iam) });
        assert!(aws.caller_identity(&Signer::AccessKey(&key)).is_err());
        assert!(aws.mfa_devices(&Signer::AccessKey(&key), "alice").is_err());
        let asked = |sim: &aws_sim::Simulator| sim.requests().iter().map(|r| r.action.clone()).collect::<Vec<_>>();
        assert_eq!((asked(&sts), asked(&iam)), (vec!["GetCallerIdentity".into()], vec!["ListMFADevices".into()]));
    }

    #[test]
    fn a_wrong_clock_costs_one_more_request_and_no_mfa_code() {
        for seconds in OFFSETS {
            let stage = Stage::new();
            stage.sim.set_offset(SignedDuration::from_secs(seconds));
            assert_eq!(stage.aws.clock_offset(), None);
            let session = stage.mfa_session();
            assert_eq!(stage.outcomes(), [Outcome::Refused("SignatureDoesNotMatch".into()), Outcome::Ok], "{seconds}");
            assert!(close(stage.aws.clock_offset(), seconds), "{seconds}");
            let left = session.expiration.duration_since(stage.sim.now()).as_secs();
            assert!((3595..=3600).contains(&left), "expires by AWS's clock: {left}");
        }
    }

    #[test]
    fn a_wrong_clock_is_learned_once_for_each_service() {
        for seconds in OFFSETS {
            let stage = Stage::new();
            stage.sim.set_offset(SignedDuration::from_secs(seconds));
            let signer = Signer::AccessKey(&stage.key);
            for _ in 0..2 {
                assert!(stage.aws.caller_identity(&signer).is_ok(), "{seconds}");
                assert!(stage.aws.mfa_devices(&signer, "alice").is_ok(), "{seconds}");
            }
            let refused = stage.outcomes().iter().filter(|outcome| **outcome != Outcome::Ok).count();
            assert_eq!((refused, stage.sim.requests().len()), (2, 6), "{seconds}");
        }
    }

    #[test]
    fn a_clock_that_cannot_be_corrected_is_tried_twice_only() {
        let stage = Stage::new();
        stage.answer(403, "SignatureDoesNotMatch", "Signature expired: now is earlier than then");
        let refused = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
        assert!(matches!(refused, Some(AwsError::Refused { refusal: Refusal::ClockSkew, .. })), "{refused:?}");
        assert_eq!(stage.sim.count("GetSessionToken"), 2);
    }

    #[test]
    fn a_lost_reply_to_a_call_with_a_code_is_reported_and_not_sent_again() {
        for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(0), Kind::CutReply(100)] {
            let stage = Stage::new();
            stage.sim.fail(Failure::on("GetSessionToken").kind(kind.clone()));
            let lost = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
            let closed = matches!(&lost, Some(AwsError::Network { failure: NetworkFailure::Closed, .. }));
            assert!(closed, "{kind:?}: {lost:?}");
            assert_eq!(stage.sim.count("GetSessionToken"), 1, "{kind:?}");
        }
    }

    #[test]
    fn a_lost_reply_to_a_call_without_a_code_is_asked_for_again() {
        for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(0), Kind::CutReply(100)] {
            let stage = Stage::new();
            stage.sim.fail(Failure::on("GetCallerIdentity").kind(kind.clone()));
            let answer = stage.aws.caller_identity(&Signer::AccessKey(&stage.key));
            assert!(answer.is_ok(), "{kind:?}: {answer:?}");
            assert_eq!(stage.sim.count("GetCallerIdentity"), 2, "{kind:?}");
        }
    }

    #[test]
    fn a_reply_that_does_not_come_in_time_is_given_up() {
        let mut stage = Stage::new();
        stage.aws.attempt_timeout = Duration::from_millis(100);
        stage.sim.fail(Failure::on_every_action().kind(Kind::Delay(Duration::from_secs(60))).lasting());
        let late = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
        let timeout = NetworkFailure::Timeout { sent: true };
        assert!(matches!(&late, Some(AwsError::Network { failure, .. }) if *failure == timeout), "{late:?}");
        assert_eq!(stage.sim.count("GetSessionToken"), 1);
    }
}
