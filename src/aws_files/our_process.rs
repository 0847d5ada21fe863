//! Our own `credential_process` line: by it the AWS tools ask this program for a profile's credentials.

use crate::names::ProfileName;

/// The subcommand that answers them.
const COMMAND: &str = "credential-process";

/// Whether a `credential_process` asks this program for this very profile. By its words, not by the program's path: that is
/// another one after a move or an upgrade, and may be any name that the program is linked as.
pub fn is_our_credential_process(value: &str, name: &ProfileName) -> bool {
    match shell_words::split(value).as_deref() {
        Ok([program, command, profile]) => !program.is_empty() && command == COMMAND && profile == name.as_str(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_line_is_known_by_its_words_and_for_its_own_profile_alone() {
        let ours = |value: &str| is_our_credential_process(value, &"prod".parse().unwrap());
        for value in [
            "/usr/local/bin/vault credential-process prod",
            "vault  credential-process 'prod'",
            "\"/opt/my vault\" credential-process prod",
        ] {
            assert!(ours(value), "{value}");
        }
        for value in [
            "",
            "vault",
            "vault credential-process",
            "vault credential-process other",
            "vault credential-process prod --flag",
            "vault export prod",
            "env X=1 vault credential-process prod",
            "'' credential-process prod",
            "vault credential-process 'prod",
        ] {
            assert!(!ours(value), "{value}");
        }
    }
}
