//! A profile's chain: the user profile whose access key signs first, then the roles in the order they are assumed. Pure:
//! whatever is wrong with it shows before anything is asked or sent.

use std::collections::HashSet;
use std::time::Duration;

use thiserror::Error;

use super::role_options::RoleOptions;
use super::sources::{Merged, Origin, Sourced, Sources};
use crate::aws_files::config::{ConfigError, ConfigProfile};
use crate::names::{AccessKeyId, MfaSerial, ProfileName, Region, RoleArn, arn_account};
use crate::store::document::StoredAccessKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub user: UserLink,
    /// Empty for a user profile; the last is the profile that was asked for.
    pub roles: Vec<RoleLink>,
}

/// The user profile at the chain's start. Its secret stays in the vault until a call has to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLink {
    pub profile: ProfileName,
    pub access_key_id: AccessKeyId,
    /// By GetCallerIdentity, where the key was ever checked.
    pub user_arn: Option<String>,
    /// Whether AWS, or what `key_endpoint` names, confirmed the key.
    pub verified: bool,
    /// The endpoint that confirmed the key where it was not AWS's own.
    pub key_endpoint: Option<String>,
    pub serial: Option<Sourced<MfaSerial>>,
    pub mfa_process: Option<String>,
    pub duration: Option<Sourced<Duration>>,
    pub region: Option<Sourced<Region>>,
    pub endpoint_url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLink {
    pub profile: ProfileName,
    pub role_arn: Sourced<RoleArn>,
    pub source_profile: Sourced<ProfileName>,
    pub serial: Option<Sourced<MfaSerial>>,
    pub mfa_process: Option<String>,
    pub duration: Option<Sourced<Duration>>,
    pub region: Option<Sourced<Region>>,
    pub options: RoleOptions,
}

#[derive(Debug, Error)]
pub enum ChainError {
    /// Neither source has the profile; `named_by` is the profile whose `source_profile` it is.
    #[error("no profile named `{profile}`")]
    Missing { profile: ProfileName, named_by: Option<ProfileName> },
    /// From the profile that is met twice, along `source_profile`, back to itself.
    #[error("the profiles source each other in a circle")]
    Cycle { path: Vec<ProfileName> },
    #[error("`{profile}` has neither an access key nor a role")]
    NoKey { profile: ProfileName, named_by: Option<ProfileName> },
    #[error("`{profile}` has a role and no source_profile")]
    NoSource { profile: ProfileName },
    #[error("`{profile}` has both an access key and a role")]
    KeyAndRole { profile: ProfileName },
    #[error("`{profile}` has both source_profile and credential_source")]
    TwoSources { profile: ProfileName, line: usize },
    #[error("`{profile}` signs in another way")]
    SignsInElsewhere { profile: ProfileName, named_by: Option<ProfileName>, by: ForeignSignIn, line: usize },
    /// A value in the config file that can't be used, and its line.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// How a profile gets its credentials where not from an access key in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignSignIn {
    Sso,
    WebIdentity,
    CredentialProcess,
    CredentialSource,
}

impl Chain {
    /// Follows `source_profile` from the named profile to the one with an access key.
    pub fn of(profile: &ProfileName, sources: &Sources) -> Result<Self, ChainError> {
        let mut roles: Vec<RoleLink> = Vec::new();
        let mut met = HashSet::new();
        let mut next = profile.clone();
        loop {
            let named_by = roles.last().map(|link| link.profile.clone());
            if !met.insert(next.clone()) {
                return Err(ChainError::Cycle { path: circle(&roles, next) });
            }
            let merged = sources
                .profile(&next)?
                .ok_or_else(|| ChainError::Missing { profile: next, named_by: named_by.clone() })?;
            match merged.vault.and_then(|profile| profile.access_key.as_ref()) {
                Some(key) => {
                    let user = user_link(&merged, key, sources)?;
                    roles.reverse();
                    return Ok(Self { user, roles });
                }
                None => {
                    let link = role_link(&merged, named_by)?;
                    next = link.source_profile.value.clone();
                    roles.push(link);
                }
            }
        }
    }

    /// The profile that was asked for.
    pub fn profile(&self) -> &ProfileName {
        self.roles.last().map_or(&self.user.profile, |role| &role.profile)
    }

