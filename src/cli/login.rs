//! `vault login`.

use jiff::tz::TimeZone;

use crate::aws_files::config::ConfigProfile;
use crate::credentials::AccessKey;
use crate::duration;
use crate::export::config_file;
use crate::export::credentials_file::{self, Prepared, Target};
use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::{ProfileName, arn_user_name};
use crate::session::{Issued, Note};
use crate::store::document::{Document, Profile, StoredAccessKey};
use crate::store::vault::{Closed, Vault};

use super::add;
use super::escape::escape;
use super::failure::Failure;
use super::report;
use super::settings;
use super::sign_in::{self, Purpose, Resolved, SignInArgs};
use super::world::World;

/// Sign in: a session by passphrase and MFA code, written to ~/.aws/credentials
///
/// Without NAME it is $AWS_PROFILE, else the setting default_profile, else the only profile there is. A session that is
/// still good is used again, without a code. Of a profile with a credential_process in ~/.aws/config the session is only
/// cached, unless --profile says where to write it.
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    name: Option<ProfileName>,
    /// Write the session to this section of ~/.aws/credentials [default: the profile's name]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_export", "env"])]
    profile: Option<ProfileName>,
    /// Only cache the session
    #[arg(long)]
    no_export: bool,
    /// Print variables for a shell instead of writing a file: eval "$(vault login prod --env)"
    #[arg(long, conflicts_with = "no_export")]
    env: bool,
    /// Replace another long-term key in that section, after saving it in the vault
    #[arg(long, conflicts_with_all = ["no_export", "env"])]
    replace_long_term: bool,
    /// Write the profile's region to ~/.aws/config where it has none
    #[arg(long)]
    write_region: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let (resolved, vault) = sign_in::resolve(args.name.clone(), &args.sign_in, world)?;
    // Kept only where a key is to be saved in it afterwards: it must not lie open beside the prompt for a code.
    let vault = args.replace_long_term.then_some(vault);
    let target = args.profile.clone().or_else(|| resolved.destination.clone()).unwrap_or_else(|| resolved.name.clone());
    let exports = !args.no_export && !args.env && is_to_be_written(&args, &resolved, &target, world)?;
    if exports {
        add::warn_about_environment(world);
    }
    let issued = sign_in::issue(&resolved, &args.sign_in, Purpose::Login, world)?;
    say_signed_in(&resolved.name, &issued, world);
    if args.env {
        let variables = Variables::of_session(issued.credentials(), resolved.region.as_ref(), &resolved.name);
        return world.print(&shell::render(Shell::Sh, &variables));
    }
    if !exports {
        return say_use_of_cached(&args, &resolved, world);
    }
    write(&args, &resolved, vault.as_ref(), &target, &issued, world)
}

