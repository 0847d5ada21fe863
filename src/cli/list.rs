//! `vault list`.

use std::borrow::Cow;

use serde_json::json;

use crate::aws_files::config::{ConfigFile, ConfigProfile};
use crate::names::{ProfileName, arn_account};
use crate::store::document::Profile;

use super::failure::Failure;
use super::opening;
use super::table;
use super::world::World;

/// List the profiles: those in the vault, and those that only ~/.aws/config knows
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One line of the list. Holds no secret.
struct Entry<'a> {
    name: &'a str,
    kind: &'static str,
    account: Option<Cow<'a, str>>,
    access_key: Option<String>,
    mfa: bool,
    from: &'static str,
    source_profile: Option<Cow<'a, str>>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    let profiles = &vault.document().profiles;
    let mut entries: Vec<Entry> = profiles.iter().map(|(name, profile)| of_vault(name, profile)).collect();
    // Names that are not ours to take can't be used, and are not listed.
    let in_config = config.names().filter_map(|name| name.parse::<ProfileName>().ok());
    let only_in_config = in_config.filter(|name| !profiles.contains_key(name));
    entries.extend(only_in_config.filter_map(|name| of_config(config.profile(&name).ok()??)));
    entries.sort_by(|a, b| a.name.cmp(b.name));
    if args.json {
        return world.print_json(json!({ "profiles": entries.iter().map(Entry::json).collect::<Vec<_>>() }));
    }
    if entries.is_empty() {
        world.say("the vault is empty; next: vault add NAME");
        return Ok(());
    }
    world.print(&table::render(
        &["NAME", "KIND", "ACCOUNT", "ACCESS KEY", "MFA", "FROM"],
        entries.into_iter().map(Entry::row),
    ))
}

fn of_vault<'a>(name: &'a ProfileName, profile: &'a Profile) -> Entry<'a> {
    let key = profile.access_key.as_ref();
    let account = match &profile.role_arn {
        Some(role) => Some(role.account()),
        None => key.and_then(|key| key.user_arn.as_deref()).and_then(arn_account),
    };
    Entry {
        name: name.as_str(),
        kind: if key.is_some() { "user" } else { "role" },
        account: account.map(Cow::from),
        access_key: key.map(|key| key.id.short()),
        mfa: profile.mfa_serial.is_some(),
        from: "vault",
        source_profile: profile.source_profile.as_ref().map(|source| source.as_str().into()),
    }
}

/// Profiles of the config file that say how to sign in; a section with only a region is no profile of ours.
fn of_config(profile: &ConfigProfile) -> Option<Entry<'_>> {
    let role = profile.role_arn().ok().flatten();
    let kind = match () {
        () if profile.is_sso() => "sso",
        // Also one that can't be used: `login` says why.
        () if profile.line_of("role_arn").is_some() => "role",
        () if profile.line_of("credential_process").is_some() => "process",
        () => return None,
    };
    Some(Entry {
        name: profile.name(),
        kind,
        account: role.map(|role| role.value.account().to_owned().into()),
        access_key: None,
        mfa: matches!(profile.mfa_serial(), Ok(Some(_))),
        from: "config",
        source_profile: profile.source_profile().ok().flatten().map(|source| source.value.to_string().into()),
    })
}

impl<'a> Entry<'a> {
    fn row(self) -> [Cow<'a, str>; 6] {
        let mfa = match self.has_mfa() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        let access_key = self.access_key.map_or("-".into(), Cow::from);
        let account = self.account.unwrap_or("-".into());
        [self.name.into(), self.kind.into(), account, access_key, mfa.into(), self.from.into()]
    }

    /// None for a role without a device of its own: it has the MFA of the user it leads to.
    fn has_mfa(&self) -> Option<bool> {
        (self.mfa || self.kind == "user").then_some(self.mfa)
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.name, "kind": self.kind, "account": self.account, "access_key": self.access_key,
            "mfa": self.has_mfa(), "from": self.from, "source_profile": self.source_profile,
        })
    }
}
