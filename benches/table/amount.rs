//! What was measured, in its unit.

use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy)]
pub struct Amount {
    value: f64,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Seconds,
    /// Of memory.
    Mebibytes,
    /// Of disk.
    Megabytes,
    /// Of things that are named by the figure.
    Pieces,
}

impl Amount {
    pub fn milliseconds(time: Duration) -> Self {
        Self::of_milliseconds(time.as_secs_f64() * 1e3)
    }

    pub fn of_milliseconds(value: f64) -> Self {
        Self { value, unit: Unit::Milliseconds }
    }

    pub fn seconds(time: Duration) -> Self {
        Self { value: time.as_secs_f64(), unit: Unit::Seconds }
    }

    /// As Linux tells it of a process.
    pub fn memory(kibibytes: u64) -> Self {
        Self { value: kibibytes as f64 / 1024.0, unit: Unit::Mebibytes }
    }

    pub fn size(bytes: u64) -> Self {
        Self { value: bytes as f64 / 1e6, unit: Unit::Megabytes }
    }

    pub fn pieces(count: usize) -> Self {
        Self { value: count as f64, unit: Unit::Pieces }
    }

    pub fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, ..self }
    }

    /// How much there is of this for one of that.
    pub fn by(self, that: Self) -> f64 {
        self.value / that.value
    }

    pub fn exceeds(self, most: Self) -> bool {
        self.value > most.value
    }

    pub fn beyond(self, most: Self) -> Self {
        Self { value: self.value - most.value, ..self }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let value = self.value;
        match self.unit {
            Unit::Milliseconds if value < 10.0 => write!(f, "{value:.2} ms"),
            Unit::Milliseconds => write!(f, "{value:.1} ms"),
            Unit::Seconds => write!(f, "{value:.1} s"),
            Unit::Mebibytes => write!(f, "{value:.2} MiB"),
            Unit::Megabytes => write!(f, "{value:.2} MB"),
            Unit::Pieces => write!(f, "{value:.0}"),
        }
    }
}
