//! `vault doctor`.

mod agent;
mod chains;
mod clock;
mod environment;
mod files;
mod finding;
mod folders;
mod inside;
mod keys;
mod meant;
mod program;
mod providers;
mod roles;
mod room;
mod tried_keys;
mod vault_file;

use serde_json::json;

use crate::names::ProfileName;

use super::failure::Failure;
use super::world::World;

use finding::{Finding, State, each_once};
use inside::Inside;

/// Look at everything between a profile and AWS: what is wrong is named, with the command that mends it
///
/// What AWS tools will take for NAME and why, variables that get in the way, modes and owners of files, room to save, access keys
/// that lie in plaintext, profiles that lead to no key, roles without a source, keys that are too old or that AWS does not take, rotations that are not over, the
/// agent, the clock. Nothing is changed, and nobody is asked for the passphrase: while the vault is locked, what is in it is not looked at. It ends with 1
/// where something is wrong.
#[derive(clap::Args)]
pub struct Args {
    /// The profile that AWS tools are to use [default: the one that variables name to them, else `default` if there is one]
    #[arg(value_name = "NAME")]
    name: Option<ProfileName>,
    /// Ask AWS nothing, not even the time
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let findings = each_once(look(&args, world));
    if args.json {
        world.print_json(json!({ "checks": findings.iter().map(Finding::json).collect::<Vec<_>>() }))?;
    } else {
        world.print(&findings.iter().map(Finding::lines).collect::<String>())?;
    }
    match findings.iter().filter(|finding| finding.state == State::Problem).count() {
        0 => Ok(()),
        problems => Err(Failure::Unwell { problems }),
    }
}

fn look(args: &Args, world: &World) -> Vec<Finding> {
    let inside = Inside::look(world);
    let mut findings = vec![program::look(world)];
    findings.extend(environment::look(world));
    findings.push(vault_file::look(&inside, world));
    findings.extend(folders::look(world));
    findings.extend(room::look(world));
    findings.extend(keys::look(&inside, world));
    findings.extend(agent::look(world));
    findings.extend(files::look(world));
    findings.extend(providers::look(args.name.as_ref(), &inside, world));
    findings.extend(chains::look(&inside, world));
    findings.extend(roles::look(&inside, world));
    if !args.offline {
        findings.extend(tried_keys::look(args.name.as_ref(), &inside, world));
        findings.push(clock::look(world));
    }
    findings
}
