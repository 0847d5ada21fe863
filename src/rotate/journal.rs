//! The state of a rotation as the vault keeps it, `[profile.NAME.rotation]`: written before and after each step that can't
//! be taken back, and gone when the rotation is over. While it is there the secrets of both keys are in the vault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::plan::{Save, State};
use crate::names::{AccessKeyId, ProfileName};
use crate::store::document::{Document, Profile, StoredAccessKey};

/// Times are by AWS's clock; `kept` and `grace` are what was [`Asked`]. A journal with keys that this version does not know is one that it must not act upon.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Journal {
    /// CreateAccessKey is about to be sent.
    Intended {
        user_arn: String,
        since: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace: Option<u64>,
    },
    /// `new` was made; the profile has the old key still.
    Created {
        user_arn: String,
        since: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace: Option<u64>,
        new: StoredAccessKey,
    },
    /// The profile has the new key, which was seen to work.
    Proven {
        user_arn: String,
        since: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace: Option<u64>,
        old: StoredAccessKey,
    },
    /// `old` is inactive, and to be deleted after `until`.
    Retired { user_arn: String, since: Timestamp, until: Timestamp, old: StoredAccessKey },
    /// `old` is to be the profile's key again.
    Undoing { user_arn: String, since: Timestamp, old: StoredAccessKey },
}

/// Where the rotation of a user's key stands in a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub user_arn: String,
    /// The profile that has the journal, or is to have it.
    pub profile: ProfileName,
    pub current: AccessKeyId,
    pub state: State,
    /// When the journal was last written; None where there is none.
    pub since: Option<Timestamp>,
}

/// What whoever began a rotation wanted of it, for those who take it up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// The old key is to stay active.
    pub kept: bool,
    /// How many seconds the old key stays inactive before it is deleted, where that was said.
    pub grace: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    /// Of another version, or not written by this program.
    #[error("the journal of the rotation of `{0}` can't be read")]
    Unreadable(ProfileName),
    /// The profile is gone, or has no access key.
    #[error("`{0}` has no access key")]
    NoKey(ProfileName),
}

/// Why a step was not saved: the vault does not say any more what the step was decided from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Conflict {
    #[error("the vault was changed meanwhile")]
    Changed,
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Journal {
    /// A profile's, if it has one.
    pub fn of(name: &ProfileName, profile: &Profile) -> Result<Option<Self>, JournalError> {
        let Some(table) = profile.rest.get(Profile::ROTATION) else { return Ok(None) };
        table.clone().try_into().map(Some).map_err(|_| JournalError::Unreadable(name.clone()))
    }

    pub fn user_arn(&self) -> &str {
        match self {
            Self::Intended { user_arn, .. }
            | Self::Created { user_arn, .. }
            | Self::Proven { user_arn, .. }
            | Self::Retired { user_arn, .. }
            | Self::Undoing { user_arn, .. } => user_arn,
        }
    }

    pub fn since(&self) -> Timestamp {
        match self {
            Self::Intended { since, .. }
            | Self::Created { since, .. }
            | Self::Proven { since, .. }
            | Self::Retired { since, .. }
            | Self::Undoing { since, .. } => *since,
        }
    }

    pub fn asked(&self) -> Asked {
        match *self {
            Self::Intended { kept, grace, .. }
            | Self::Created { kept, grace, .. }
            | Self::Proven { kept, grace, .. } => Asked { kept, grace },
            Self::Retired { .. } | Self::Undoing { .. } => Asked::default(),
        }
    }

    pub fn state(&self) -> State {
        match self {
            Self::Intended { since, .. } => State::Intended { since: *since },
            Self::Created { since, new, .. } => State::Created { new: new.id.clone(), since: *since },
            Self::Proven { old, .. } => State::Proven { old: old.id.clone() },
            Self::Retired { old, until, .. } => State::Retired { old: old.id.clone(), until: *until },
            Self::Undoing { old, .. } => State::Undoing { old: old.id.clone() },
        }
    }

    /// The key that it holds beside the profile's.
    pub fn other_key(&self) -> Option<&StoredAccessKey> {
        match self {
            Self::Intended { .. } => None,
            Self::Created { new, .. } => Some(new),
            Self::Proven { old, .. } | Self::Retired { old, .. } | Self::Undoing { old, .. } => Some(old),
        }
    }

    fn into_other_key(self) -> Option<StoredAccessKey> {
        match self {
            Self::Intended { .. } => None,
            Self::Created { new, .. } => Some(new),
            Self::Proven { old, .. } | Self::Retired { old, .. } | Self::Undoing { old, .. } => Some(old),
        }
    }

    /// Whether the profile has the key again that was replaced: a rotation's new key is the younger one.
    pub fn is_undone(&self, current: &StoredAccessKey) -> bool {
        match self {
            Self::Proven { old, .. } | Self::Retired { old, .. } => current.since() < old.since(),
            Self::Intended { .. } | Self::Created { .. } | Self::Undoing { .. } => false,
        }
    }

    /// The key beside the one that the profile has: the journal may stand with another profile that has it too.
    pub fn key_beside(document: &Document, name: &ProfileName) -> Option<StoredAccessKey> {
        let id_of = |profile: &Profile| profile.access_key.as_ref().map(|key| key.id.clone());
        let own = id_of(document.profiles.get(name)?)?;
        let with_it = document.profiles.iter().filter(|(_, profile)| id_of(profile).as_ref() == Some(&own));
        let mut journals = with_it.filter_map(|(name, profile)| Self::of(name, profile).ok()?);
        journals.find_map(Self::into_other_key)
    }

    fn put(self, profile: &mut Profile) {
        let table = toml::Value::try_from(self).expect("a journal is text and tables of it");
        profile.rest.insert(Profile::ROTATION.to_owned(), table);
    }
}

