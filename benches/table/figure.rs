//! A line of the table.

use std::fmt;

use super::amount::Amount;

pub struct Figure {
    what: String,
    goal: Option<Amount>,
    /// In the place of the goal's own amount.
    goal_told: Option<String>,
    ours: Option<Amount>,
    /// In the place of our own amount.
    ours_told: Option<String>,
    others: Vec<Other>,
}

/// What a peer needs for the same.
pub struct Other {
    pub name: &'static str,
    pub told: Told,
}

pub enum Told {
    Measured(Amount),
    /// Why it was not, or more than an amount.
    Words(String),
}

impl Figure {
    pub fn new(what: impl Into<String>, ours: Amount) -> Self {
        let what = what.into();
        Self { what, goal: None, goal_told: None, ours: Some(ours), ours_told: None, others: Vec::new() }
    }

    pub fn left_out(what: impl Into<String>, why: &str) -> Self {
        let what = what.into();
        let told = format!("left out: {why}");
        Self { what, goal: None, goal_told: None, ours: None, ours_told: Some(told), others: Vec::new() }
    }

    pub fn at_most(self, goal: Amount) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// What the goal is, where its amount alone does not say.
    pub fn goal_told(self, words: impl Into<String>) -> Self {
        Self { goal_told: Some(words.into()), ..self }
    }

    /// More than the amount that the goal is about.
    pub fn told(self, words: impl Into<String>) -> Self {
        Self { ours_told: Some(words.into()), ..self }
    }

    pub fn beside(self, others: impl IntoIterator<Item = Other>) -> Self {
        Self { others: others.into_iter().collect(), ..self }
    }

    fn verdict(&self) -> String {
        match (self.ours, self.goal) {
            (Some(ours), Some(goal)) if ours.exceeds(goal) => format!("short by {}", ours.beyond(goal)),
            (Some(_), Some(_)) => "met".to_owned(),
            _ => String::new(),
        }
    }

    fn others(&self) -> String {
        let told = self.others.iter().map(|other| match &other.told {
            Told::Measured(theirs) => match self.ours {
                Some(ours) => format!("{} {theirs} ({})", other.name, ratio(ours.by(*theirs))),
                None => format!("{} {theirs}", other.name),
            },
            Told::Words(words) => format!("{}: {words}", other.name),
        });
        told.collect::<Vec<_>>().join("; ")
    }
}

/// Two digits that tell something, however small it is.
fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.01 => format!("{ratio:.4}"),
        ratio if ratio < 0.1 => format!("{ratio:.3}"),
        ratio => format!("{ratio:.2}"),
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let goal = self.goal_told.clone().or_else(|| self.goal.map(|goal| format!("≤ {goal}"))).unwrap_or_default();
        let ours = self.ours_told.clone().or_else(|| self.ours.map(|ours| ours.to_string())).unwrap_or_default();
        write!(f, "| {} | {goal} | {ours} | {} | {} |", self.what, self.verdict(), self.others())
    }
}
