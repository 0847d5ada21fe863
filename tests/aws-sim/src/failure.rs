//! Failures that a test orders in advance.

use std::time::Duration;

use crate::error::AwsError;

/// `Failure::on("CreateAccessKey").nth(2).kind(Kind::AfterApplied)`: the second such request from now on, once.
#[derive(Debug, Clone)]
pub struct Failure {
    action: Option<String>,
    nth: usize,
    lasting: bool,
    kind: Kind,
    seen: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The connection is closed without a reply, and nothing was applied.
    BeforeSend,
    /// The call is applied, then the connection is closed without a reply.
    AfterApplied,
    /// An error reply; nothing is applied.
    Status { http: u16, code: String, message: String },
    /// `Throttling: Rate exceeded`; nothing is applied.
    Throttle,
    /// The call is applied at once, and its reply held back for so long in real time.
    Delay(Duration),
    /// The call is applied; the reply's headers and so many bytes of its body arrive, then the connection is closed.
    CutReply(usize),
    /// The call is applied, and wherever its answer has the first text it has the second: something on the way mixes up its
    /// callers.
    Altered(String, String),
}

impl Failure {
    /// The next request of `action`, closed before anything applied, unless told otherwise.
    pub fn on(action: &str) -> Failure {
        Failure { action: Some(action.to_owned()), nth: 1, lasting: false, kind: Kind::BeforeSend, seen: 0 }
    }

    pub fn on_every_action() -> Failure {
        Failure { action: None, ..Failure::on("") }
    }

    /// Counted from 1, and from the moment the failure is ordered.
    pub fn nth(self, nth: usize) -> Failure {
        Failure { nth, ..self }
    }

    pub fn kind(self, kind: Kind) -> Failure {
        Failure { kind, ..self }
    }

    /// The nth and every one after it.
    pub fn lasting(self) -> Failure {
        Failure { lasting: true, ..self }
    }

    fn strikes(&mut self, action: &str) -> bool {
        if self.action.as_deref().is_some_and(|wanted| wanted != action) {
            return false;
        }
        self.seen += 1;
        self.seen == self.nth || (self.lasting && self.seen > self.nth)
    }
}

impl Kind {
    /// The error that stands in for the call's own answer.
    pub(crate) fn error(&self) -> Option<AwsError> {
        match self {
            Kind::Status { http, code, message } => Some(AwsError::new(*http, code, message.clone())),
            Kind::Throttle => Some(AwsError::throttled()),
            Kind::BeforeSend | Kind::AfterApplied | Kind::Delay(_) | Kind::CutReply(_) | Kind::Altered(..) => None,
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Failures(Vec<Failure>);

impl Failures {
    pub fn order(&mut self, failure: Failure) {
        self.0.push(failure);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Every failure counts the request; the first that strikes decides.
    pub fn strike(&mut self, action: &str) -> Option<Kind> {
        let mut struck = self.0.iter_mut().filter_map(|failure| failure.strikes(action).then(|| failure.kind.clone()));
        let first = struck.next();
        struck.for_each(drop);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_strikes_the_nth_request_of_its_action_once() {
        let mut failures = Failures::default();
        failures.order(Failure::on("A").nth(2).kind(Kind::Throttle));
        let struck = ["A", "B", "A", "A"].map(|action| failures.strike(action));
        assert_eq!(struck, [None, None, Some(Kind::Throttle), None]);
    }

    #[test]
    fn a_lasting_failure_goes_on_striking() {
        let mut failures = Failures::default();
        failures.order(Failure::on_every_action().nth(2).lasting());
        let struck = ["A", "B", "A"].map(|action| failures.strike(action).is_some());
        assert_eq!(struck, [false, true, true]);
    }
}
