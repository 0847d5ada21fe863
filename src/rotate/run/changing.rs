//! Keys switched on and off, and deleted.

use std::time::Duration;

use super::{Hook, News, Rotation, Tools, Turn, User};
use crate::aws::{KeyStatus, Refusal};
use crate::names::AccessKeyId;
use crate::rotate::stop::Stop;

/// Time for IAM's list to catch up with a change.
const CATCHING_UP: Duration = Duration::from_secs(2);

impl Rotation {
    /// Unless something else comes first.
    pub(super) fn switch(
        &mut self,
        tools: &Tools,
        user: &User,
        key: AccessKeyId,
        status: KeyStatus,
    ) -> Result<Turn, Stop> {
        if status == KeyStatus::Inactive
            && let Some((profile, words)) = self.hooks.last().cloned()
        {
            return Ok(Turn::NeedHook(Hook { profile, words, old: key, new: self.entry()?.current.access_key() }));
        }
        // A list that lags is not answered by the same call again and again.
        if self.switched == Some((key.clone(), status)) {
            self.switched = None;
            return Ok(Turn::After(CATCHING_UP));
        }
        self.set_status(tools, user, key.clone(), status)?;
        self.switched = Some((key, status));
        Ok(Turn::Again)
    }

    fn set_status(&mut self, tools: &Tools, user: &User, key: AccessKeyId, status: KeyStatus) -> Result<(), Stop> {
        if status == KeyStatus::Inactive {
            self.spare(&key)?;
            tools.ledger.keep()?;
        }
        match self.signed(|signer| tools.aws.set_access_key_status(signer, &user.name, &key, status)) {
            // Somebody deleted it meanwhile, as the next list says.
            Err(stop) if stop.is(&Refusal::NoSuchEntity) => return Ok(()),
            switched => switched?,
        }
        (self.refused, self.saved) = (0, true);
        self.news.push(match status {
            KeyStatus::Active => News::SwitchedOn { key },
            KeyStatus::Inactive => News::SwitchedOff { key },
        });
        Ok(())
    }

    /// Another profile may have got it since, and would be without a key.
    pub(super) fn spare(&self, key: &AccessKeyId) -> Result<(), Stop> {
        match self.entry()?.elsewhere.contains(key) {
            true => Err(Stop::InVault { key: key.clone() }),
            false => Ok(()),
        }
    }

    pub(super) fn delete(&mut self, tools: &Tools, user: &User, key: AccessKeyId) -> Result<(), Stop> {
        self.spare(&key)?;
        match self.signed(|signer| tools.aws.delete_access_key(signer, &user.name, &key)) {
            Err(stop) if stop.is(&Refusal::NoSuchEntity) => {}
            deleted => deleted?,
        }
        self.refused = 0;
        self.run.deleted.insert(key.clone());
        self.news.push(News::Deleted { key });
        Ok(())
    }
}
