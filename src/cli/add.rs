//! `vault add`.

use jiff::Timestamp;

use crate::aws::{Aws, CallerIdentity, Endpoints, Signer};
use crate::aws_files::config::ConfigFile;
use crate::credentials::AccessKey;
use crate::names::{MfaSerial, ProfileName, Region, RoleArn};
use crate::store::document::{Document, Profile, StoredAccessKey};
use crate::store::file::LoadError;
use crate::store::vault::{CreateError, Vault};

use super::access_key_source::{self, SourceArgs};
use super::escape::escape;
use super::failure::Failure;
use super::init::{self, NewVaultArgs};
use super::mfa_device::{self, DeviceGiven};
use super::settings;
use super::sign_in;
use super::unlock;
use super::world::World;

/// Put an access key, or a role that is reached through one, into the vault
///
/// Asks for the access key, checks it with AWS, finds the user's MFA device, and stores all of it under NAME. Nothing is
/// stored when AWS refuses the key. With --role-arn the profile is a role that --source-profile signs in to.
#[derive(clap::Args)]
pub struct Args {
    /// What the profile is to be called
    name: ProfileName,
    #[command(flatten)]
    source: SourceArgs,
    /// The MFA device's ARN or serial, or `none`; found by itself where the user may list it
    #[arg(long, value_name = "ARN|none", value_parser = mfa_device::parse)]
    mfa_serial: Option<DeviceGiven>,
    /// A command that prints the MFA code; words, no shell
    #[arg(long, value_name = "COMMAND")]
    mfa_process: Option<String>,
    /// The region for this profile
    #[arg(long)]
    region: Option<Region>,
    /// How long its sessions are to last, such as 8h [default: 12h for a user, 1h for a role]
    #[arg(long, value_name = "DURATION", value_parser = settings::parse_session_seconds)]
    duration: Option<u32>,
    /// Store the key without asking AWS
    #[arg(long)]
    no_verify: bool,
    /// Replace the profile of this name
    #[arg(long)]
    replace: bool,
    /// Add a role profile: the role to assume
    #[arg(long, value_name = "ARN", requires = "source_profile", conflicts_with = "access_key_source")]
    role_arn: Option<RoleArn>,
    /// The profile that assumes the role
    #[arg(long, value_name = "NAME", requires = "role_arn")]
    source_profile: Option<ProfileName>,
    /// The external id that the role's trust policy wants
    #[arg(long, value_name = "ID", requires = "role_arn")]
    external_id: Option<String>,
    #[command(flatten)]
    new_vault: NewVaultArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    if args.source.takes_standard_input() && world.unlock.takes_standard_input() {
        return Err(Failure::OneInputForTwo);
    }
    let mut vault = if world.place().exists().map_err(LoadError::Io)? {
        unlock::open_vault(world)?
    } else {
        world.say(&format!("there is no vault yet; making {}", world.vault_shown()));
        match init::make_vault(world, &args.new_vault) {
            // Another `add` made it meanwhile.
            Err(Failure::Create(CreateError::Exists)) => unlock::open_vault(world)?,
            made => made?,
        }
    };
    check_name(vault.document(), &args.name, args.replace)?;
    if args.role_arn.is_some() { add_role(args, world, &mut vault) } else { add_user(args, world, vault) }
}

fn check_name(document: &Document, name: &ProfileName, replace: bool) -> Result<(), Failure> {
    match document.profiles.get(name) {
        Some(_) if !replace => Err(Failure::ProfileExists(name.clone())),
        _ => Ok(()),
    }
}

fn add_role(args: Args, world: &World, vault: &mut Vault) -> Result<(), Failure> {
    let profile = Profile {
        region: args.region,
        mfa_serial: args.mfa_serial.and_then(DeviceGiven::serial),
        mfa_process: args.mfa_process,
        role_arn: args.role_arn,
        source_profile: args.source_profile,
        duration_seconds: args.duration,
        external_id: args.external_id,
        ..Profile::default()
    };
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    vault.edit(&world.stamp(), |document| {
        put(document, &args.name, args.replace, &profile)?;
        // A role that leads to no access key, or in a circle, is not worth storing.
        sign_in::chain(&args.name, document, &config).map(|_| ())
    })?;
    world.say(&format!("added `{}`, a role profile", args.name));
    world.say(&format!("next: vault login {}", args.name));
    Ok(())
}

