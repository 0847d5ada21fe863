//! Whose keys they are.

use super::{BACK_OFF, Rotation, Tools};
use crate::aws::{AwsError, CallerIdentity, Refusal, Signer};
use crate::names::arn_user_name;
use crate::rotate::lock;
use crate::rotate::stop::Stop;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub arn: String,
    pub name: String,
}

impl Rotation {
    pub(super) fn known_user(&mut self, tools: &Tools) -> Result<User, Stop> {
        match self.user.clone() {
            None => self.identify(tools),
            Some(user) => {
                // Let go at an end that somebody's word took back.
                if self.lock.is_none() {
                    self.lock = Some(lock::take(tools.disk, tools.state, &user.arn)?);
                }
                Ok(user)
            }
        }
    }

    /// Somebody switched off or deleted both keys of an unfinished rotation.
    pub(super) fn knows_no_key(&self, stop: &Stop, tools: &Tools) -> Result<bool, Stop> {
        let tried = self.refused == BACK_OFF.len() && stop.is(&Refusal::UnknownKey);
        Ok(tried && tools.ledger.other_key(&self.profile)?.is_some())
    }

    /// Whose key it is, and that no other run is at it.
    fn identify(&mut self, tools: &Tools) -> Result<User, Stop> {
        let identity = self.ask_who(tools)?;
        let name = arn_user_name(&identity.arn).map(str::to_owned);
        let name = name.ok_or_else(|| Stop::NotAUser { arn: identity.arn.clone() })?;
        let user = User { arn: identity.arn, name };
        self.lock = Some(lock::take(tools.disk, tools.state, &user.arn)?);
        let entry = tools.ledger.durable_entry(&user.arn, &self.profile)?;
        match &entry.current.user_arn {
            Some(arn) if *arn != user.arn => return Err(Stop::WrongUser { expected: arn.clone(), found: user.arn }),
            _ => {}
        }
        self.entry = Some(entry);
        self.user = Some(user.clone());
        Ok(user)
    }

    /// By whichever key AWS still takes: the current one may be the one that somebody took away.
    fn ask_who(&self, tools: &Tools) -> Result<CallerIdentity, Stop> {
        let keys = tools.ledger.own_keys(&self.profile)?;
        let session = self.session.iter().map(|session| Signer::Session(&session.credentials));
        let mut refused = Stop::NoSigner;
        for signer in session.chain(keys.iter().map(Signer::AccessKey)) {
            match tools.aws.caller_identity(&signer) {
                Err(error @ AwsError::Refused { refusal: Refusal::UnknownKey | Refusal::Expired, .. }) => {
                    refused = error.into();
                }
                answer => return Ok(answer?),
            }
        }
        Err(refused)
    }
}
