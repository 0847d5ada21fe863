//! A profile's chain: the user profile whose access key signs first, then the roles in the order they are assumed. Pure:
//! whatever is wrong with it shows before anything is asked or sent.

use std::collections::HashSet;
use std::time::Duration;

use thiserror::Error;

use super::role_options::RoleOptions;
use super::sources::{Merged, Origin, Sourced, Sources};
use crate::aws_files::config::{ConfigError, ConfigProfile};
use crate::names::{AccessKeyId, MfaSerial, ProfileName, Region, RoleArn, arn_account, arn_is_root, arn_partition};
use crate::store::document::{Profile, StoredAccessKey};

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
    /// Whether its session is for `exec` alone.
    pub protected: bool,
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
    /// Whether its session is for `exec` alone.
    pub protected: bool,
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

    /// One role further, which no profile has: from the profile that was asked for, under its name.
    pub fn assuming(mut self, role_arn: RoleArn) -> Self {
        let profile = self.profile().clone();
        self.roles.push(RoleLink {
            role_arn: Sourced::new(role_arn, Origin::Flag),
            source_profile: Sourced::new(profile.clone(), Origin::Flag),
            region: self.region().cloned(),
            protected: self.roles.last().map_or(self.user.protected, |role| role.protected),
            profile,
            serial: None,
            mfa_process: None,
            duration: None,
            options: RoleOptions::default(),
        });
        self
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
        let name = match arn.and_then(arn_partition) {
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
        self.user_arn.as_deref().is_some_and(arn_is_root)
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
        protected: vault.is_protected(),
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
        protected: merged.vault.is_some_and(Profile::is_protected),
    })
}

fn role_options(merged: &Merged) -> Result<RoleOptions, ConfigError> {
    let text = |found: Option<Sourced<String>>| found.map(|found| found.value);
    let session_name = merged.value(|profile| profile.role_session_name.as_ref(), ConfigProfile::role_session_name)?;
    let source_identity = merged.value(|profile| profile.source_identity.as_ref(), ConfigProfile::source_identity)?;
    let tags = merged.value(|profile| profile.session_tags.as_ref(), ConfigProfile::session_tags)?;
    let transitive =
        merged.value(|profile| profile.transitive_session_tags.as_ref(), ConfigProfile::transitive_session_tags)?;
    Ok(RoleOptions {
        session_name: text(session_name),
        external_id: text(merged.value(|profile| profile.external_id.as_ref(), ConfigProfile::external_id)?),
        tags: tags.map(|tags| tags.value.0).unwrap_or_default(),
        transitive_tags: transitive.map(|keys| keys.value.0).unwrap_or_default(),
        source_identity: text(source_identity),
        policy: None,
        policy_arns: merged.vault.and_then(|profile| profile.policy_arns.clone()).unwrap_or_default().0,
    })
}

/// A profile with neither key nor role: what else it may be.
fn no_role(merged: &Merged, named_by: Option<ProfileName>) -> Result<ChainError, ConfigError> {
    let profile = merged.name.clone();
    let web_identity = line(merged.from_config(ConfigProfile::web_identity_token_file)?);
    // Our own line leads here: what it asks for has to come from the vault.
    let process = line(merged.from_config(ConfigProfile::credential_process)?);
    let process = process.filter(|_| !merged.config.is_some_and(ConfigProfile::asks_us));
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
mod tests;
