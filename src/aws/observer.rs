//! Watches requests and replies go by: which host was asked last, and how far its clock is from ours.
//!
//! The SDK signs by the time it read from the last reply, and repeats a call that was refused for its time; it doesn't say
//! how far off our clock was, which a person should hear.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Clone, Default)]
pub(super) struct Observer(Arc<Mutex<Seen>>);

#[derive(Debug, Clone, Default)]
struct Seen {
    host: Option<String>,
    clock_offset: Option<SignedDuration>,
}

impl Observer {
    pub(super) fn host(&self) -> Option<String> {
        self.seen(|seen| seen.host.clone())
    }

    /// Of a call that goes by another way.
    pub(super) fn asked(&self, host: Option<String>) {
        self.seen(|seen| seen.host = host);
    }

    pub(super) fn clock_offset(&self) -> Option<SignedDuration> {
        self.seen(|seen| seen.clock_offset)
    }

    fn seen<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "Observer"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri: Option<http::Uri> = context.request().uri().parse().ok();
        self.seen(|seen| seen.host = uri.and_then(|uri| uri.host().map(str::to_owned)));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(theirs) = context.response().headers().get("date").and_then(http_date) {
            self.seen(|seen| seen.clock_offset = Some(theirs.duration_since(Timestamp::now())));
        }
        Ok(())
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    Timestamp::from_second(date.secs()).ok()
}
