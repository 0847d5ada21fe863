//! Variables in the words of a shell, to be evaluated by it. Values are quoted whatever they hold: a session token comes
//! from the network.

use serde::Serialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::environment::Variables;

/// Who reads the text.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// POSIX: dash, bash, zsh, ksh.
    Sh,
    /// Programs.
    Json,
}

/// The text, its last line ended; a secret.
pub fn render(shell: Shell, variables: &Variables) -> Zeroizing<String> {
    match shell {
        Shell::Sh => sh(variables),
        Shell::Json => json(variables),
    }
}

fn sh(variables: &Variables) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for name in variables.unset() {
        text.push_str(&format!("unset {name}\n"));
    }
    for (name, value) in variables.set() {
        let quoted = Zeroizing::new(value.replace('\'', r"'\''"));
        text.push_str(&Zeroizing::new(format!("export {name}='{}'\n", *quoted)));
    }
    text
}

fn json(variables: &Variables) -> Zeroizing<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        set: BTreeMap<&'a str, &'a str>,
        unset: Vec<&'a str>,
    }
    let document = Document { version: 1, set: variables.set().collect(), unset: variables.unset().collect() };
    let text = serde_json::to_string_pretty(&document).expect("text keys and values are all JSON");
    Zeroizing::new(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::SessionCredentials;
    use crate::secret::{SecretAccessKey, SessionToken};
    use std::process::Command;

    /// What would break out of weaker quoting.
    const HOSTILE: &str = "'; echo broken; '$(echo x)`echo x`\"$HOME\\ \n\t!!*~#é";

    fn hostile() -> Variables {
        let session = SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new("plain".into()),
            session_token: SessionToken::new(HOSTILE.into()),
            expiration: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        Variables::of_session(&session, None, &"prod".parse().unwrap())
    }

    #[test]
    fn the_lines_for_a_posix_shell_are_these() {
        let text = render(Shell::Sh, &hostile());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "unset AWS_PROFILE");
        assert!(lines.contains(&"export AWS_SECRET_ACCESS_KEY='plain'"));
        assert_eq!(lines.last(), Some(&"export AWS_VAULT='prod'"));
    }

    #[test]
    fn a_shell_gets_back_a_hostile_value_byte_for_byte() {
        let script = format!("{}\nprintf %s \"$AWS_SESSION_TOKEN\"", *render(Shell::Sh, &hostile()));
        let output = Command::new("sh").args(["-euc", &script]).env("AWS_PROFILE", "x").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), HOSTILE);
        assert!(output.status.success() && output.stderr.is_empty());
    }

    #[test]
    fn json_says_what_to_set_and_what_to_unset() {
        let value: serde_json::Value = serde_json::from_str(&render(Shell::Json, &hostile())).unwrap();
        assert_eq!(value["version"], 1);
        assert_eq!(value["set"]["AWS_SESSION_TOKEN"], HOSTILE);
        assert_eq!(value["unset"][0], "AWS_PROFILE");
    }
}
