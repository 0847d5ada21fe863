//! `vault console`.

mod page;

use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{Aws, AwsError, Page, Partition, Signer};
use crate::aws_files::config::{ConfigFile, ConfigProfile};
use crate::credentials::SessionCredentials;
use crate::log::{Act, Event};
use crate::names::{AccessKeyId, ProfileName, Region, RoleArn, arn_account, arn_user_name};
use crate::process::BrowserError;
use crate::session::Sources;

use super::failure::Failure;
use super::names_given;
use super::opening;
use super::report;
use super::resolved::Resolved;
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::warm::{self, Outcome};
use super::world::World;

/// Print an address that signs a browser in to the AWS console, or open it
///
/// Whoever opens the address within 15 minutes is signed in. Of a role profile it is the role's session, as long as that
/// lasts; --duration up to 12h makes the console session longer than the role's other sessions may be, if the role is
/// assumed by the access key itself. Of a user profile it is a session of GetFederationToken, 12 hours by default, which
/// never counts as made with MFA.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Open it in the browser ($BROWSER, else the system's), and show no address
    #[arg(long)]
    open: bool,
    /// Start on this service's page, by its name in the console's addresses: s3, ec2, cloudwatch
    #[arg(long, value_name = "NAME", value_parser = parse_service)]
    service: Option<String>,
    /// Start on the page of this path: what stands behind the host in the console's addresses
    #[arg(long, value_name = "PATH", value_parser = parse_path, conflicts_with = "service")]
    path: Option<String>,
    /// Print the address where a person who is signed in switches to the profile's role; takes no session and no call
    #[arg(long, conflicts_with_all = ["open", "service", "path"])]
    switch_role: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub enum ConsoleError {
    /// By the ARN of whose session it would be.
    UnknownPartition {
        arn: String,
    },
    /// There is no role in it to switch to.
    NotARole(ProfileName),
    /// The user's session for the console.
    Federation(AwsError),
    /// Trading the session for a sign-in.
    SignIn {
        profile: ProfileName,
        error: AwsError,
    },
    Page(std::io::Error),
    /// Others can enter the folder that the page would lie in.
    PageFolder,
    Browser {
        profile: ProfileName,
        error: BrowserError,
    },
}

fn parse_service(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    match !text.is_empty() && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a service's name: letters, digits and -")),
    }
}

fn parse_path(text: &str) -> Result<String, String> {
    match text.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("a path has neither blanks nor letters that an address would have to spell out".to_owned()),
    }
}

pub fn run(mut args: Args, world: &World) -> Result<(), Failure> {
    if args.switch_role {
        return switch_role(args.name, world);
    }
    args.sign_in.be_for_console();
    let visit = match role_at_hand(&args, world)? {
        Some(signed_in) => Visit::of_role(&signed_in, &args, world)?,
        None => from_vault(&args, world)?,
    };
    let token = visit.aws.signin_token(visit.partition, &visit.credentials, visit.seconds());
    let token = token.map_err(|error| ConsoleError::SignIn { profile: visit.name.clone(), error })?;
    let page = visit.partition.page(&args.page(), visit.region.as_ref());
    let address = visit.aws.console_sign_in(visit.partition, &token, &page);
    world.log(&Event {
        act: Act::Console,
        profile: Some(&visit.name),
        access_key: Some(&visit.access_key_id),
        role: visit.role.as_ref().map(RoleArn::as_str),
    });
    match args.open {
        true => page::open(&address, &visit.name, world)?,
        false => world.print(&format!("{address}\n"))?,
    }
    report::console_visit(world, &visit, args.open);
    Ok(())
}

impl Args {
    fn page(&self) -> Page {
        match (&self.service, &self.path) {
            (Some(service), _) => Page::Service(service.clone()),
            (None, Some(path)) => Page::Path(path.clone()),
            (None, None) => Page::Home,
        }
    }
}

/// A session that the console takes, and whose it is.
pub struct Visit {
    pub name: ProfileName,
    pub role: Option<RoleArn>,
    pub user_arn: Option<String>,
    pub expires: Timestamp,
    /// Longer than the session itself.
    stay: Option<Duration>,
    aws: Aws,
    partition: Partition,
    credentials: SessionCredentials,
    access_key_id: AccessKeyId,
    region: Option<Region>,
}

