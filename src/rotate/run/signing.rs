//! What signs the calls: the session with MFA where the user has a device, else the key that the vault has.

use std::time::Duration;

use jiff::Timestamp;

use super::{Rotation, Tools};
use crate::aws::{AwsError, Signer};
use crate::credentials::SessionCredentials;
use crate::rotate::plan::{Mfa, Use};
use crate::rotate::stop::Stop;

/// A session with MFA that signs the changes. A user's own, never a role's.
#[derive(Clone)]
pub struct Session {
    pub credentials: SessionCredentials,
    /// When its code was given, by AWS's clock.
    pub made_at: Timestamp,
}

impl Rotation {
    /// Whether a session with MFA would sign, and there is none.
    pub fn wants_session(&self) -> bool {
        self.has_mfa && self.session.is_none()
    }

    /// How long ago the code of the session was given that signs, if there is one.
    pub fn session_age(&self) -> Option<Duration> {
        let made_at = self.session.as_ref()?.made_at;
        Some(Duration::try_from(self.listed_at?.duration_since(made_at)).unwrap_or_default())
    }

    /// Goes on with this session from now on.
    pub fn give_session(&mut self, session: Session) {
        // What could not be asked by the key may be asked by the session.
        self.run.uses.retain(|_, used| *used != Use::Unknown);
        self.session = Some(session);
    }

    pub(super) fn mfa(&self, tools: &Tools) -> Mfa {
        let now = tools.now();
        let is_good = |session: &Session| {
            let age = Duration::try_from(now.duration_since(session.made_at)).unwrap_or_default();
            age < self.mfa_max_age && session.credentials.expiration > now
        };
        match &self.session {
            _ if !self.has_mfa => Mfa::None,
            Some(session) if is_good(session) => Mfa::Session,
            _ => Mfa::Missing,
        }
    }

    /// What signs calls about keys: the session, or without MFA the current key.
    pub(super) fn signed<T>(&self, call: impl FnOnce(&Signer) -> Result<T, AwsError>) -> Result<T, Stop> {
        let answer = match &self.session {
            Some(session) => call(&Signer::Session(&session.credentials)),
            None => call(&Signer::AccessKey(&self.entry()?.current.access_key())),
        };
        Ok(answer?)
    }
}
