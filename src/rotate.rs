//! Replacing access keys: when, by whom it is started, and how the last run went.

pub mod outcome;
pub mod unattended;
pub mod units;
