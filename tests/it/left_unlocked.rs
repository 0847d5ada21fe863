//! A machine on which an agent keeps the vault unlocked.

use std::ops::Deref;

use crate::program::Case;

pub struct LeftUnlocked(Case);

impl LeftUnlocked {
    pub fn new(case: Case) -> Self {
        case.vault(&["unlock"]).without_variable("VAULT_NO_AGENT").run().succeeds();
        Self(case)
    }
}

impl Deref for LeftUnlocked {
    type Target = Case;

    fn deref(&self) -> &Case {
        &self.0
    }
}

impl Drop for LeftUnlocked {
    fn drop(&mut self) {
        self.run(&["agent", "stop"]);
    }
}
