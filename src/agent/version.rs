//! The version of a program, as agents and those who ask them compare it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A newer one replaces an older agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version([u32; 3]);

impl Version {
    /// This program's.
    pub fn own() -> Self {
        env!("CARGO_PKG_VERSION").parse().expect("Cargo checks versions")
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    /// Three numbers; what follows a dash (`1.0.0-rc.1`) makes no other version.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let parsed: Result<Vec<u32>, _> = numbers.split('.').map(str::parse).collect();
        parsed.ok().and_then(|parts| parts.try_into().ok()).map(Self).ok_or(NotAVersion)
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version")]
pub struct NotAVersion;

impl TryFrom<String> for Version {
    type Error = NotAVersion;

    fn try_from(text: String) -> Result<Self, NotAVersion> {
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("0.10.0") > version("0.9.9"));
        assert!(version("1.0.0") > version("0.99.0"));
        assert_eq!(version("1.0.0-rc.1"), version("1.0.0"));
        for wrong in ["", "1", "1.0", "1.0.0.0", "1.0.x", "-1.0.0", "a.b.c"] {
            assert_eq!(wrong.parse::<Version>(), Err(NotAVersion), "{wrong}");
        }
        assert_eq!(Version::own().to_string(), env!("CARGO_PKG_VERSION"));
    }
}