impl Position {
    /// Of the user with this ARN, whose key the profile has. The journal stands with any of the user's profiles.
    pub fn find(document: &Document, user_arn: &str, name: &ProfileName) -> Result<Self, JournalError> {
        for (holder, profile) in &document.profiles {
            // What can't be read of another user's is nothing to this one.
            if profile.rotating_user().is_some_and(|user| user != user_arn) {
                continue;
            }
            let Some(journal) = Journal::of(holder, profile)? else { continue };
            if journal.user_arn() == user_arn {
                let (state, since) = (journal.state(), Some(journal.since()));
                let current = key_of(document, holder)?.id.clone();
                return Ok(Self { user_arn: user_arn.to_owned(), profile: holder.clone(), current, state, since });
            }
        }
        let current = key_of(document, name)?.id.clone();
        let user_arn = user_arn.to_owned();
        Ok(Self { user_arn, profile: name.clone(), current, state: State::Idle, since: None })
    }

    /// Writes the outcome of a step into the document, unless that says something else by now than what the step was decided
    /// from. `found` is the key of [`Save::Adopt`], `asked` what is to hold until the old key is retired.
    pub fn save(
        &self,
        document: &mut Document,
        save: &Save,
        found: Option<&StoredAccessKey>,
        asked: Asked,
        now: Timestamp,
    ) -> Result<(), Conflict> {
        if Self::find(document, &self.user_arn, &self.profile)? != *self {
            return Err(Conflict::Changed);
        }
        let profile = document.profiles.get(&self.profile).ok_or(Conflict::Changed)?;
        let other = Journal::of(&self.profile, profile)?.and_then(Journal::into_other_key);
        let (user_arn, since, Asked { kept, grace }) = (self.user_arn.clone(), now, asked);
        let other = || other.clone().ok_or(Conflict::Changed);
        let journal = match save {
            Save::Intend => Some(Journal::Intended { user_arn, since, kept, grace }),
            Save::Adopt(_) => {
                Some(Journal::Created { user_arn, since, kept, grace, new: found.ok_or(Conflict::Changed)?.clone() })
            }
            Save::Prove => {
                let old = self.replace_key(document, &StoredAccessKey { verified: Some(now), ..other()? })?;
                Some(Journal::Proven { user_arn, since, kept, grace, old })
            }
            Save::Retire { until } => Some(Journal::Retired { user_arn, since, until: *until, old: other()? }),
            Save::Undo => Some(Journal::Undoing { user_arn, since, old: other()? }),
            Save::TurnBack => {
                let old = self.replace_key(document, &other()?)?;
                Some(Journal::Proven { user_arn, since, kept, grace, old })
            }
            Save::Return => {
                self.replace_key(document, &other()?)?;
                None
            }
            Save::Finish => None,
        };
        let profile = document.profiles.get_mut(&self.profile).ok_or(Conflict::Changed)?;
        match journal {
            Some(journal) => journal.put(profile),
            None => drop(profile.rest.remove(Profile::ROTATION)),
        }
        Ok(())
    }

    /// In every profile that has it; gives the one that it was.
    fn replace_key(&self, document: &mut Document, new: &StoredAccessKey) -> Result<StoredAccessKey, Conflict> {
        let mut replaced = None;
        for profile in document.profiles.values_mut() {
            if let Some(key) = profile.access_key.as_mut().filter(|key| key.id == self.current) {
                replaced = Some(std::mem::replace(key, new.clone()));
            }
        }
        replaced.ok_or(Conflict::Changed)
    }
}

/// The access key that the profile has.
pub fn key_of<'a>(document: &'a Document, name: &ProfileName) -> Result<&'a StoredAccessKey, JournalError> {
    let key = document.profiles.get(name).and_then(|profile| profile.access_key.as_ref());
    key.ok_or_else(|| JournalError::NoKey(name.clone()))
}

#[cfg(test)]
mod tests;
