//! What a command came to, and what a test says of it.

use std::time::Duration;

use aws_sim::Request;
use vault::cli::Report;

pub struct Ran {
    pub told: String,
    pub report: Option<Report>,
    pub out: String,
    pub messages: String,
    /// How long it waited by its clock.
    pub waited: Duration,
    /// What it asked AWS.
    pub requests: Vec<Request>,
}

impl Ran {
    /// All that a person saw, the error as it is shown.
    pub fn shown(&self) -> String {
        let report = self.report.as_ref().map(|report| {
            let hint = report.hint.as_ref().map(|hint| format!("vault: hint: {hint}\n")).unwrap_or_default();
            format!("vault: error: {}\n{hint}-> exit {}\n", report.message, report.status as u8)
        });
        format!("{}\n{}{}{}", self.told, self.out, self.messages, report.unwrap_or_default())
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert!(self.report.is_none(), "{}\n{}", self.shown(), self.sent());
        self
    }

    #[track_caller]
    pub fn exits(&self, code: u8) -> &Self {
        assert_eq!(self.code(), code, "{}\n{}", self.shown(), self.sent());
        self
    }

    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        assert!(self.shown().contains(part), "no `{part}` in {}", self.shown());
        self
    }

    #[track_caller]
    pub fn error(&self, exactly: &str) -> &Self {
        assert_eq!(self.report.as_ref().map(|report| &*report.message), Some(exactly), "{}", self.shown());
        self
    }

    #[track_caller]
    pub fn hint(&self, exactly: &str) -> &Self {
        let hint = self.report.as_ref().and_then(|report| report.hint.as_deref());
        assert_eq!(hint, Some(exactly), "{}", self.shown());
        self
    }

    /// The last command that the hint names: what comes before it has to be done first.
    #[track_caller]
    pub fn hinted(&self) -> String {
        let hint = self.report.as_ref().and_then(|report| report.hint.as_deref()).unwrap_or_default();
        let quoted = hint.split('`').skip(1).step_by(2);
        let command = quoted.filter(|quoted| quoted.starts_with("vault rotate ")).last();
        command.unwrap_or_else(|| panic!("no command in the hint of {}", self.shown())).to_owned()
    }

    pub fn code(&self) -> u8 {
        self.report.as_ref().map_or(0, |report| report.status as u8)
    }

    pub fn count(&self, action: &str) -> usize {
        self.requests.iter().filter(|request| request.action == action).count()
    }

    pub fn codes_spent(&self) -> usize {
        let accepted = self.requests.iter().filter(|request| request.succeeded());
        accepted.filter(|request| request.parameter("TokenCode").is_some()).count()
    }

    /// Which calls changed something, in their order.
    pub fn changes(&self) -> Vec<&str> {
        let changes = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];
        let actions = self.requests.iter().map(|request| &*request.action);
        actions.filter(|action| changes.contains(action)).collect()
    }

    fn sent(&self) -> String {
        let line = |request: &Request| {
            let by = request.access_key_id.as_deref().unwrap_or_default();
            format!("  {} {by} {:?} {:?}\n", request.action, request.parameters, request.outcome)
        };
        self.requests.iter().map(line).collect()
    }
}
