//! What the program aws-vault prints: its keys lie in a keychain or a file of its own, which only it opens.

use serde::Deserialize;

use super::found::{Found, Origin, Reading, Skipped, Source, Why};
use crate::credentials::AccessKey;
use crate::names::AccessKeyId;
use crate::secret::{SecretAccessKey, in_sealed_bytes};
use crate::store::document::Profile;

/// Names the profiles it holds a key of, one a line.
pub const LIST: &str = "aws-vault list --credentials";

/// The variables that say where and how it keeps them. AWS_VAULT itself would make it refuse: it means a shell of its own.
pub fn is_its_setting(variable: &str) -> bool {
    variable.starts_with("AWS_VAULT_") || variable == "AWS_CONFIG_FILE"
}

/// Prints the pair itself, and no session made with it.
pub fn export(name: &str) -> String {
    format!("aws-vault export --no-session --format=json -- {}", shell_words::quote(name))
}

/// The names in what [`LIST`] printed.
pub fn names(printed: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(printed);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The form of AWS's `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: AccessKeyId,
    #[serde(with = "in_sealed_bytes")]
    secret_access_key: SecretAccessKey,
    session_token: Option<String>,
}

/// What [`export`] printed for a profile. A profile with a role in `~/.aws/config` gives that role's session.
pub fn read(name: &str, printed: &[u8]) -> Reading {
    let origin = Origin { source: Source::AwsVault, path: None, section: Some(name.to_owned()), line: None };
    let skipped =
        |why, origin| Reading { skipped: vec![Skipped { name: name.to_owned(), why, origin }], ..Reading::default() };
    match serde_json::from_slice::<Exported>(printed) {
        Err(_) => skipped(Why::Unclear, origin),
        Ok(it)
            if it.access_key_id.is_temporary() || it.session_token.as_ref().is_some_and(|token| !token.is_empty()) =>
        {
            skipped(Why::Session, origin)
        }
        Ok(it) => {
            let pair = AccessKey { id: it.access_key_id, secret: it.secret_access_key };
            let settings = Profile::default();
            let found = Found { name: name.to_owned(), key: Some(pair.into()), settings, origin, duplicate: None };
            Reading { found: vec![found], ..Reading::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(id: &str, rest: &str) -> Vec<u8> {
        format!("{{\n  \"Version\": 1,\n  \"AccessKeyId\": \"{id}\",\n  \"SecretAccessKey\": \"secret\"{rest}\n}}\n")
            .into()
    }

    #[test]
    fn a_pair_is_a_key_and_a_roles_session_is_not() {
        let reading = read("prod", &printed("AKIAIOSFODNN7EXAMPLE", ""));
        let key = &reading.found[0].key.as_ref().unwrap().pair;
        assert_eq!((key.id.as_str(), key.secret.expose()), ("AKIAIOSFODNN7EXAMPLE", "secret"));
        let session = printed("ASIAIOSFODNN7EXAMPLE", ",\n  \"SessionToken\": \"t\"");
        assert_eq!(read("prod", &session).skipped[0].why, Why::Session);
        for broken in [&b""[..], b"{}", b"Enter passphrase: {}", &printed("short", "")] {
            assert_eq!(read("prod", broken).skipped[0].why, Why::Unclear);
        }
    }

    #[test]
    fn its_list_is_a_name_a_line_and_a_name_is_one_word_of_the_command() {
        assert_eq!(names(b"prod\n\ndev team\r\n"), ["prod", "dev team"]);
        assert_eq!(export("dev team"), "aws-vault export --no-session --format=json -- 'dev team'");
        assert!(is_its_setting("AWS_VAULT_BACKEND") && is_its_setting("AWS_CONFIG_FILE"));
        assert!(!is_its_setting("AWS_VAULT") && !is_its_setting("AWS_SECRET_ACCESS_KEY"));
    }
}
