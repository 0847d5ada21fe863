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

use super::error::{AwsError, NetworkFailure};
use super::observer::Observer;
use super::refusal::Refusal;
use super::transport::{CaBundle, http_client, http_connector};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::{Endpoint, Endpoints, Region};

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
mod tests;
