//! `vault add`.

use crate::aws_files::config::ConfigFile;
use crate::names::{ProfileName, Region, RoleArn};
use crate::rotate::held::held;
use crate::store::document::{Document, Profile};
use crate::store::file::LoadError;
use crate::store::vault::{CreateError, Vault};

use super::access_key_source::{self, SourceArgs};
use super::configured_command;
use super::environment_told;
use super::failure::Failure;
use super::init::{self, NewVaultArgs};
use super::key_check;
use super::mfa_device::{self, DeviceGiven};
use super::opening;
use super::report;
use super::resolved;
use super::settings;
use super::world::World;

const EXAMPLES: &str = "\
Examples:
  vault add prod                            asks for id and secret
  vault add prod --from-csv ~/Downloads/alice_accessKeys.csv
  vault add admin --role-arn arn:aws:iam::123456789012:role/admin --source-profile prod";

/// Put an access key, or a role that is reached through one, into the vault
///
/// Asks for the access key, checks it with AWS, finds the user's MFA device, and stores all of it under NAME. Nothing is
/// stored when AWS refuses the key. With --role-arn the profile is a role that --source-profile signs in to.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
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
    let mut vault = open_or_make(world, &args.new_vault)?;
    check_name(vault.document(), &args.name, args.replace)?;
    if args.role_arn.is_some() { add_role(args, world, &mut vault) } else { add_user(args, world, vault) }
}

/// The vault there is, else a new one.
pub fn open_or_make<'a>(world: &World<'a>, new_vault: &NewVaultArgs) -> Result<Vault<'a>, Failure> {
    if world.place().exists().map_err(LoadError::Io)? {
        return opening::open_vault(world);
    }
    let was_known = init::missing(world)?.is_some();
    let told = if was_known { "making" } else { "there is no vault yet; making" };
    match init::make_vault(world, new_vault, || world.say(&format!("{told} {}", world.vault_shown()))) {
        // Another `add` made it meanwhile.
        Err(Failure::Create(CreateError::Exists)) => opening::open_vault(world),
        made => made,
    }
}

fn check_name(document: &Document, name: &ProfileName, replace: bool) -> Result<(), Failure> {
    match document.profiles.get(name) {
        Some(_) if !replace => Err(Failure::ProfileExists(name.clone())),
        Some(standing) if standing.is_rotating() => Err(Failure::RotationUnfinished(name.clone())),
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
        resolved::chain(&args.name, document, &config).map(|_| ())
    })?;
    world.say(&format!("added `{}`, a role profile", args.name));
    world.say(&format!("next: vault login {}", args.name));
    Ok(())
}

fn add_user(args: Args, world: &World, vault: Vault) -> Result<(), Failure> {
    // The vault is closed while a person types and AWS is asked; only the key to open it again is kept.
    let closed = vault.close();
    let key = access_key_source::read(&args.source, &args.name, world)?;
    environment_told::warn_about_environment(world);
    let checked = if args.no_verify { None } else { Some(key_check::check(&key, args.region.as_ref(), world)?) };
    let found = match &checked {
        Some(checked) if args.mfa_serial.is_none() => mfa_device::find(&checked.aws, &key, &checked.identity, world)?,
        _ => None,
    };
    let id = key.id.clone();
    let created = checked.as_ref().and_then(|checked| key_check::creation_date(&key, checked));
    let stored = key_check::stored(key, checked.as_ref(), created, world.now());
    let profile = Profile {
        region: args.region,
        mfa_serial: args.mfa_serial.map_or(found, DeviceGiven::serial),
        mfa_process: args.mfa_process,
        duration_seconds: args.duration,
        access_key: Some(stored),
        ..Profile::default()
    };
    let mut vault = closed.open()?;
    let held = vault.edit(&world.stamp(), |document| {
        put(document, &args.name, args.replace, &profile)?;
        Ok::<_, Failure>(held(document).remove(&id).filter(|held| held.profile != args.name))
    })?;
    if let Some(command) = &profile.mfa_process {
        configured_command::warn_where_none_would_start("mfa_process", command, world);
    }
    key_check::say_stored(world, "added", &args.name, &profile, checked.as_ref().map(|checked| &checked.identity));
    if let Some(held) = held {
        report::say_held(world, &args.name, &id, &held);
    }
    access_key_source::say_where_it_still_lies(&args.source, world);
    world.say(&format!("next: vault login {}", args.name));
    Ok(())
}

/// Puts the whole profile in place; what the flags don't name goes, so that an old serial can't stay with a new key.
fn put(document: &mut Document, name: &ProfileName, replace: bool, profile: &Profile) -> Result<(), Failure> {
    check_name(document, name, replace)?;
    document.profiles.insert(name.clone(), profile.clone());
    Ok(())
}
