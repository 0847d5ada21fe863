//! What one look came to.

use std::collections::HashSet;

use serde_json::json;

use crate::cli::escape::{escape, without_identities};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Good,
    /// Right as it is, or not to be looked at now; worth knowing.
    Note,
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

pub struct Finding {
    /// What was looked at, in a word.
    about: &'static str,
    pub state: State,
    found: String,
    /// What to do about it.
    next: Option<String>,
    /// Where the trouble is; more than one look may come upon it.
    place: Option<String>,
}

impl Finding {
    pub fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, state: State::Good, found: found.into(), next: None, place: None }
    }

    pub fn note(about: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Note, ..Self::good(about, found) }
    }

    pub fn problem(about: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Problem, ..Self::good(about, found) }
    }

    pub fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    pub fn at(self, place: impl ToString) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }

    /// For a person.
    pub fn lines(&self) -> String {
        let line = format!("{:<8} {:<12} {}\n", self.state.word(), self.about, escape(&self.found));
        let next = self.next.as_ref().map(|next| format!("{:22}next: {}\n", "", escape(next)));
        line + &next.unwrap_or_default()
    }

    pub fn json(&self) -> serde_json::Value {
        let found = without_identities(&self.found);
        json!({ "about": self.about, "state": self.state.word(), "found": found, "next": self.next })
    }
}

/// Trouble in one place is told, and counted, by the first that came upon it.
pub fn each_once(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let is_first = |finding: &Finding| finding.place.clone().is_none_or(|place| seen.insert(place));
    findings.into_iter().filter(is_first).collect()
}
