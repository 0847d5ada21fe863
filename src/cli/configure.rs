//! `vault configure`.

mod listing;
mod restore;
mod take_over;

use serde_json::json;

use crate::aws_files::config::ConfigFile;
use crate::aws_files::our_process;
use crate::export::credentials_file::{Exported, remove_exported};
use crate::export::plaintext::remove_keys;
use crate::export::precedence::{InTheWay, in_the_way};
use crate::export::process_line::{self, Planned, Wish, key_of};
use crate::names::{ProfileName, Region};
use crate::store::document::Profile;

use super::environment_told;
use super::failure::Failure;
use super::opening;
use super::own_program;
use super::report::configure as words;
use super::resolved;
use super::settings;
use super::sign_in::Purpose;
use super::use_line;
use super::world::World;

const EXAMPLES: &str = "\
Examples:
  vault configure prod
  vault configure ops --take-over           a role that stands in ~/.aws/config
  vault configure ops --restore             as it was, byte for byte
  vault configure --list";

/// Have the AWS tools ask this vault for a profile's sessions, by a credential_process line in ~/.aws/config
///
/// What they would take before that line is taken out of the way where it is this vault's own, and else refused, by file and
/// line: a session that `login` wrote goes; a role goes only with --take-over. Nothing else in the files changes.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(
    override_usage = "vault configure <NAME> [OPTIONS]\n       vault configure <NAME> --restore\n       vault configure --list"
)]
pub struct Args {
    /// The profile
    #[arg(required_unless_present = "list")]
    name: Option<ProfileName>,
    /// Write this region, where the profile has none in ~/.aws/config
    #[arg(long)]
    region: Option<Region>,
    /// Replace another credential_process
    #[arg(long)]
    replace: bool,
    /// Move the profile's role from ~/.aws/config into the vault; --restore moves it back
    #[arg(long)]
    take_over: bool,
    /// Take the profile's own access key, which the vault holds, out of ~/.aws/credentials
    #[arg(long)]
    remove_plaintext: bool,
    /// Take the line away again, and write back what --take-over took
    #[arg(long, conflicts_with_all = ["region", "replace", "take_over", "remove_plaintext"])]
    restore: bool,
    /// List the profiles that are configured so
    #[arg(long, conflicts_with_all = ["name", "region", "replace", "take_over", "remove_plaintext", "restore"])]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub use listing::{say_that_tools_ask, say_what_stays};
pub use restore::Role;

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match &args.name {
        None => listing::run(args.json, world),
        Some(name) if args.restore => restore::run(name, args.json, world),
        Some(name) => configure(&args, name, world),
    }
}

/// Looks at everything before it changes anything; then the vault, then the config file, and last what stands before it. A
/// crash on the way leaves more in the files than there should be, never less, and running it again finishes.
fn configure(args: &Args, name: &ProfileName, world: &World) -> Result<(), Failure> {
    let command = command(name, world)?;
    let (config_path, credentials_path) = (&world.paths.aws_config, &world.paths.aws_credentials);
    let mut vault = opening::open_vault(world)?;
    let key = vault.document().profiles.get(name).and_then(|profile| profile.access_key.as_ref());
    let key = key.map(|key| key.access_key());
    let config = ConfigFile::load(world.disk, config_path)?;
    if key.is_some() {
        take_over::no_role_beside_a_key(name, &config)?;
    }
    let wish = Wish {
        name,
        command: &command,
        region: args.region.as_ref(),
        replace: args.replace,
        take_over: args.take_over,
    };
    let planned = process_line::plan(world.disk, config_path, wish)?;
    let in_the_way = in_the_way(world.disk, credentials_path, name, key.as_ref(), args.remove_plaintext)?;
    let is_protected = vault.document().profiles.get(name).is_some_and(Profile::is_protected);
    Purpose::Process.check_protected(name, is_protected)?;
    environment_told::warn_about_environment(world);
    let chain = if planned.takes.is_empty() && in_the_way != InTheWay::VaultKey {
        resolved::chain(name, vault.document(), &config)?
    } else {
        // Also where the vault has all of it: an earlier run's save may not have reached the disk yet.
        vault.edit(&world.stamp(), |document| {
            take_over::into_document(document, name, &planned.takes, &config)?;
            resolved::chain(name, document, &config)
        })?
    };
    let region = chain.call_region(settings::named_region(world)?.as_ref());
    let region_known = planned.writes_region || use_line::tools_know_a_region(name, &config, world)?;
    let use_line = use_line::of(name, Some(&region).filter(|_| !region_known));
    process_line::write(world.disk, config_path, wish, &planned)?;
    match (in_the_way, &key) {
        (InTheWay::OurSession, _) => {
            let names = std::slice::from_ref(name);
            remove_exported(world.disk, credentials_path, Exported::Of { names, sessions: &[] })?;
        }
        (InTheWay::VaultKey, Some(key)) => {
            remove_keys(world.disk, credentials_path, &[(name.as_str(), key)])?;
        }
        (InTheWay::VaultKey | InTheWay::Nothing, _) => {}
    }
    words::say_configured(world, wish, &planned, in_the_way);
    world.say(&use_line);
    if !region_known {
        words::hint_region(world, name, &region);
    }
    if args.json {
        return world.print_json(json(wish, &planned, in_the_way, world));
    }
    Ok(())
}

/// The value of the line.
fn command(name: &ProfileName, world: &World) -> Result<String, Failure> {
    let program = own_program::path_for_aws_tools(world)?;
    our_process::command(&program, name).ok_or(Failure::OwnProgramPath(program))
}

fn json(wish: Wish<'_>, planned: &Planned, in_the_way: InTheWay, world: &World) -> serde_json::Value {
    json!({
        "name": wish.name,
        "config": world.paths.aws_config,
        "credential_process": wish.command,
        "wrote_line": planned.writes_line,
        "wrote_region": planned.writes_region,
        "replaced": planned.replaces,
        "took_over": planned.takes.iter().map(key_of).collect::<Vec<_>>(),
        "removed_session": in_the_way == InTheWay::OurSession,
        "removed_access_key": in_the_way == InTheWay::VaultKey,
    })
}