    /// The asked profile's own region; another profile's is no statement about where its user works.
    pub fn region(&self) -> Option<&Sourced<Region>> {
        self.roles.last().map_or(self.user.region.as_ref(), |role| role.region.as_ref())
    }

    /// Where STS is asked: by flag or variable, by the asked profile, by the nearest source that names one, and else in a
    /// region of the chain's own partition, since the others don't know its keys.
    pub fn call_region(&self, named: Option<&Region>) -> Region {
        let mut own = self.roles.iter().rev().map(|role| &role.region).chain([&self.user.region]);
        let found = named.or_else(|| own.find_map(|region| region.as_ref()).map(|region| &region.value));
        found.cloned().unwrap_or_else(|| self.partition_region())
    }

    fn partition_region(&self) -> Region {
        let arn = self.roles.first().map(|role| role.role_arn.value.as_str()).or(self.user.user_arn.as_deref());
        let name = match arn.and_then(|arn| arn.split(':').nth(1)) {
            Some("aws-cn") => "cn-north-1",
            Some("aws-us-gov") => "us-gov-west-1",
            _ => return Region::fallback(),
        };
        name.parse().unwrap_or_else(|_| Region::fallback())
    }
}

impl UserLink {
    pub fn account(&self) -> Option<&str> {
        self.user_arn.as_deref().and_then(arn_account)
    }

    /// The root user's sessions are capped at an hour (STS API reference, GetSessionToken).
    pub fn is_root(&self) -> bool {
        self.user_arn.as_deref().is_some_and(|arn| arn.ends_with(":root"))
    }
}

/// The names from the first meeting with `again` to the second.
fn circle(walked: &[RoleLink], again: ProfileName) -> Vec<ProfileName> {
    let names = walked.iter().map(|link| link.profile.clone());
    names.skip_while(|name| *name != again).chain([again.clone()]).collect()
}

/// A user profile takes region and durations from the config file, and nothing else: who can write there must not be able
/// to point a key in the vault at a role, a device, a command or an endpoint of theirs.
fn user_link(merged: &Merged, key: &StoredAccessKey, sources: &Sources) -> Result<UserLink, ChainError> {
    let vault = merged.vault.expect("the access key that brought us here is in this entry");
    if vault.role_arn.is_some() || vault.source_profile.is_some() {
        return Err(ChainError::KeyAndRole { profile: merged.name.clone() });
    }
    Ok(UserLink {
        profile: merged.name.clone(),
        access_key_id: key.id.clone(),
        user_arn: key.user_arn.clone(),
        verified: key.verified.is_some(),
        key_endpoint: key.endpoint.clone(),
        serial: vault.mfa_serial.clone().map(|serial| Sourced::new(serial, Origin::Vault)),
        mfa_process: vault.mfa_process.clone(),
        duration: merged.duration()?.or_else(|| sources.session_duration()),
        region: merged.value(|profile| profile.region.as_ref(), ConfigProfile::region)?,
        endpoint_url: vault.endpoint_url.clone(),
    })
}

fn role_link(merged: &Merged, named_by: Option<ProfileName>) -> Result<RoleLink, ChainError> {
    let profile = merged.name.clone();
    let Some(role_arn) = merged.value(|profile| profile.role_arn.as_ref(), ConfigProfile::role_arn)? else {
        return Err(no_role(merged, named_by)?);
    };
    let source = merged.value(|profile| profile.source_profile.as_ref(), ConfigProfile::source_profile)?;
    let credential_source = line(merged.from_config(ConfigProfile::credential_source)?);
    let web_identity = line(merged.from_config(ConfigProfile::web_identity_token_file)?);
    let elsewhere = |by, line| ChainError::SignsInElsewhere { profile: profile.clone(), named_by, by, line };
    match (source, credential_source, web_identity) {
        // The SDKs take the web identity before source_profile where both stand in one section.
        (_, _, Some(line)) if role_arn.is_from_config() => Err(elsewhere(ForeignSignIn::WebIdentity, line)),
        (Some(source), Some(line), _) if source.is_from_config() => Err(ChainError::TwoSources { profile, line }),
        (Some(source_profile), _, _) => Ok(role_link_from(merged, role_arn, source_profile)?),
        (None, Some(line), _) => Err(elsewhere(ForeignSignIn::CredentialSource, line)),
        (None, None, _) => Err(ChainError::NoSource { profile }),
    }
}

