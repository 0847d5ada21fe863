//! What is looked at before something is changed.

use jiff::Timestamp;

use super::{News, Rotation, Tools, Turn, User};
use crate::aws::{AwsError, KeyStatus, KeyUse, ListedKey, Refusal, Signer};
use crate::names::AccessKeyId;
use crate::rotate::plan::{Look, Mfa, Secret, Use};
use crate::rotate::stop::Stop;
use crate::store::document::StoredAccessKey;
use crate::store::search::Search;

/// A list that lacks the very key that asked for it is older than that key, and nothing is decided from it.
fn list_by(key: &StoredAccessKey, tools: &Tools, user: &User) -> Result<Vec<ListedKey>, Stop> {
    let listed = tools.aws.access_keys(&Signer::AccessKey(&key.access_key()), &user.name)?;
    let has_it = listed.iter().any(|one| one.id == key.id);
    if has_it { Ok(listed) } else { Err(Stop::ListLags { key: key.id.clone() }) }
}

impl Rotation {
    /// By the session, else by whichever key AWS still takes.
    pub(super) fn list(&mut self, tools: &Tools, user: &User) -> Result<Vec<ListedKey>, Stop> {
        if let Some(session) = &self.session {
            match tools.aws.access_keys(&Signer::Session(&session.credentials), &user.name) {
                Err(AwsError::Refused { refusal: Refusal::Expired | Refusal::UnknownKey, .. }) => self.session = None,
                listed => return Ok(listed?),
            }
        }
        let entry = self.entry()?;
        let (listed, is_refused) = match (list_by(&entry.current, tools, user), &entry.other) {
            (Err(stop), Some(other)) if stop.is(&Refusal::UnknownKey) => (list_by(other, tools, user), true),
            (listed, _) => (listed, false),
        };
        self.current_is_refused = is_refused;
        listed
    }

    /// A list may not have yet what a call has made.
    pub(super) fn wait_for_list(&mut self, now: Timestamp, until: Timestamp) -> Turn {
        if self.awaited.replace(until) != Some(until) {
            self.news.push(News::ListAwaited { until });
        }
        Turn::After(until.duration_since(now).try_into().unwrap_or_default())
    }

    pub(super) fn resolve_key_to_delete(&mut self) -> Result<(), Stop> {
        let Some(given) = self.delete_key.take() else { return Ok(()) };
        let meant: Vec<&ListedKey> = self.keys.iter().filter(|key| key.id.is_meant_by(&given)).collect();
        let [key] = meant[..] else { return Err(Stop::NoSuchKey { given }) };
        let key = key.id.clone();
        self.spare(&key)?;
        self.wish.delete_key = Some(key);
        Ok(())
    }

    pub(super) fn look(&mut self, tools: &Tools, user: &User, look: Look) -> Result<(), Stop> {
        match look {
            Look::AtUse(key) => self.look_at_use(tools, &key),
            Look::AtKey(key) => self.look_at_key(tools, key),
            Look::ForSecret(key) => self.look_for_secret(tools, &key),
            Look::Preflight => self.preflight(tools, user),
        }
    }

    pub(super) fn look_at_use(&mut self, tools: &Tools, key: &AccessKeyId) -> Result<(), Stop> {
        let used = match self.signed(|signer| tools.aws.access_key_last_use(signer, key)) {
            Err(stop) if stop.is(&Refusal::AccessDenied) => KeyUse::Unknown,
            last => last?.map_or(KeyUse::Never, KeyUse::Last),
        };
        // While it takes a code yet, the session may be let ask what the key is not.
        let is_last_word = used == KeyUse::Unknown && self.mfa(tools) != Mfa::Missing;
        if is_last_word && self.unknown.insert(key.clone()) {
            self.news.push(News::UseUnknown { key: key.clone() });
        }
        self.run.uses.insert(key.clone(), Use::of(&used));
        self.last_uses.insert(key.clone(), used);
        Ok(())
    }

    /// One that works makes the list wrong, and nothing is decided from it.
    fn look_at_key(&mut self, tools: &Tools, id: AccessKeyId) -> Result<(), Stop> {
        match tools.aws.caller_identity(&Signer::AccessKey(&self.held(&id)?)) {
            Err(AwsError::Refused { refusal: Refusal::UnknownKey, .. }) => {
                self.run.refused.insert(id);
                Ok(())
            }
            Ok(_) => Err(Stop::ListLags { key: id }),
            Err(error) => Err(error.into()),
        }
    }

    fn look_for_secret(&mut self, tools: &Tools, key: &AccessKeyId) -> Result<(), Stop> {
        let found = match tools.ledger.secret_of(key)? {
            Search::Found(stored) => {
                self.found = Some(*stored);
                Secret::Found
            }
            Search::NotFound | Search::Unknown => Secret::NotFound,
        };
        self.run.secrets.insert(key.clone(), found);
        Ok(())
    }

    fn preflight(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        let current = self.entry()?.position.current.clone();
        self.signed(|signer| tools.aws.set_access_key_status(signer, &user.name, &current, KeyStatus::Active))?;
        self.run.preflighted = true;
        Ok(())
    }
}
