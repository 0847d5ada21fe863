//! The checks that AWS makes on a call's parameters before anything else, with its way of reporting all at once.

use crate::error::AwsError;
use crate::parameters::field_name;

#[derive(Default)]
pub(crate) struct Constraints(Vec<String>);

/// A pattern as AWS prints it, and what it accepts.
pub(crate) struct Pattern {
    shown: &'static str,
    accepts: fn(char) -> bool,
}

pub(crate) const DIGITS: Pattern = Pattern { shown: r"[\d]*", accepts: |c| c.is_ascii_digit() };
pub(crate) const NAME: Pattern = Pattern { shown: r"[\w+=,.@-]*", accepts: |c| word(c) || "+=,.@-".contains(c) };
pub(crate) const SERIAL: Pattern = Pattern { shown: r"[\w+=/:,.@-]*", accepts: |c| word(c) || "+=/:,.@-".contains(c) };
pub(crate) const EXTERNAL_ID: Pattern =
    Pattern { shown: r"[\w+=,.@:\/-]*", accepts: |c| word(c) || "+=,.@:/-".contains(c) };
pub(crate) const WORD: Pattern = Pattern { shown: r"[\w]+", accepts: word };

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Constraints {
    pub fn text(&mut self, name: &str, value: Option<&str>, lengths: (usize, usize), pattern: &Pattern) {
        let Some(value) = value else { return };
        self.length(name, Some(value), lengths);
        if !value.chars().all(pattern.accepts) {
            self.fail(name, value, &format!("Member must satisfy regular expression pattern: {}", pattern.shown));
        }
    }

    pub fn length(&mut self, name: &str, value: Option<&str>, (least, most): (usize, usize)) {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if length < least {
            self.fail(name, value, &format!("Member must have length greater than or equal to {least}"));
        }
        if length > most {
            self.fail(name, value, &format!("Member must have length less than or equal to {most}"));
        }
    }

    pub fn range(&mut self, name: &str, value: Option<i64>, (least, most): (i64, i64)) {
        let Some(value) = value else { return };
        if value < least {
            self.fail(name, &value.to_string(), &format!("Member must have value greater than or equal to {least}"));
        }
        if value > most {
            self.fail(name, &value.to_string(), &format!("Member must have value less than or equal to {most}"));
        }
    }

    fn fail(&mut self, name: &str, value: &str, constraint: &str) {
        let field = field_name(name);
        self.0.push(format!("Value '{value}' at '{field}' failed to satisfy constraint: {constraint}"));
    }

    pub fn check(self) -> Result<(), AwsError> {
        let errors = match self.0.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            n => format!("{n} validation errors"),
        };
        Err(AwsError::validation(format!("{errors} detected: {}", self.0.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_reported_in_one_message() {
        let mut constraints = Constraints::default();
        constraints.text("TokenCode", Some("138502\\"), (6, 6), &DIGITS);
        let message = constraints.check().unwrap_err().message;
        assert_eq!(
            message,
            "2 validation errors detected: Value '138502\\' at 'tokenCode' failed to satisfy constraint: Member must \
             have length less than or equal to 6; Value '138502\\' at 'tokenCode' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\d]*"
        );
    }
}
