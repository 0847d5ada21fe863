//! The words of the product as types: whoever holds one of these holds a value that was checked once, when it was parsed.

mod endpoint;
mod session_tags;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use endpoint::{Endpoint, EndpointError, Endpoints};
pub use session_tags::{SessionTags, TextList};

/// Why a piece of text is not the name it should be. Carries the text where that can't be a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    #[error("`{0}` is not a profile name: 1 to 64 of letters, digits and _.@:/+-, not starting with -")]
    Profile(String),
    /// Without the text: where a file or a person has the pair the wrong way round, it is the secret access key.
    #[error("that is not an access key id; it looks like AKIA and 16 more characters")]
    AccessKeyId,
    #[error("`{serial}` is not an MFA serial; did you mean `{meant}`?")]
    UserArnAsSerial { serial: String, meant: String },
    #[error("`{0}` is a FIDO security key, and AWS takes no codes from those")]
    FidoSerial(String),
    #[error("`{0}` is not an MFA serial: 9 to 256 of letters, digits and +=/:,.@-_")]
    MfaSerial(String),
    #[error("`{0}` is not a role ARN such as arn:aws:iam::123456789012:role/NAME")]
    RoleArn(String),
    #[error("`{0}` is not a region name such as eu-central-1")]
    Region(String),
    #[error("`{0}` is no list of session tags such as team=blue,cost=7, each key once")]
    SessionTags(String),
    #[error("`{0}` is no list such as one,two")]
    TextList(String),
    #[error("an MFA code is six digits")]
    MfaCode,
}

/// The text conversions every name shares: parse, show, and serde by way of both.
macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A named entry, as AWS uses the word: 1 to 64 of `[A-Za-z0-9_.@:/+-]`, not starting with `-`.
///
/// Narrower than what AWS tools accept, since names end up in section headers, file names, units and shell lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);
text_conversions!(ProfileName);

impl std::str::FromStr for ProfileName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.@:/+-".contains(c);
        let fits = (1..=64).contains(&text.len()) && !text.starts_with('-');
        if fits && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Profile(text.to_owned()))
        }
    }
}

/// The public half of an access key: `AKIA...` for a long-term key, `ASIA...` for a session's.
///
/// Length by the IAM API reference (AccessKey: 16 to 128 of `\w`), but no small letters: AWS makes ids without any, and a
/// secret access key, pasted in the wrong place, is often 40 letters and digits. As an id it would be sent and shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(String);
text_conversions!(AccessKeyId);

impl AccessKeyId {
    /// Session credentials carry ids that start with `ASIA` (IAM user guide, "Unique identifiers").
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }

    /// As people are shown it: the prefix and the last four.
    pub fn short(&self) -> String {
        let (head, tail) = (&self.0[..4], &self.0[self.0.len() - 4..]);
        format!("{head}...{tail}")
    }

    /// By its whole id, as it is shown, or by its end.
    pub fn is_meant_by(&self, given: &str) -> bool {
        let by_its_end = given.len() >= 4 && self.0.ends_with(given);
        self.0 == given || self.short() == given || by_its_end
    }
}

impl std::str::FromStr for AccessKeyId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if (16..=128).contains(&text.len()) && text.chars().all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::AccessKeyId)
        }
    }
}

/// An MFA device as STS wants it named: the ARN of a virtual device, or the serial of a hardware one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MfaSerial(String);
text_conversions!(MfaSerial);

impl MfaSerial {
    /// The ARN of a virtual device, which usually has its user's name. As text: a guess that no device has to bear out.
    pub fn usual_of(partition: &str, account: &str, device_name: &str) -> String {
        format!("arn:{partition}:iam::{account}:mfa/{device_name}")
    }

    /// The account in an ARN; a hardware serial names none.
    pub fn account(&self) -> Option<&str> {
        arn_account(&self.0)
    }
}

impl std::str::FromStr for MfaSerial {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        // FIDO devices are listed with these two path words; STS takes codes from neither.
        if text.contains(":u2f/") || text.contains(":passkey/") {
            return Err(NameError::FidoSerial(text.to_owned()));
        }
        if let Some((head, user)) = text.split_once(":user/") {
            return Err(NameError::UserArnAsSerial { serial: text.to_owned(), meant: format!("{head}:mfa/{user}") });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "+=/:,.@-_".contains(c);
        let arn_is_whole = !text.starts_with("arn:") || text.contains(":mfa/");
        if (9..=256).contains(&text.len()) && text.chars().all(allowed) && arn_is_whole {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::MfaSerial(text.to_owned()))
        }
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, at most 2048 characters (STS API reference, AssumeRole).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleArn(String);
text_conversions!(RoleArn);

impl RoleArn {
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, ...
    pub fn partition(&self) -> &str {
        arn_partition(&self.0).unwrap_or_default()
    }

    /// As the console wants it named.
    pub fn path_and_name(&self) -> &str {
        self.0.split_once(":role/").map_or("", |(_, rest)| rest)
    }