fn line<T>(found: Option<Sourced<T>>) -> Option<usize> {
    match found?.origin {
        Origin::Config { line } => Some(line),
        _ => None,
    }
}

fn role_link_from(
    merged: &Merged,
    role_arn: Sourced<RoleArn>,
    source_profile: Sourced<ProfileName>,
) -> Result<RoleLink, ConfigError> {
    Ok(RoleLink {
        profile: merged.name.clone(),
        role_arn,
        source_profile,
        serial: merged.value(|profile| profile.mfa_serial.as_ref(), ConfigProfile::mfa_serial)?,
        // Commands run from the vault only, never from a file that other tools write.
        mfa_process: merged.vault.and_then(|profile| profile.mfa_process.clone()),
        duration: merged.duration()?,
        region: merged.value(|profile| profile.region.as_ref(), ConfigProfile::region)?,
        options: role_options(merged)?,
    })
}

fn role_options(merged: &Merged) -> Result<RoleOptions, ConfigError> {
    let session_name = merged.value(|profile| profile.role_session_name.as_ref(), ConfigProfile::role_session_name)?;
    let external_id = merged.value(|profile| profile.external_id.as_ref(), ConfigProfile::external_id)?;
    Ok(RoleOptions {
        session_name: session_name.map(|name| name.value),
        external_id: external_id.map(|id| id.value),
        ..RoleOptions::default()
    })
}

