//! Who saves, and when, for one save after the other: each takes along how the log stands by then.

use std::path::Path;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::log::{Mark, Marker};
use crate::process;
use crate::store::document::LogMark;
use crate::store::vault::Stamp;

pub struct Stamper<'a> {
    clock: &'a dyn Clock,
    marker: Marker<'a>,
}

impl<'a> Stamper<'a> {
    pub fn new(disk: &'a dyn Disk, state: &Path, clock: &'a dyn Clock) -> Self {
        Self { clock, marker: Marker::new(disk, state) }
    }

    /// A log that can't be read is no reason not to save.
    pub fn stamp(&self) -> Stamp {
        let now = whole_seconds(self.clock.now());
        let mark = self.marker.mark(now).ok().flatten();
        let log = mark.map(|Mark { at, length, sha256 }| LogMark { at, length, sha256 });
        Stamp { now, writer: process::host_name(), log }
    }
}

pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