    /// The role's name without its path.
    pub fn role_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl std::str::FromStr for RoleArn {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::RoleArn(text.to_owned());
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts[..] else {
            return Err(wrong());
        };
        let partition_fits =
            partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let account_fits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let path = resource.strip_prefix("role/").ok_or_else(wrong)?;
        let path_fits = !path.is_empty()
            && !path.ends_with('/')
            && path.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=,.@-".contains(c));
        if partition_fits && account_fits && path_fits && text.len() <= 2048 {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

/// An AWS region, by shape only: new ones must work without a new release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);
text_conversions!(Region);

impl Region {
    /// Where STS and IAM are asked when nobody names a region.
    pub fn fallback() -> Self {
        Self("us-east-1".to_owned())
    }
}

impl std::str::FromStr for Region {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        // The region becomes part of a host name, so its alphabet is that of one label.
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ends_well = !text.starts_with('-') && !text.ends_with('-');
        if (3..=32).contains(&text.len()) && text.bytes().all(allowed) && text.contains('-') && ends_well {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Region(text.to_owned()))
        }
    }
}

/// Six digits, checked before they are sent since a code can be spent only once.
#[derive(Clone, PartialEq, Eq)]
pub struct MfaCode(String);

impl MfaCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for MfaCode {
    type Err = NameError;
    /// Blanks around and inside ("123 456", as phones show it) and a carriage return are people's and pipes' habits; nothing else is.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(NameError::MfaCode)
        }
    }
}

/// `aws`, `aws-cn`, `aws-us-gov`, ...
pub fn arn_partition(arn: &str) -> Option<&str> {
    arn.split(':').nth(1).filter(|partition| !partition.is_empty())
}

/// Whether it is of an account's root user.
pub fn arn_is_root(arn: &str) -> bool {
    arn.ends_with(":root")
}

/// The account number in an IAM or STS ARN.
pub fn arn_account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (account.len() == 12).then_some(account)
}

/// The last word of a user ARN's path: `arn:aws:iam::1:user/team/alice` -> `alice`.
pub fn arn_user_name(arn: &str) -> Option<&str> {
    arn.split_once(":user/")?.1.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_name_takes_the_documented_alphabet_and_nothing_else() {
        for good in ["prod", "a", "team/prod.eu+x@y:z-1_", &"x".repeat(64)] {
            assert_eq!(good.parse::<ProfileName>().unwrap().as_str(), good);
        }
        for bad in ["", "-prod", "a b", "a]", "é", "a\n", "a=b", &"x".repeat(65)] {
            assert_eq!(bad.parse::<ProfileName>(), Err(NameError::Profile(bad.to_owned())));
        }
    }

    #[test]
    fn an_access_key_id_is_shown_by_its_ends_only() {
        let id: AccessKeyId = "AKIAIOSFODNN7EXAMPLE".parse().unwrap();
        assert_eq!(id.short(), "AKIA...MPLE");
        assert!(!id.is_temporary());
        assert!("AKIA".parse::<AccessKeyId>().is_err());
        assert!("wJalrXUtnFEMIaK7MDENGabPxRfiCYEXAMPLEKEY".parse::<AccessKeyId>().is_err(), "a secret is no id");
    }

    #[test]
    fn an_mfa_serial_that_can_never_work_says_why() {
        assert_eq!(
            "arn:aws:iam::123456789012:user/alice".parse::<MfaSerial>(),
            Err(NameError::UserArnAsSerial {
                serial: "arn:aws:iam::123456789012:user/alice".into(),
                meant: "arn:aws:iam::123456789012:mfa/alice".into(),
            })
        );
        assert!(matches!(
            "arn:aws:iam::123456789012:u2f/user/alice/key".parse::<MfaSerial>(),
            Err(NameError::FidoSerial(_))
        ));
        let serial: MfaSerial = "arn:aws:iam::123456789012:mfa/alice".parse().unwrap();
        assert_eq!(serial.account(), Some("123456789012"));
        assert_eq!("GAHT12345678".parse::<MfaSerial>().unwrap().account(), None);
    }

    #[test]
    fn a_role_arn_is_taken_apart_only_when_it_is_whole() {
        let role: RoleArn = "arn:aws-us-gov:iam::123456789012:role/team/admin".parse().unwrap();
        assert_eq!((role.account(), role.role_name()), ("123456789012", "admin"));
        assert_eq!(role.path_and_name(), "team/admin");
        for bad in
            ["admin", "arn:aws:iam::123:role/x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:user/x"]
        {
            assert!(bad.parse::<RoleArn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_can_only_be_one_host_label() {
        for good in ["eu-central-1", "us-gov-west-1", "cn-north-1"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in ["", "eu", "evil.example.com/x-", "EU-CENTRAL-1", "-a-b", "a b-c"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_code_is_six_digits_after_blanks_are_gone() {
        for good in ["123456", " 123 456 ", "123456\r\n"] {
            assert_eq!(good.parse::<MfaCode>().unwrap().as_str(), "123456");
        }
        for bad in ["12345", "1234567", "12345a", "", "１２３４５６"] {
            assert!(bad.parse::<MfaCode>().is_err(), "{bad}");
        }
    }
}