/// A profile with neither key nor role: what else it may be.
fn no_role(merged: &Merged, named_by: Option<ProfileName>) -> Result<ChainError, ConfigError> {
    let profile = merged.name.clone();
    let web_identity = line(merged.from_config(ConfigProfile::web_identity_token_file)?);
    let process = line(merged.from_config(ConfigProfile::credential_process)?);
    let source = line(merged.from_config(ConfigProfile::credential_source)?);
    let sso = merged.config.filter(|section| section.is_sso()).map(ConfigProfile::line);
    let found = [
        (ForeignSignIn::Sso, sso),
        (ForeignSignIn::WebIdentity, web_identity),
        (ForeignSignIn::CredentialProcess, process),
        (ForeignSignIn::CredentialSource, source),
    ];
    Ok(match found.into_iter().find_map(|(by, line)| Some((by, line?))) {
        Some((by, line)) => ChainError::SignsInElsewhere { profile, named_by, by, line },
        None => ChainError::NoKey { profile, named_by },
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{config, document, key_of};
    use super::*;

    fn chain(profile: &str, vault: &str, config_text: &str) -> Result<Chain, ChainError> {
        let (document, config) = (document(vault), config(config_text));
        Chain::of(&profile.parse().unwrap(), &Sources::new(&document, &config))
    }

    fn names(profiles: &[&str]) -> Vec<ProfileName> {
        profiles.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_role_that_only_the_config_file_has_leads_to_the_key_in_the_vault() {
        let config = "[profile mfa]\nrole_arn = arn:aws:iam::222222222222:role/power\nsource_profile = default\n\
                      mfa_serial = arn:aws:iam::111111111111:mfa/alice\nduration_seconds = 14400\n";
        let chain = chain("mfa", &key_of("default"), config).unwrap();
        assert_eq!(chain.user.profile.as_str(), "default");
        assert_eq!(chain.user.account(), Some("111111111111"));
        let [role] = &chain.roles[..] else { panic!("one role") };
        assert_eq!(role.role_arn.value.role_name(), "power");
        assert_eq!(role.role_arn.origin, Origin::Config { line: 2 });
        assert_eq!(role.duration, Some(Sourced::new(Duration::from_secs(14_400), Origin::Config { line: 5 })));
        assert_eq!(chain.profile().as_str(), "mfa");
    }

    #[test]
    fn vault_and_config_are_merged_key_by_key_vault_first() {
        let vault = format!(
            "[profile.ops]\nrole_arn = \"arn:aws:iam::222222222222:role/vault\"\nexternal_id = \"vault\"\n\
             mfa_process = \"code\"\n{}",
            key_of("alice")
        );
        let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/config\nsource_profile = alice\n\
                      external_id = config\nrole_session_name = config\nregion = eu-central-1\n";
        let role = chain("ops", &vault, config).unwrap().roles.remove(0);
        assert_eq!(role.role_arn.origin, Origin::Vault);
        assert_eq!(role.role_arn.value.role_name(), "vault");
        assert_eq!(role.source_profile.origin, Origin::Config { line: 3 });
        assert_eq!(role.options.external_id.as_deref(), Some("vault"));
        assert_eq!(role.options.session_name.as_deref(), Some("config"));
        assert_eq!(role.mfa_process.as_deref(), Some("code"));
        assert_eq!(role.region.unwrap().value.as_str(), "eu-central-1");
    }

    #[test]
    fn config_cannot_add_a_command_or_an_endpoint_to_a_vault_key() {
        let config = "[profile alice]\nrole_arn = arn:aws:iam::666666666666:role/evil\nsource_profile = evil\n\
                      mfa_serial = arn:aws:iam::666666666666:mfa/evil\nmfa_process = evil\ncredential_process = evil\n\
                      endpoint_url = https://evil.example.com\nsso_session = evil\nweb_identity_token_file = evil\n\
                      region = eu-central-1\nduration_seconds = 3600\n\
                      [profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = alice\n\
                      mfa_process = evil\nendpoint_url = https://evil.example.com\n";
        let user = chain("alice", &key_of("alice"), config).unwrap().user;
        assert_eq!((user.serial, user.mfa_process, user.endpoint_url), (None, None, None));
        assert_eq!(user.region.unwrap().origin, Origin::Config { line: 10 });
        assert_eq!(user.duration.unwrap().origin, Origin::Config { line: 11 });
        let ops = chain("ops", &key_of("alice"), config).unwrap();
        assert_eq!((&ops.user.mfa_process, &ops.user.endpoint_url), (&None, &None));
        assert_eq!(ops.roles.len(), 1);
        assert_eq!(ops.roles[0].mfa_process, None);
    }

    #[test]
    fn a_users_duration_is_the_vaults_then_configs_then_the_setting() {
        let setting = "[settings]\nsession_duration = 28800\n";
        let origin = |vault: &str, config: &str| {
            chain("alice", vault, config).unwrap().user.duration.map(|duration| duration.origin)
        };
        let (key, config) = (key_of("alice"), "[profile alice]\nduration_seconds = 900\n");
        let own = format!("{setting}[profile.alice]\nduration_seconds = 7200\n{key}");
        assert_eq!(origin(&own, config), Some(Origin::Vault));
        assert_eq!(origin(&format!("{setting}{key}"), config), Some(Origin::Config { line: 2 }));
        assert_eq!(origin(&format!("{setting}{key}"), ""), Some(Origin::Setting));
        assert_eq!(origin(&key, ""), None);
    }

    #[test]
    fn a_missing_source_says_which_profile_names_it() {
        let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = gone\n";
        let Err(ChainError::Missing { profile, named_by }) = chain("ops", "", config) else { panic!("found") };
        assert_eq!((profile.as_str(), named_by.unwrap().as_str()), ("gone", "ops"));
        assert!(matches!(chain("prodd", "", config), Err(ChainError::Missing { named_by: None, .. })));
    }

    #[test]
    fn a_circle_is_shown_from_the_profile_that_is_met_twice() {
        let role = |name: &str, source: &str| {
            format!("[profile {name}]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = {source}\n")
        };
        let path = |config: &str| match chain("a", "", config) {
            Err(ChainError::Cycle { path }) => path,
            _ => panic!("no circle"),
        };
        assert_eq!(path(&role("a", "a")), names(&["a", "a"]));
        let config = [role("a", "b"), role("b", "c"), role("c", "d"), role("d", "b")].concat();
        assert_eq!(path(&config), names(&["b", "c", "d", "b"]));
    }

    #[test]
    fn a_profile_without_a_key_says_what_it_is_instead() {
        let role = "role_arn = arn:aws:iam::222222222222:role/ops\n";
        for (section, expected) in [
            ("sso_session = corp\n", "Sso"),
            ("sso_start_url = https://x.awsapps.com/start\n", "Sso"),
            ("credential_process = other tool\n", "CredentialProcess"),
            (&format!("{role}credential_source = Ec2InstanceMetadata\n"), "CredentialSource"),
            (&format!("{role}web_identity_token_file = /t\n"), "WebIdentity"),
            (&format!("{role}source_profile = alice\nweb_identity_token_file = /t\n"), "WebIdentity"),
            (&format!("{role}source_profile = alice\ncredential_source = Environment\n"), "two sources in line 5"),
            (role, "no source"),
            ("region = eu-central-1\n", "no key"),
        ] {
            let found = match chain("p", &key_of("alice"), &format!("\n[profile p]\n{section}")) {
                Err(ChainError::SignsInElsewhere { by, named_by: None, .. }) => format!("{by:?}"),
                Err(ChainError::TwoSources { line, .. }) => format!("two sources in line {line}"),
                Err(ChainError::NoSource { .. }) => "no source".into(),
                Err(ChainError::NoKey { named_by: None, .. }) => "no key".into(),
                other => panic!("{section}: {:?}", other.map(|_| ())),
            };
            assert_eq!(found, expected, "{section}");
        }
    }

    #[test]
    fn a_source_that_signs_in_elsewhere_says_who_named_it() {
        let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = corp\n\
                      [profile corp]\nsso_session = corp\n";
        let Err(ChainError::SignsInElsewhere { profile, named_by, by, .. }) = chain("ops", "", config) else {
            panic!("not refused")
        };
        assert_eq!((profile.as_str(), named_by.unwrap().as_str(), by), ("corp", "ops", ForeignSignIn::Sso));
    }

    #[test]
    fn a_key_and_a_role_in_one_entry_are_refused() {
        let vault = format!("[profile.p]\nrole_arn = \"arn:aws:iam::222222222222:role/ops\"\n{}", key_of("p"));
        assert!(matches!(chain("p", &vault, ""), Err(ChainError::KeyAndRole { .. })));
    }

    #[test]
    fn a_bad_value_names_its_line_only_where_it_is_used() {
        let config = "[profile ops]\nrole_arn = nonsense\nsource_profile = alice\n";
        let Err(ChainError::Config(ConfigError::Name { line, key, .. })) = chain("ops", &key_of("alice"), config)
        else {
            panic!("not refused")
        };
        assert_eq!((line, key), (2, "role_arn"));
        assert!(chain("alice", &key_of("alice"), config).is_ok());
        let mended = format!("[profile.ops]\nrole_arn = \"arn:aws:iam::222222222222:role/ops\"\n{}", key_of("alice"));
        assert!(chain("ops", &mended, config).is_ok());
    }

    #[test]
    fn ten_thousand_profiles_in_a_row_are_followed_without_recursion() {
        let role = |name: usize, source: usize| {
            let arn = "arn:aws:iam::222222222222:role/x";
            format!("[profile.p{name}]\nrole_arn = \"{arn}\"\nsource_profile = \"p{source}\"\n")
        };
        let row: String = (0..10_000).map(|number| role(number, number + 1)).collect();
        let with_key = chain("p0", &format!("{row}{}", key_of("p10000")), "").unwrap();
        assert_eq!(with_key.roles.len(), 10_000);
        let Err(ChainError::Cycle { path }) = chain("p0", &format!("{row}{}", role(10_000, 0)), "") else {
            panic!("no circle")
        };
        assert_eq!(path.len(), 10_002);
    }

    #[test]
    fn sts_is_asked_in_a_region_where_the_key_is_known() {
        let named = "us-west-2".parse().unwrap();
        let region = |role_partition: &str, config: &str, flag| {
            let config = format!(
                "[profile ops]\nrole_arn = arn:{role_partition}:iam::222222222222:role/ops\nsource_profile = alice\n{config}"
            );
            chain("ops", &key_of("alice"), &config).unwrap().call_region(flag).to_string()
        };
        assert_eq!(region("aws", "region = eu-west-1\n", Some(&named)), "us-west-2");
        assert_eq!(region("aws", "region = eu-west-1\n", None), "eu-west-1");
        assert_eq!(region("aws", "[profile alice]\nregion = eu-west-3\n", None), "eu-west-3");
        assert_eq!(region("aws", "", None), "us-east-1");
        assert_eq!(region("aws-cn", "", None), "cn-north-1");
        assert_eq!(region("aws-us-gov", "", None), "us-gov-west-1");
    }
}