impl Visit {
    fn of_role(signed_in: &SignedIn, args: &Args, world: &World) -> Result<Self, Failure> {
        let record = &signed_in.issued.record;
        let role = record.role().cloned();
        let credentials = signed_in.issued.credentials().clone();
        let stay = args.sign_in.stay();
        let now = world.clock.now();
        let expires = stay.map_or(record.lifetime().expires, |stay| now.saturating_add(stay).unwrap_or(now));
        Ok(Self {
            name: signed_in.about.name.clone(),
            partition: partition(role.as_ref().map_or("", RoleArn::as_str))?,
            role,
            user_arn: record.ladder.user_arn.clone(),
            expires,
            stay,
            aws: signed_in.aws(world)?,
            credentials,
            access_key_id: record.ladder.access_key_id.clone(),
            region: signed_in.about.region.clone(),
        })
    }

    /// AWS takes a duration only beside a session that the access key itself assumed the role with, which is what a longer
    /// stay was planned with. What it takes none with lasts as long as the session.
    fn seconds(&self) -> Option<u32> {
        self.stay.map(|stay| stay.as_secs().try_into().unwrap_or(u32::MAX))
    }

    pub fn account(&self) -> Option<&str> {
        self.role.as_ref().map(RoleArn::account).or_else(|| self.user_arn.as_deref().and_then(arn_account))
    }
}

fn partition(arn: &str) -> Result<Partition, ConsoleError> {
    Partition::of(arn).ok_or_else(|| ConsoleError::UnknownPartition { arn: arn.to_owned() })
}

/// A role's session that takes no opening of the vault.
fn role_at_hand(args: &Args, world: &World) -> Result<Option<SignedIn>, Failure> {
    match warm::sign_in(args.name.as_ref(), &args.sign_in, Purpose::Use, world)? {
        Outcome::SignedIn(signed_in) if signed_in.issued.record.role().is_some() => {
            sign_in::tell(&signed_in.about.name, &signed_in.issued, world);
            Ok(Some(*signed_in))
        }
        _ => Ok(None),
    }
}

fn from_vault(args: &Args, world: &World) -> Result<Visit, Failure> {
    let (resolved, _) = Resolved::of(args.name.clone(), &args.sign_in, world)?;
    // An address that signs in is as good as the session.
    Purpose::Use.check_protected(&resolved.about.name, resolved.about.protected)?;
    let Some(role) = resolved.role() else { return federated(&resolved, world) };
    // Before a code is spent.
    partition(role.as_str())?;
    let issued = sign_in::issue(&resolved, &args.sign_in, Purpose::Use, world)?;
    Visit::of_role(&SignedIn { about: resolved.about, issued }, args, world)
}

/// Sessions of GetSessionToken don't sign in to the console; those of GetFederationToken do, and are made with the key.
fn federated(resolved: &Resolved, world: &World) -> Result<Visit, Failure> {
    let about = &resolved.about;
    let key = resolved.own_key().ok_or_else(|| Failure::NoAccessKey(about.name.clone()))?;
    let aws = resolved.aws(world)?;
    let arn = match resolved.user_arn() {
        Some(arn) => arn.to_owned(),
        None => aws.caller_identity(&Signer::AccessKey(key))?.arn,
    };
    let partition = partition(&arn)?;
    if resolved.has_mfa() {
        report::console_without_mfa(world, &about.name);
    }
    let seconds = resolved.seconds();
    let credentials = aws.federation_token(key, arn_user_name(&arn).unwrap_or("root"), seconds);
    let credentials = credentials.map_err(ConsoleError::Federation)?;
    let now = world.clock.now();
    Ok(Visit {
        name: about.name.clone(),
        role: None,
        user_arn: Some(arn),
        expires: now.saturating_add(Duration::from_secs(seconds.into())).unwrap_or(now),
        stay: None,
        aws,
        partition,
        credentials,
        access_key_id: key.id.clone(),
        region: about.region.clone(),
    })
}

/// From the role's ARN alone.
fn switch_role(name: Option<ProfileName>, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let name = names_given::or_default(name, vault.document(), world)?;
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    let Some(merged) = Sources::new(vault.document(), &config).profile(&name)? else {
        return Err(names_given::known_nowhere(&name, vault.document(), &config));
    };
    // A key in the vault is not given another meaning by a line elsewhere.
    let has_key = merged.vault.is_some_and(|profile| profile.access_key.is_some());
    let role = merged.value(|profile| profile.role_arn.as_ref(), ConfigProfile::role_arn)?.filter(|_| !has_key);
    let role = role.ok_or_else(|| ConsoleError::NotARole(name.clone()))?.value;
    world.print(&format!("{}\n", partition(role.as_str())?.switch_role(&role, name.as_str())))
}
