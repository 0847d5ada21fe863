//! What was asked and how it ended, for tests to assert on.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Parameters stand here in clear: nothing the simulator knows is a real secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// By AWS's clock.
    pub at: Timestamp,
    /// `sts`, `iam` or `signin`; empty where the request didn't say.
    pub service: String,
    pub action: String,
    /// The region it was signed for.
    pub region: String,
    /// Without `Action` and `Version`.
    pub parameters: BTreeMap<String, String>,
    /// As the request claims it, whether or not the signature held.
    pub access_key_id: Option<String>,
    pub signed_with_token: bool,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// The error's code.
    Refused(String),
    /// The client saw no reply, or not all of it.
    Lost {
        applied: bool,
    },
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Ok
    }
}
