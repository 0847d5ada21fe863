//! What `-V` and `--version` say: of which source this program is, for which machines, and which vaults it takes.

use crate::store::document::FORMAT;

/// One line: the version, and the commit as far as it is known (`build.rs`).
pub const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), env!("VAULT_SOURCE"));

/// All that a report of a mistake needs.
pub fn long() -> String {
    let (target, profile) = (env!("VAULT_TARGET"), env!("VAULT_PROFILE"));
    format!("{SHORT}\ntarget: {target}\nprofile: {profile}\nvault formats: reads {FORMAT}, writes {FORMAT}")
}
