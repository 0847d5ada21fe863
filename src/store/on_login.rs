//! What `login` does about an access key that is due.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RotateOnLogin {
    /// A person is asked whether to rotate it now, with the code at hand.
    Ask,
    Always,
    Never,
    /// Of a later version; kept, and taken for [`Self::Ask`], which does nothing unasked.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of ask, always and never")]
pub struct RotateOnLoginError(String);

impl From<String> for RotateOnLogin {
    fn from(text: String) -> Self {
        match text.as_str() {
            "ask" => Self::Ask,
            "always" => Self::Always,
            "never" => Self::Never,
            _ => Self::Other(text),
        }
    }
}

/// What a person types is a word of this version.
impl FromStr for RotateOnLogin {
    type Err = RotateOnLoginError;
    fn from_str(text: &str) -> Result<Self, RotateOnLoginError> {
        match Self::from(text.to_owned()) {
            Self::Other(text) => Err(RotateOnLoginError(text)),
            known => Ok(known),
        }
    }
}

impl fmt::Display for RotateOnLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ask => "ask",
            Self::Always => "always",
            Self::Never => "never",
            Self::Other(text) => text,
        })
    }
}

impl From<RotateOnLogin> for String {
    fn from(choice: RotateOnLogin) -> String {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_later_version_is_kept_and_not_typed() {
        for word in ["ask", "always", "never"] {
            assert_eq!(RotateOnLogin::from(word.to_owned()).to_string(), word);
            assert_eq!(word.parse(), Ok(RotateOnLogin::from(word.to_owned())));
        }
        let later = RotateOnLogin::from("weekly".to_owned());
        assert_eq!((&later, String::from(later.clone())), (&RotateOnLogin::Other("weekly".into()), "weekly".into()));
        assert!("weekly".parse::<RotateOnLogin>().is_err() && "Ask".parse::<RotateOnLogin>().is_err());
    }
}
