//! What AWS says of a key before it is stored: `add` and `import` store nothing that it does not take.

use jiff::Timestamp;

use crate::aws::{Aws, CallerIdentity, Signer};
use crate::credentials::AccessKey;
use crate::names::{Endpoints, MfaSerial, ProfileName, Region};
use crate::store::document::{Profile, StoredAccessKey};

use super::clock_told;
use super::escape::escape;
use super::failure::Failure;
use super::settings;
use super::world::World;

/// A key that AWS takes, and what else can be asked with it.
pub struct Checked {
    pub aws: Aws,
    pub identity: CallerIdentity,
    /// Who was asked, if not AWS itself.
    pub endpoint: Option<String>,
}

/// Asks AWS whose key it is.
pub fn check(key: &AccessKey, region: Option<&Region>, world: &World) -> Result<Checked, Failure> {
    let endpoints = Endpoints::from_environment(&world.environment, None)?;
    let endpoint = endpoints.sts.as_ref().map(ToString::to_string);
    let region = match region {
        Some(region) => region.clone(),
        None => settings::named_region(world)?.unwrap_or_else(Region::fallback),
    };
    let aws = Aws::with_ca_bundle(region, endpoints, world.ca_bundle()?);
    let identity = aws
        .caller_identity(&Signer::AccessKey(key))
        .map_err(|error| Failure::KeyCheck { error, id: key.id.clone() })?;
    clock_told::warn_about_clock(world, &aws);
    if identity.user_name().is_none() && !identity.is_root() {
        return Err(Failure::NotAUsersKey { arn: identity.arn });
    }
    Ok(Checked { aws, identity, endpoint })
}

/// Who would be asked now, if not AWS itself.
pub fn endpoint(world: &World) -> Result<Option<String>, Failure> {
    Ok(Endpoints::from_environment(&world.environment, None)?.sts.as_ref().map(ToString::to_string))
}

/// When AWS made the key, where its user may ask that: many policies let nobody without MFA. Without it the key counts as made
/// when it was added, which is no reason to trouble anybody.
pub fn creation_date(key: &AccessKey, checked: &Checked) -> Option<Timestamp> {
    checked.aws.creation_date(key).ok().flatten()
}

/// The key as the vault keeps it.
pub fn stored(
    key: AccessKey,
    checked: Option<&Checked>,
    created: Option<Timestamp>,
    now: Timestamp,
) -> StoredAccessKey {
    StoredAccessKey {
        id: key.id,
        secret: key.secret,
        user_arn: checked.map(|checked| checked.identity.arn.clone()),
        added: now,
        created,
        verified: checked.map(|_| now),
        endpoint: checked.and_then(|checked| checked.endpoint.clone()),
        rest: toml::Table::new(),
    }
}

/// What was done with a profile and its key; `done` is a word such as "added".
pub fn say_stored(world: &World, done: &str, name: &ProfileName, profile: &Profile, identity: Option<&CallerIdentity>) {
    let key = profile.access_key.as_ref().map(|key| key.id.short()).unwrap_or_default();
    let who = match identity {
        Some(identity) => {
            format!("{} in account {}", escape(identity.user_name().unwrap_or("root")), escape(&identity.account))
        }
        None => "not checked with AWS".to_owned(),
    };
    world.say(&format!("{done} `{name}`: access key {key}, {who}, {}", device_words(profile.mfa_serial.as_ref())));
}

fn device_words(serial: Option<&MfaSerial>) -> String {
    match serial {
        Some(serial) => format!("MFA device {serial}"),
        None => "no MFA device".to_owned(),
    }
}