/// Whatever speaks against writing there is said before a code is spent. A profile that has a `credential_process` is one
/// whose credentials AWS tools get from that command; a section of the same name would stop them asking it.
fn is_to_be_written(args: &Args, resolved: &Resolved, target: &ProfileName, world: &World) -> Result<bool, Failure> {
    let prepared = export(args, resolved, target, world)?;
    match prepared.shadows_credential_process() {
        Some(line) if args.profile.is_none() && *target == resolved.name => {
            let config = escape(&world.paths.shown(&world.paths.aws_config));
            if asks_us(resolved)? {
                world.say(&format!(
                    "{target}: AWS tools ask this vault for the session ({config}:{line}), so it is written nowhere"
                ));
                return Ok(false);
            }
            world.say(&format!(
                "{target}: only cached, since AWS tools ask the credential_process of [profile {target}] ({config}:{line})"
            ));
            world.hint(&format!("`vault login {target} --profile {target}` writes the session all the same"));
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// Whether the profile was configured to have AWS tools ask this program.
fn asks_us(resolved: &Resolved) -> Result<bool, Failure> {
    Ok(resolved.config.profile(&resolved.name)?.is_some_and(ConfigProfile::asks_us))
}

fn say_use_of_cached(args: &Args, resolved: &Resolved, world: &World) -> Result<(), Failure> {
    let name = &resolved.name;
    match asks_us(resolved)? {
        true => say_use(args, resolved, name, world),
        false => {
            world.say(&format!("use: vault exec {name} -- COMMAND"));
            Ok(())
        }
    }
}

fn export<'a>(
    args: &Args,
    resolved: &'a Resolved,
    target: &'a ProfileName,
    world: &'a World,
) -> Result<Prepared<'a>, Failure> {
    let own_target = *target == resolved.name;
    let target = Target {
        name: target,
        vault_key: resolved.own_key().filter(|_| own_target),
        replace_long_term: args.replace_long_term,
    };
    Ok(credentials_file::prepare(world.disk, &world.paths.aws_credentials, &resolved.config, target)?)
}

fn write(
    args: &Args,
    resolved: &Resolved,
    vault: Option<&Closed>,
    target: &ProfileName,
    issued: &Issued,
    world: &World,
) -> Result<(), Failure> {
    let prepared = export(args, resolved, target, world)?;
    let replaced = prepared.replaces().cloned();
    if prepared.shadows_credential_process().is_some() {
        world.warn(&format!(
            "[profile {target}] has a credential_process; most AWS tools take the written session before it"
        ));
    }
    if let (Some(key), Some(vault)) = (replaced, vault) {
        save_replaced_key(&key, target, vault.open()?, world)?;
    }
    prepared.commit(world.disk, issued.credentials()).inspect_err(|_| {
        if !issued.notes.iter().any(|note| matches!(note, Note::NotCached { .. })) {
            world.say("the session itself is kept: trying again takes no new code");
        }
    })?;
    if let Some(region) = resolved.region.as_ref().filter(|_| args.write_region) {
        config_file::add_region(world.disk, &world.paths.aws_config, target, region)?;
    }
    say_use(args, resolved, target, world)
}

fn say_use(args: &Args, resolved: &Resolved, target: &ProfileName, world: &World) -> Result<(), Failure> {
    let region = if tools_know_a_region(args, resolved, target, world)? {
        String::new()
    } else {
        format!(" --region {}", resolved.call_region)
    };
    world.say(&format!("use: aws --profile {target}{region} sts get-caller-identity"));
    Ok(())
}

/// Whether AWS tools find a region by themselves. The AWS CLI refuses even `sts` without one, and takes none from
/// `[default]` for another profile.
fn tools_know_a_region(args: &Args, resolved: &Resolved, target: &ProfileName, world: &World) -> Result<bool, Failure> {
    let written = args.write_region && resolved.region.is_some();
    let in_config =
        || Ok::<_, Failure>(resolved.config.profile(target)?.is_some_and(|it| it.line_of("region").is_some()));
    Ok(written || settings::named_region(world)?.is_some() || in_config()?)
}

/// A key that is about to be replaced goes into the vault under a free name first.
fn save_replaced_key(key: &AccessKey, target: &ProfileName, mut vault: Vault, world: &World) -> Result<(), Failure> {
    let stamp = world.stamp();
    let saved_as = vault.edit(&stamp, |document| {
        let name = free_name(document, target)?;
        let access_key = StoredAccessKey {
            id: key.id.clone(),
            secret: key.secret.clone(),
            user_arn: None,
            added: stamp.now,
            verified: None,
            endpoint: None,
            rest: toml::Table::new(),
        };
        document.profiles.insert(name.clone(), Profile { access_key: Some(access_key), ..Profile::default() });
        Ok::<_, Failure>(name)
    })?;
    world.say(&format!(
        "saved the long-term key {} of section [{target}] in the vault, as `{saved_as}`",
        key.id.short()
    ));
    Ok(())
}

fn free_name(document: &Document, target: &ProfileName) -> Result<ProfileName, Failure> {
    let candidates = std::iter::once(target.to_string())
        .chain(std::iter::once(format!("{target}-long-term")))
        .chain((2..).map(|number| format!("{target}-long-term-{number}")));
    for candidate in candidates {
        let name: ProfileName = candidate.parse()?;
        if !document.profiles.contains_key(&name) {
            return Ok(name);
        }
    }
    unreachable!("the numbers do not end")
}

/// Who, and for how long: in the person's own time zone.
fn say_signed_in(name: &ProfileName, issued: &Issued, world: &World) {
    let record = &issued.record;
    let role = record.request.roles.last().map(|role| format!("role {}", role.role_arn.role_name()));
    let user = record.user_arn.as_deref().and_then(arn_user_name).map(str::to_owned);
    let who = role.or(user).unwrap_or_else(|| "a user".to_owned());
    let account = record.account().map(|account| format!(" in account {account}")).unwrap_or_default();
    let mfa = if record.request.serial.is_some() { " with MFA" } else { "" };
    let how = if issued.reused { "still signed in" } else { "signed in" };
    let expires = issued.expires().to_zoned(TimeZone::system()).strftime("%H:%M on %a %d %b").to_string();
    let left = duration::words(report::left(issued.record.lifetime().expires, world.clock.now()));
    world.say(&format!("{name}: {how} as {}{}{mfa} until {expires} ({left})", escape(&who), escape(&account)));
}
