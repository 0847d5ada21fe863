//! What stands in a profile's section of the credentials file: AWS tools take credentials there before they ask a
//! `credential_process`.

use std::path::Path;

use super::error::{ConfigureError, ExportError};
use crate::aws_files::config::outranks_credentials;
use crate::aws_files::credentials::{CREDENTIALS, CredentialsSection, Holds};
use crate::aws_files::file;
use crate::aws_files::ini::Ini;
use crate::aws_files::our_process::CREDENTIAL_PROCESS;
use crate::credentials::AccessKey;
use crate::disk::Disk;
use crate::names::ProfileName;

/// What has to go before AWS tools ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InTheWay {
    Nothing,
    /// A session that `login` wrote.
    OurSession,
    /// The very key that the vault has for the profile.
    VaultKey,
}

/// Looks at the section of that name; what is neither ours nor in the vault is an error, which names it.
pub fn in_the_way(
    disk: &dyn Disk,
    path: &Path,
    name: &ProfileName,
    vault_key: Option<&AccessKey>,
    may_remove_key: bool,
) -> Result<InTheWay, ConfigureError> {
    let bytes = file::read(disk, path).map_err(ExportError::from)?;
    let ini = Ini::parse(&bytes);
    let section = ini.only(|header| header == name.as_str().as_bytes());
    let section = section.map_err(|error| ConfigureError::Edit { path: path.to_owned(), error })?;
    let Some(section) = section else { return Ok(InTheWay::Nothing) };
    let (path, name) = (path.to_owned(), name.clone());
    let foreign = |key: &str| outranks_credentials(key) || key == CREDENTIAL_PROCESS || key == "source_profile";
    if let Some(entry) = section.entries().find(|entry| foreign(entry.key())) {
        let (line, key) = (entry.line_number(), entry.key().to_owned());
        return Err(ConfigureError::ForeignSection { path, line, name, key });
    }
    let read = CredentialsSection::read(&ini, section);
    if read.written_by_us {
        return Ok(InTheWay::OurSession);
    }
    if let Holds::LongTerm(key) = read.holds {
        let held = vault_key.is_some_and(|held| held.is_same_pair(&key));
        let (line, id) = (section.line_number(), key.id);
        return if held && may_remove_key {
            Ok(InTheWay::VaultKey)
        } else {
            Err(ConfigureError::LongTermKey { path, line, name, id, held })
        };
    }
    let credentials = |key: &str| CREDENTIALS.contains(&key);
    match section.entries().find(|entry| credentials(entry.key()) && !entry.is_empty()) {
        Some(entry) => {
            let (line, key) = (entry.line_number(), entry.key().to_owned());
            Err(ConfigureError::ForeignSection { path, line, name, key })
        }
        None => Ok(InTheWay::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::secret::SecretAccessKey;

    const SESSION: &str =
        "aws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\naws_session_token = t\n";
    const PAIR: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";

    /// What is in the way in `[p]` of this file; else the line and the key that are refused.
    fn told(file: &str, vault_secret: &str, may_remove_key: bool) -> Result<InTheWay, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("credentials");
        std::fs::write(&path, file).unwrap();
        let secret = SecretAccessKey::new(vault_secret.to_owned());
        let key = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(), secret };
        let found = in_the_way(&RealDisk, &path, &"p".parse().unwrap(), Some(&key), may_remove_key);
        found.map_err(|error| match error {
            ConfigureError::ForeignSection { line, key, .. } => format!("{line} {key}"),
            ConfigureError::LongTermKey { line, id, held, .. } => format!("{line} {} {held}", id.short()),
            other => other.to_string(),
        })
    }

    #[test]
    fn only_our_session_and_the_vaults_own_key_may_go() {
        use InTheWay::*;
        let marked = format!("[p]\n# session of vault (ASIA...MPLE): login renews it, logout removes it\n{SESSION}");
        assert_eq!(told(&marked, "s", false), Ok(OurSession));
        assert_eq!(told(&format!("[p]\n{PAIR}"), "s", true), Ok(VaultKey));
        assert_eq!(told(&format!("[p]\n{PAIR}"), "s", false), Err("1 AKIA...MPLE true".into()));
        assert_eq!(told(&format!("[p]\n{PAIR}"), "other", true), Err("1 AKIA...MPLE false".into()));
        for nothing in ["", "[q]\nrole_arn = x\n", "[p]\nregion = x\n", "[p]\naws_access_key_id =\n"] {
            assert_eq!(told(nothing, "s", true), Ok(Nothing), "{nothing}");
        }
    }

    #[test]
    fn what_others_wrote_is_refused_by_its_line() {
        let refused = |lines: &str| told(&format!("[q]\n[p]\n{lines}"), "s", true).unwrap_err();
        assert_eq!(refused(SESSION), "3 aws_access_key_id");
        assert_eq!(refused("region = x\naws_access_key_id = half\n"), "4 aws_access_key_id");
        assert_eq!(refused("aws_secret_access_key = half\n"), "3 aws_secret_access_key");
        assert_eq!(refused(&format!("{PAIR}role_arn = x\n")), "5 role_arn");
        for key in ["role_arn", "source_profile", "sso_session", "credential_process", "web_identity_token_file"] {
            assert_eq!(refused(&format!("{key} = x\n")), format!("3 {key}"));
        }
        assert!(refused("[p]\n").ends_with("line 3 has this section a second time"));
    }
}
