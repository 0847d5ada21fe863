//! Durations as people write them: `45m`, `8h`, `30d`, `1h30m`, or plain seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a duration such as 45m, 8h, 30d or a number of seconds")]
pub struct DurationError(pub String);

/// Units in seconds; a week is as long as anything here needs.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];

/// Reads a duration. What can't be read is an error, never a default: a mistyped `--grace` must not become zero.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError(text.to_owned());
    // Digits alone: `parse` would take a sign, too.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Duration::from_secs).map_err(|_| wrong());
    }
    let mut total: u64 = 0;
    let mut rest = text;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letter = rest[digits..].chars().next().ok_or_else(wrong)?;
        let unit = UNITS.iter().find(|(name, _)| *name == letter).map(|(_, seconds)| *seconds).ok_or_else(wrong)?;
        // Each unit once, largest first: `5m1h` is a typing error, not a sum.
        if unit >= last_unit {
            return Err(wrong());
        }
        last_unit = unit;
        total = count.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = &rest[digits + letter.len_utf8()..];
    }
    if last_unit == u64::MAX { Err(wrong()) } else { Ok(Duration::from_secs(total)) }
}

/// A duration that is kept, and shown again, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DurationText {
    text: String,
    length: Duration,
}

impl DurationText {
    pub fn length(&self) -> Duration {
        self.length
    }
}

impl FromStr for DurationText {
    type Err = DurationError;
    fn from_str(text: &str) -> Result<Self, DurationError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for DurationText {
    type Error = DurationError;
    fn try_from(text: String) -> Result<Self, DurationError> {
        Ok(Self { length: parse(&text)?, text })
    }
}

impl From<DurationText> for String {
    fn from(duration: DurationText) -> String {
        duration.text
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As a person is told it, in the two largest units: `11 h 58 min`, `45 s`, `3 d 2 h`.
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => pair(hours, "h", minutes, "min"),
        (_, _, _) => pair(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_and_plain_seconds_mean_the_same() {
        for (text, seconds) in [
            ("900", 900),
            ("45m", 2700),
            ("8h", 28_800),
            ("30d", 2_592_000),
            ("1h30m", 5400),
            ("1w", 604_800),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for bad in [
            "",
            "h",
            "1.5h",
            "5m1h",
            "1h1h",
            "-1",
            "+900",
            "8 h",
            "8x",
            "99999999999999999999",
            "99999999999999999w",
            "8hours",
        ] {
            assert_eq!(parse(bad), Err(DurationError(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_duration_that_is_kept_stays_as_it_was_written() {
        for (text, hours) in [("7d", 168), ("1w", 168), ("604800", 168), ("1d12h", 36)] {
            let duration: DurationText = text.parse().unwrap();
            assert_eq!((duration.to_string().as_str(), duration.length().as_secs()), (text, hours * 3600));
        }
        assert_eq!("7 d".parse::<DurationText>(), Err(DurationError("7 d".to_owned())));
    }

    #[test]
    fn words_use_the_two_largest_units() {
        for (seconds, words_) in
            [(45, "45 s"), (60, "1 min"), (43_080, "11 h 58 min"), (43_200, "12 h"), (266_400, "3 d 2 h")]
        {
            assert_eq!(words(Duration::from_secs(seconds)), words_);
        }
    }
}
