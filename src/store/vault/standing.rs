//! The file that stands, made safe before anything is built on it.

use std::io;

use super::{NotCommitted, ReopenError, Vault};
use crate::store::file::{LoadError, SaveError};

impl Vault<'_> {
    /// Keeps the file that stands as a save over it would, under its own generation, for good when this returns: a kept file
    /// then holds whatever a later save takes out of the vault. What another program saved meanwhile is what stands, and in
    /// this vault from here on.
    pub fn keep_standing(&mut self) -> Result<(), NotCommitted> {
        let locked = self.place.lock()?;
        let standing = locked.load()?;
        self.catch_up(&standing)?;
        self.version.status = locked.keep(&standing, self.version.generation).map_err(SaveError::from)?;
        Ok(())
    }

    /// Makes what this vault was read from or saved as durable. Whoever saved it may still be at it, or was told that a power
    /// cut may undo it. Fails where another file stands there by now.
    pub fn make_durable(&self) -> io::Result<()> {
        self.place.make_durable(&self.version.hash)
    }

    /// The same, after which a save that was not durable is as good as one that was: it can be remembered too.
    pub(in crate::store) fn settle(&mut self) -> Result<(), ReopenError> {
        self.make_durable().map_err(LoadError::Io)?;
        self.remember();
        Ok(())
    }
}
