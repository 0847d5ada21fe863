//! What can be filled into a template. Every value is checked by its alphabet before it comes near JSON.

use std::net::IpAddr;

use thiserror::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    Account,
    User,
    Role,
    Range,
    Before,
}

impl Placeholder {
    pub const ALL: [Self; 5] = [Self::Account, Self::User, Self::Role, Self::Range, Self::Before];

    /// As it stands in a template.
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "ACCOUNT_ID",
            Self::User => "USER_NAME",
            Self::Role => "ROLE_NAME",
            Self::Range => "IP_RANGE",
            Self::Before => "SIGNED_IN_BEFORE",
        }
    }

    /// The flag that fills it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Account => "--account",
            Self::User => "--user",
            Self::Role => "--role",
            Self::Range => "--ip",
            Self::Before => "--before",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {what}")]
pub struct NotOfThisShape {
    text: String,
    what: &'static str,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotOfThisShape;
            fn from_str(text: &str) -> Result<Self, NotOfThisShape> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NotOfThisShape { text: text.to_owned(), what: $what })
                }
            }
        }
    };
}

checked_text!(
    /// Twelve digits.
    AccountId,
    "an account number of twelve digits",
    |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
);
checked_text!(
    /// A user's or role's name, with its path if it has one (IAM API reference: 64 of `[\w+=,.@-]`, paths up to 512).
    IamName,
    "an IAM name: letters, digits and +=,.@_-, and / in a path",
    |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
        let words = text.split('/').all(|word| !word.is_empty());
        (1..=512).contains(&text.len()) && text.bytes().all(allowed) && words
    }
);
checked_text!(
    /// An IPv4 or IPv6 address, or a range of them in CIDR notation (RFC 4632).
    AddressRange,
    "an address or a range such as 203.0.113.0/24",
    |text| {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        bits.is_none_or(|bits| digits(bits) && bits.parse::<u8>().is_ok_and(|bits| bits <= most))
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_break_out_of_a_policy_is_no_value_for_it() {
        for bad in ["", "alice\"", "a b", "*", "a/", "/a", "${aws:username}", "a\n"] {
            assert!(bad.parse::<IamName>().is_err(), "{bad}");
        }
        for good in ["alice", "team/alice", "a.b+c=d,e@f_g-h"] {
            assert_eq!(good.parse::<IamName>().unwrap().as_str(), good);
        }
        for bad in ["12345678901", "1234567890123", "12345678901x"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_is_an_address_and_at_most_as_many_bits_as_it_has() {
        for good in ["203.0.113.7", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "::1/128"] {
            assert!(good.parse::<AddressRange>().is_ok(), "{good}");
        }
        for bad in ["203.0.113", "203.0.113.0/33", "203.0.113.0/", "2001:db8::/129", "203.0.113.0/+8", "office"] {
            assert!(bad.parse::<AddressRange>().is_err(), "{bad}");
        }
    }
}
