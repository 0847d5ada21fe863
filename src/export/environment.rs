//! The variables that carry a session to a child process or a shell.

use zeroize::Zeroizing;

use crate::credentials::SessionCredentials;
use crate::names::{ProfileName, Region};

/// What to set and what to take away, in the order they are printed. Holds secrets.
pub struct Variables {
    set: Vec<(&'static str, Zeroizing<String>)>,
    unset: Vec<&'static str>,
}

impl Variables {
    pub fn of_session(session: &SessionCredentials, region: Option<&Region>, profile: &ProfileName) -> Self {
        let _ = (session, region, profile);
        todo!()
    }

    /// Takes away everything that [`Self::of_session`] may set.
    pub fn clearing() -> Self {
        todo!()
    }

    pub fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.set.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub fn unset(&self) -> impl Iterator<Item = &'static str> {
        self.unset.iter().copied()
    }
}
