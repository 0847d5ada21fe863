//! What AWS tools sign in to a role of the config file with: its `source_profile`, which must have credentials of its own.

use super::config::{ConfigProfile, Setting};
use super::credentials::Holds;
use super::provider::{Files, Provider, providers};
use crate::names::ProfileName;
use crate::paths::Environment;

const MFA_SERIAL: &str = "mfa_serial";

/// A role for which AWS tools have nothing to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleWithoutSource {
    pub role: ProfileName,
    pub source: ProfileName,
    /// Of its `source_profile`, counted from one.
    pub line: usize,
    /// AWS tools ask for a code of their own for it, whatever its source has.
    pub has_mfa: bool,
}

/// A role for which AWS tools ask a person for a code, though what they start from may have been made with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleWithCode {
    pub role: ProfileName,
    pub source: ProfileName,
    /// Of its `mfa_serial`, counted from one.
    pub line: usize,
}

impl Files {
    /// As the files are once the long-term keys are gone from these sections of the credentials file. What stands there twice,
    /// or is no name, is not looked at: whoever uses it is told that.
    pub fn roles_without_source(&self, emptied: &[&str]) -> Vec<RoleWithoutSource> {
        let names: Vec<ProfileName> = self.config_names().filter_map(|name| name.parse().ok()).collect();
        names.into_iter().filter_map(|role| self.role_without_source(role, emptied)).collect()
    }

    /// Roles with an `mfa_serial` whose source is served by this program, by its own session in the file or by its line.
    pub fn roles_with_code(&self) -> Vec<RoleWithCode> {
        let names = self.config_names().filter_map(|name| name.parse().ok());
        names.filter_map(|role| self.role_with_code(role)).collect()
    }

    fn role_with_code(&self, role: ProfileName) -> Option<RoleWithCode> {
        let (profile, source) = self.role(&role)?;
        let line = profile.line_of(MFA_SERIAL)?;
        let first = providers(&Environment::default(), self.sections(&source.value).ok()?).into_iter().next()?;
        let is_ours = match first {
            Provider::Process { is_ours, .. } => is_ours,
            Provider::Section(section) => section.written_by_us,
            _ => false,
        };
        is_ours.then_some(RoleWithCode { role, source: source.value, line })
    }

    /// What the config file says of a role that another profile signs for.
    fn role(&self, name: &ProfileName) -> Option<(&ConfigProfile, Setting<ProfileName>)> {
        let profile: &ConfigProfile = self.sections(name).ok()?.config?;
        profile.role_arn().ok()??;
        Some((profile, profile.source_profile().ok()??))
    }

    fn role_without_source(&self, role: ProfileName, emptied: &[&str]) -> Option<RoleWithoutSource> {
        let (profile, source) = self.role(&role)?;
        let has_mfa = profile.line_of(MFA_SERIAL).is_some();
        let without = RoleWithoutSource { role, source: source.value, line: source.line, has_mfa };
        (self.has_credentials(&without, emptied) == Some(false)).then_some(without)
    }

    /// Variables are no source of a role's. A role that is its own source means keys beside the `role_arn`.
    fn has_credentials(&self, of: &RoleWithoutSource, emptied: &[&str]) -> Option<bool> {
        let sections = self.sections(&of.source).ok()?;
        let all = providers(&Environment::default(), sections);
        Some(all.iter().any(|provider| match provider {
            Provider::Config { .. } => of.role != of.source,
            Provider::Section(section) => {
                !(emptied.contains(&section.name.as_str()) && matches!(section.holds, Holds::LongTerm(_)))
            }
            _ => true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const KEYS: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";

    fn role(name: &str, source: &str) -> String {
        format!("[profile {name}]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = {source}\n")
    }

    /// The roles by name, with the source and the line of each.
    fn without(config: &str, credentials: &str, emptied: &[&str]) -> Vec<(String, String, usize)> {
        let roles =
            Files::parse(Path::new("/c"), config.as_bytes(), credentials.as_bytes()).roles_without_source(emptied);
        roles.into_iter().map(|it| (it.role.to_string(), it.source.to_string(), it.line)).collect()
    }

    #[test]
    fn a_role_has_a_source_wherever_that_has_credentials_and_none_once_they_are_gone() {
        let config = role("r", "s");
        let r = [("r".to_owned(), "s".to_owned(), 3)];
        let section = format!("[s]\n{KEYS}");
        assert_eq!(without(&config, "", &[]), r);
        assert_eq!(without(&config, "[s]\nregion = x\n", &[]), r);
        assert_eq!(without(&config, &section, &[]), []);
        assert_eq!(without(&config, &section, &["other"]), []);
        assert_eq!(without(&config, &section, &["s"]), r);
        let session = section.replace("AKIA", "ASIA") + "aws_session_token = t\n";
        assert_eq!(without(&config, &session, &["s"]), [], "no long-term key, so that nothing goes");
        for more in ["credential_process = /usr/bin/other\n", "sso_session = s\n", KEYS] {
            assert_eq!(without(&format!("{config}[profile s]\n{more}"), &section, &["s"]), [], "{more}");
        }
    }

    #[test]
    fn a_role_that_wants_a_code_beside_a_source_of_ours_is_named_and_beside_no_other() {
        let config = role("r", "s") + "mfa_serial = arn:aws:iam::123456789012:mfa/phone\n";
        let with_code = |config: &str, credentials: &str| {
            Files::parse(Path::new("/c"), config.as_bytes(), credentials.as_bytes()).roles_with_code()
        };
        let r = RoleWithCode { role: "r".parse().unwrap(), source: "s".parse().unwrap(), line: 4 };
        let asks_us = format!("{config}[profile s]\ncredential_process = /v credential-process s\n");
        assert_eq!(with_code(&asks_us, ""), [r]);
        assert_eq!(with_code(&config, &format!("[s]\n{KEYS}")), [], "as it was before the vault");
        assert_eq!(with_code(&asks_us, &format!("[s]\n{KEYS}")), [], "the key goes before the line");
        assert_eq!(with_code(&asks_us.replace("mfa_serial", "region"), ""), []);
    }

    #[test]
    fn of_a_chain_the_role_is_named_that_begins_with_nothing_and_a_role_is_no_source_of_itself() {
        let chain = role("second", "first") + &role("first", "user");
        assert_eq!(without(&chain, "", &[]), [("first".to_owned(), "user".to_owned(), 6)]);
        let own = role("own", "own");
        assert_eq!(without(&own, "", &[]).len(), 1);
        assert_eq!(without(&own, &format!("[own]\n{KEYS}"), &[]), []);
        assert_eq!(without(&role("r", "Ec2 InstanceMetadata"), "", &[]), [], "no name of a profile");
        assert_eq!(without("[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\n", "", &[]), []);
        assert_eq!(without(&(role("r", "s") + "[profile s]\n[profile s]\n"), "", &[]), [], "told by who uses it");
    }
}
