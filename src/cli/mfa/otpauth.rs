//! The address by which authenticator apps take a device over.
//! https://github.com/google/google-authenticator/wiki/Key-Uri-Format

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::MfaSeed;

/// RFC 3986's unreserved characters stay as they are.
const SPELLED_OUT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Labelled as AWS labels its own: the device's name at the account. The issuer is short, so that the code fits a terminal
/// of 24 rows.
pub fn uri(seed: &MfaSeed, device_name: &str, account: &str) -> Zeroizing<String> {
    let name = utf8_percent_encode(device_name, SPELLED_OUT);
    let secret = seed.expose().trim_end_matches('=');
    Zeroizing::new(format!("otpauth://totp/AWS:{name}@{account}?secret={secret}&issuer=AWS"))
}

/// The seed in groups of four, as people type it.
pub fn typed(seed: &MfaSeed) -> Zeroizing<String> {
    let mut text = String::with_capacity(seed.expose().len() * 2);
    for (at, letter) in seed.expose().trim_end_matches('=').chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(letter);
    }
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_device_and_account_and_has_the_seed_without_padding() {
        let seed = MfaSeed::new("JBSWY3DPEHPK3PXP====".into());
        let expected = "otpauth://totp/AWS:a%2Bb%40c@123456789012?secret=JBSWY3DPEHPK3PXP&issuer=AWS";
        assert_eq!(*uri(&seed, "a+b@c", "123456789012"), expected);
        assert_eq!(*typed(&seed), "JBSW Y3DP EHPK 3PXP");
    }
}
