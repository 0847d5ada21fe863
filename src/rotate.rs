//! Replacing a user's access key without ever locking anyone out: what to do next is decided from a journal in the vault and
//! IAM's list of the user's keys, so that whoever comes after a crash decides the same.

pub mod calls; // so many at a time
mod creation_dates; // how old the keys are by every list of them
pub mod due; // which keys are due, and what is pending
pub mod held; // the keys that an unfinished rotation holds
mod hooks; // tells others of a new key
pub mod journal; // the state of a rotation, as the vault keeps it
pub mod last_run; // how the last run of the schedule went
pub mod ledger; // the vault, as a rotation reads and writes it
pub mod lock; // one run at a time for a user
pub mod own_calls; // a use of a key that this machine's log does not explain
pub mod plan; // journal, list and time -> the next step
pub mod pool; // many at once
pub mod preview; // what it would do
mod proof; // whether a key works
pub mod remembered; // the small files about the schedule
pub mod rules; // the settings that hold for a profile's key
pub mod run; // carries the steps out
pub mod stop; // why it could not go on
pub mod unattended; // the identity of runs that nobody attends
pub mod units; // what systemd, launchd and cron read
