//! Rotations that die: every call to AWS refused, lost or cut short, every save that fails, everything that somebody else may
//! do meanwhile. After each of them the command that the hint names goes on, and a login with what the vault holds succeeds.

mod at_login;
mod by_hand;
mod exported;
pub mod failures;
mod incumbents;
mod liveness;
mod logged;
mod options;
mod others;
mod permissions;
mod power;
mod room;
mod several;
pub mod stage;
mod told;
mod watched;
mod whose;
