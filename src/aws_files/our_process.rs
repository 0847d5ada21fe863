//! Our own `credential_process` line: by it the AWS tools ask this program for a profile's credentials.

use std::ffi::OsString;
use std::path::Path;

use crate::names::ProfileName;

/// The key of that line.
pub const CREDENTIAL_PROCESS: &str = "credential_process";

/// The subcommand that answers them.
pub const COMMAND: &str = "credential-process";

/// The value of the line. None where the program's path has a character that some tool takes for more than itself: botocore
/// splits the value by Python's shlex, the SDKs for JavaScript, Go and Rust hand it to a shell, and each has its own reading of
/// quotes and comment signs in the file before that. Names of profiles have none.
pub fn command(program: &Path, name: &ProfileName) -> Option<String> {
    let program = program.to_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.@:/+-".contains(c);
    (program.starts_with('/') && program.chars().all(plain)).then(|| format!("{program} {COMMAND} {name}"))
}

/// Whom the arguments of such a line ask for, the program's own name among them.
pub fn asked_for(arguments: &[OsString]) -> Option<ProfileName> {
    let [_, command, name] = arguments else { return None };
    name.to_str().filter(|_| command == COMMAND)?.parse().ok()
}

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
    fn a_path_is_written_only_where_all_tools_read_it_alike() {
        let name = "team/prod@eu".parse().unwrap();
        let written = command(Path::new("/opt/vault-1.0+x/bin/vault"), &name).unwrap();
        assert_eq!(written, "/opt/vault-1.0+x/bin/vault credential-process team/prod@eu");
        assert!(is_our_credential_process(&written, &name));
        for path in ["vault", "/my vault", "/a'b", "/a\"b", "/a\\b", "/a$b", "/a;b", "/a#b", "/\u{e9}", "/a%b", "/~a"] {
            assert_eq!(command(Path::new(path), &name), None, "{path}");
        }
    }

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
