//! Session tags and other lists as settings: one line of text to a person and to `~/.aws/config`, whose spelling aws-vault has
//! in use (`session_tags = team=blue,cost=7`); tables and arrays in the vault, where a value may hold a comma.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::NameError;

/// Keys with their values, in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct SessionTags(pub Vec<(String, String)>);

impl From<BTreeMap<String, String>> for SessionTags {
    fn from(tags: BTreeMap<String, String>) -> Self {
        Self(tags.into_iter().collect())
    }
}

impl From<SessionTags> for BTreeMap<String, String> {
    fn from(tags: SessionTags) -> Self {
        tags.0.into_iter().collect()
    }
}

impl FromStr for SessionTags {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::SessionTags(text.to_owned());
        let mut tags = BTreeMap::new();
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            if key.trim().is_empty() || tags.insert(key.trim().to_owned(), value.trim().to_owned()).is_some() {
                return Err(wrong());
            }
        }
        Ok(tags.into())
    }
}

impl fmt::Display for SessionTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&pairs.join(","))
    }
}

/// Texts without a comma in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextList(pub Vec<String>);

impl FromStr for TextList {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) { Err(NameError::TextList(text.to_owned())) } else { Ok(Self(parts)) }
    }
}

impl fmt::Display for TextList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_aws_vault_writes_them_and_shown_the_same_way() {
        let tags: SessionTags = "team=blue, cost = 7,note=".parse().unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tags.0, [pair("cost", "7"), pair("note", ""), pair("team", "blue")]);
        assert_eq!(tags.to_string(), "cost=7,note=,team=blue");
        assert_eq!(tags.to_string().parse(), Ok(tags));
        for wrong in ["", "team", "=x", "a=1,,b=2", "a=1,a=2"] {
            assert_eq!(wrong.parse::<SessionTags>(), Err(NameError::SessionTags(wrong.into())));
        }
    }

    #[test]
    fn a_list_is_its_parts_between_commas_and_none_is_empty() {
        let list: TextList = "team, cost".parse().unwrap();
        assert_eq!((list.0.len(), list.to_string().as_str()), (2, "team,cost"));
        for wrong in ["", "a,", ",a", "a,,b"] {
            assert_eq!(wrong.parse::<TextList>(), Err(NameError::TextList(wrong.into())));
        }
    }

    #[test]
    fn the_vault_has_tags_as_a_table_so_that_a_value_may_hold_a_comma() {
        #[derive(Serialize, Deserialize)]
        struct Held {
            tags: SessionTags,
            keys: TextList,
        }
        let text = "keys = [\"a\"]\n\n[tags]\na = \"1,2\"\n";
        let held: Held = toml::from_str(text).unwrap();
        assert_eq!(held.tags.0, [("a".to_owned(), "1,2".to_owned())]);
        let again: toml::Table = toml::from_str(&toml::to_string(&held).unwrap()).unwrap();
        assert_eq!(again, toml::from_str::<toml::Table>(text).unwrap());
    }
}
