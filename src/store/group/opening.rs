//! One opening for all who wait. Opening takes longer than anything that is done with the vault then, and it takes as long for
//! one reader as for twenty.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::store::vault::{Closed, ReopenError, Vault};

/// A vault that is opened for whoever has come by then, and is closed when the last of them has left. Nobody reads what is older
/// than their coming.
pub struct Opening<'d> {
    room: Mutex<Room<'d>>,
    came: AtomicU64,
}

struct Room<'d> {
    closed: Closed<'d>,
    open: Option<Vault<'d>>,
    /// How many had come when it was last opened. All who left are among them.
    opened_for: u64,
    left: u64,
}

impl<'d> Opening<'d> {
    pub fn new(closed: Closed<'d>) -> Self {
        Self { room: Mutex::new(Room { closed, open: None, opened_for: 0, left: 0 }), came: AtomicU64::new(0) }
    }

    /// Who waits meanwhile goes on with the vault as this leaves it.
    pub fn with<R>(&self, act: impl FnOnce(&mut Vault<'d>) -> R) -> Result<R, ReopenError> {
        let number = self.came.fetch_add(1, Ordering::SeqCst);
        // Who panicked with the vault open took it along; what is here is as it was before, which the file is a successor of at
        // worst.
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let mut vault = room.enter(number, &self.came)?;
        let done = act(&mut vault);
        room.leave(vault);
        Ok(done)
    }
}

impl<'d> Room<'d> {
    fn enter(&mut self, number: u64, came: &AtomicU64) -> Result<Vault<'d>, ReopenError> {
        let open = self.open.take();
        let shared = number < self.opened_for;
        self.left += 1;
        match open {
            Some(vault) if shared => return Ok(vault),
            // Another program may have saved before this one came.
            Some(vault) => self.closed = vault.close(),
            None => {}
        }
        self.opened_for = came.load(Ordering::SeqCst);
        self.closed.open()
    }

    fn leave(&mut self, vault: Vault<'d>) {
        if self.left < self.opened_for {
            self.open = Some(vault);
        } else {
            self.closed = vault.close();
        }
    }
}

#[cfg(test)]
mod tests;