fn add_user(args: Args, world: &World, vault: Vault) -> Result<(), Failure> {
    // The vault is closed while a person types and AWS is asked; only the key to open it again is kept.
    let closed = vault.close();
    let key = access_key_source::read(&args.source, &args.name, world)?;
    warn_about_environment(world);
    let checked = if args.no_verify { None } else { Some(check(&args, &key, world)?) };
    let stored = stored(key, checked.as_ref(), world.now());
    let found = checked.as_ref().and_then(|checked| checked.serial.clone());
    let profile = Profile {
        region: args.region,
        mfa_serial: args.mfa_serial.map_or(found, DeviceGiven::serial),
        mfa_process: args.mfa_process,
        duration_seconds: args.duration,
        access_key: Some(stored),
        ..Profile::default()
    };
    let mut vault = closed.open()?;
    vault.edit(&world.stamp(), |document| put(document, &args.name, args.replace, &profile))?;
    say_added(world, &args.name, &profile, checked.as_ref().map(|checked| &checked.identity));
    access_key_source::say_where_it_still_lies(&args.source, world);
    world.say(&format!("next: vault login {}", args.name));
    Ok(())
}

/// What AWS said of a key.
struct Checked {
    identity: CallerIdentity,
    /// Found by asking; None also where the flag says it.
    serial: Option<MfaSerial>,
    /// Who was asked, if not AWS itself.
    endpoint: Option<String>,
}

/// Asks AWS whose key it is, before anything is stored, and where the user's MFA codes come from.
fn check(args: &Args, key: &AccessKey, world: &World) -> Result<Checked, Failure> {
    let endpoints = Endpoints::from_environment(&world.environment, None)?;
    let endpoint = endpoints.sts.as_ref().map(ToString::to_string);
    let region = match &args.region {
        Some(region) => region.clone(),
        None => settings::named_region(world)?.unwrap_or_else(Region::fallback),
    };
    let aws = Aws::with_ca_bundle(region, endpoints, world.ca_bundle()?);
    let identity = aws
        .caller_identity(&Signer::AccessKey(key))
        .map_err(|error| Failure::KeyCheck { error, id: key.id.clone() })?;
    settings::warn_about_clock(world, &aws);
    if identity.user_name().is_none() && !identity.is_root() {
        return Err(Failure::NotAUsersKey { arn: identity.arn });
    }
    let serial = if args.mfa_serial.is_some() { None } else { mfa_device::find(&aws, key, &identity, world)? };
    Ok(Checked { identity, serial, endpoint })
}

fn stored(key: AccessKey, checked: Option<&Checked>, now: Timestamp) -> StoredAccessKey {
    StoredAccessKey {
        id: key.id,
        secret: key.secret,
        user_arn: checked.map(|checked| checked.identity.arn.clone()),
        added: now,
        verified: checked.map(|_| now),
        endpoint: checked.and_then(|checked| checked.endpoint.clone()),
        rest: toml::Table::new(),
    }
}

/// Puts the whole profile in place; what the flags don't name goes, so that an old serial can't stay with a new key.
fn put(document: &mut Document, name: &ProfileName, replace: bool, profile: &Profile) -> Result<(), Failure> {
    check_name(document, name, replace)?;
    document.profiles.insert(name.clone(), profile.clone());
    Ok(())
}

fn say_added(world: &World, name: &ProfileName, profile: &Profile, identity: Option<&CallerIdentity>) {
    let key = profile.access_key.as_ref().map(|key| key.id.short()).unwrap_or_default();
    let who = match identity {
        Some(identity) => {
            format!("{} in account {}", escape(identity.user_name().unwrap_or("root")), escape(&identity.account))
        }
        None => "not checked with AWS".to_owned(),
    };
    let device = match &profile.mfa_serial {
        Some(serial) => format!("MFA device {serial}"),
        None => "no MFA device".to_owned(),
    };
    world.say(&format!("added `{name}`: access key {key}, {who}, {device}"));
}

/// These win over every profile in every AWS tool, so a session would be written and not used.
pub fn warn_about_environment(world: &World) {
    let set: Vec<&str> = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        .into_iter()
        .filter(|name| world.environment.get(name).is_some())
        .collect();
    if !set.is_empty() {
        world.warn(&format!("{} set in this shell; AWS tools use that before any profile", set.join(", ")));
        world.hint("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN");
    }
}
