//! AWS's clock: real time plus an offset that a test moves, so that hours pass without sleeping.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Default)]
pub(crate) struct Clock {
    offset: SignedDuration,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.offset
    }

    pub fn advance(&mut self, by: Duration) {
        self.offset += signed(by);
    }

    pub fn set_offset(&mut self, offset: SignedDuration) {
        self.offset = offset;
    }
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// As IAM and STS write it: whole seconds, so that what a client parses equals what was meant.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
