//! `vault add`.

use crate::aws::{Aws, AwsError, CallerIdentity, Endpoints, MfaDeviceKind, Refusal, Signer};
use crate::aws_files::config::ConfigFile;
use crate::credentials::AccessKey;
use crate::names::{AccessKeyId, MfaSerial, ProfileName, Region, RoleArn};
use crate::store::document::{Document, Profile, StoredAccessKey};
use crate::store::file::LoadError;
use crate::store::vault::{CreateError, Vault};

use super::access_key_source::{self, SourceArgs};
use super::escape::escape;
use super::failure::{Failure, Need};
use super::init::{self, NewVaultArgs};
use super::settings;
use super::sign_in;
use super::terminal::Terminal;
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
    #[arg(long, value_name = "ARN|none", value_parser = parse_serial)]
    mfa_serial: Option<SerialChoice>,
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

/// `--mfa-serial ARN|none`.
#[derive(Clone)]
enum SerialChoice {
    Device(MfaSerial),
    NoDevice,
}

fn parse_serial(text: &str) -> Result<SerialChoice, String> {
    match text {
        "none" => Ok(SerialChoice::NoDevice),
        _ => text.parse().map(SerialChoice::Device).map_err(|error: crate::names::NameError| error.to_string()),
    }
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
    let serial = match args.mfa_serial {
        Some(SerialChoice::Device(serial)) => Some(serial),
        _ => None,
    };
    let profile = Profile {
        region: args.region,
        mfa_serial: serial,
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
    let endpoints = Endpoints::from_environment(&world.environment, None)?;
    let endpoint = endpoints.sts.as_ref().map(|endpoint| endpoint.as_str().to_owned());
    let region = match &args.region {
        Some(region) => region.clone(),
        None => settings::named_region(world)?.unwrap_or_else(Region::fallback),
    };
    let (identity, serial) = if args.no_verify {
        (None, None)
    } else {
        let aws = Aws::with_ca_bundle(region, endpoints, world.ca_bundle()?);
        let identity =
            aws.caller_identity(&Signer::AccessKey(&key)).map_err(|error| Failure::key_check(error, &key.id))?;
        settings::warn_about_clock(world, &aws);
        if identity.user_name().is_none() && !identity.is_root() {
            return Err(Failure::NotAUsersKey { arn: identity.arn });
        }
        let serial = if args.mfa_serial.is_some() { None } else { find_serial(&aws, &key, &identity, world)? };
        (Some(identity), serial)
    };
    let serial = match &args.mfa_serial {
        Some(SerialChoice::Device(serial)) => Some(serial.clone()),
        Some(SerialChoice::NoDevice) => None,
        None => serial,
    };
    let now = world.clock.now();
    let profile = Profile {
        region: args.region,
        mfa_serial: serial,
        mfa_process: args.mfa_process,
        duration_seconds: args.duration,
        access_key: Some(StoredAccessKey {
            id: key.id.clone(),
            secret: key.secret.clone(),
            user_arn: identity.as_ref().map(|identity| identity.arn.clone()),
            added: now,
            verified: identity.as_ref().map(|_| now),
            endpoint: identity.as_ref().and(endpoint),
            rest: toml::Table::new(),
        }),
        ..Profile::default()
    };
    let mut vault = closed.open()?;
    vault.edit(&world.stamp(), |document| put(document, &args.name, args.replace, &profile))?;
    say_added(world, &args.name, &profile, identity.as_ref());
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

/// Which device the user's codes come from.
fn find_serial(
    aws: &Aws,
    key: &AccessKey,
    identity: &CallerIdentity,
    world: &World,
) -> Result<Option<MfaSerial>, Failure> {
    let Some(user) = identity.user_name() else {
        world.warn("this is the root user's key; AWS advises against having one");
        return Ok(None);
    };
    match aws.mfa_devices(&Signer::AccessKey(key), user) {
        Ok(devices) => {
            let takes_codes = |kind| match kind {
                MfaDeviceKind::Code(serial) => Some(serial),
                MfaDeviceKind::Fido => None,
            };
            let any = !devices.is_empty();
            let serials: Vec<MfaSerial> = devices.into_iter().filter_map(|device| takes_codes(device.kind)).collect();
            choose_device(serials, any, world)
        }
        // Many MFA-everywhere policies deny this until a session with MFA exists, which needs the very serial.
        Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) => offer_usual_serial(identity, user),
        Err(error) => Err(error.into()),
    }
}

fn choose_device(mut serials: Vec<MfaSerial>, any_device: bool, world: &World) -> Result<Option<MfaSerial>, Failure> {
    if serials.len() <= 1 {
        if serials.is_empty() && any_device {
            world.warn("this user has only FIDO security keys, and AWS takes no codes from those; sessions will be without MFA");
        }
        return Ok(serials.pop());
    }
    let need = || Need::DeviceChoice(serials.clone());
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
    terminal.show("This user has several MFA devices:\n");
    for (number, serial) in (1..).zip(&serials) {
        terminal.show(&format!("  {number}  {serial}\n"));
    }
    loop {
        let answer =
            terminal.ask("Which one do the codes come from? ").map_err(|error| Failure::prompt(error, need()))?;
        let chosen =
            answer.parse().ok().and_then(|number: usize| number.checked_sub(1)).and_then(|index| serials.get(index));
        match chosen {
            Some(serial) => return Ok(Some(serial.clone())),
            None => terminal.show(&format!("Please answer 1 to {}.\n", serials.len())),
        }
    }
}

/// A virtual device usually has its user's name, so that its ARN can be guessed where it can't be listed.
fn offer_usual_serial(identity: &CallerIdentity, user: &str) -> Result<Option<MfaSerial>, Failure> {
    let partition = identity.partition().unwrap_or("aws");
    let usual = format!("arn:{partition}:iam::{}:mfa/{user}", identity.account);
    let need = || Need::SerialGuess(usual.clone());
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
    terminal.show("This user may not list its MFA devices (iam:ListMFADevices is denied).\n");
    loop {
        let question = format!("MFA serial (Enter for {}, `none` for no device): ", escape(&usual));
        let answer = terminal.ask(&question).map_err(|error| Failure::prompt(error, need()))?;
        let answer = if answer.is_empty() { usual.clone() } else { answer };
        match parse_serial(&answer) {
            Ok(SerialChoice::Device(serial)) => return Ok(Some(serial)),
            Ok(SerialChoice::NoDevice) => return Ok(None),
            Err(why) => terminal.show(&format!("{}.\n", escape(&why))),
        }
    }
}

/// For messages about a key that AWS did not take.
impl Failure {
    fn key_check(error: AwsError, id: &AccessKeyId) -> Self {
        Self::KeyCheck { error, id: id.clone() }
    }
}
