//! When AWS made the keys, which every list of them tells and a vault may not know.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::aws::ListedKey;
use crate::names::AccessKeyId;
use crate::store::document::{Document, StoredAccessKey};

/// Of one user's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreationDates(BTreeMap<AccessKeyId, Timestamp>);

impl CreationDates {
    pub fn of(keys: &[ListedKey]) -> Self {
        Self(keys.iter().map(|key| (key.id.clone(), key.created)).collect())
    }

    /// Whether the vault does not know what they tell of the key.
    pub fn are_news_of(&self, key: &StoredAccessKey) -> bool {
        key.created.is_none() && self.0.contains_key(&key.id)
    }

    /// To those whose age the vault does not know: they came into it before AWS was asked, or AWS did not tell.
    pub fn put(&self, document: &mut Document) {
        for key in document.profiles.values_mut().filter_map(|profile| profile.access_key.as_mut()) {
            key.created = key.created.or_else(|| self.0.get(&key.id).copied());
        }
    }
}
