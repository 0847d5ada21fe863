//! When something was or will be, in the person's own time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-03-01`
pub fn day(time: Timestamp) -> String {
    written(time, "%F")
}

/// `2026-03-01 09:30`
pub fn minute(time: Timestamp) -> String {
    written(time, "%F %H:%M")
}

/// `2026-03-01 09:30:59`
pub fn second(time: Timestamp) -> String {
    written(time, "%F %T")
}

/// `09:30:59`, of today.
pub fn time_of_day(time: Timestamp) -> String {
    written(time, "%T")
}

pub fn zone() -> TimeZone {
    TimeZone::system()
}

fn written(time: Timestamp, form: &str) -> String {
    time.to_zoned(zone()).strftime(form).to_string()
}
