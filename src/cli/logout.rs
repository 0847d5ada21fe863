//! `vault logout`.

use crate::aws_files::config::ConfigFile;
use crate::export::credentials_file::{Exported, remove_exported};
use crate::names::ProfileName;
use crate::server::holding;

use super::configure;
use super::expired;
use super::exported;
use super::failure::Failure;
use super::names_given;
use super::opening;
use super::resolved;
use super::session_records;
use super::world::World;

/// Drop cached sessions, and take what `login` wrote out of ~/.aws/credentials
///
/// A copy of a session elsewhere works until it expires, or until a policy denies it (`vault policy show revoke-sessions`); and
/// what `vault serve` and `vault exec --server` hand out they go on handing out, until `vault lock`.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// All of them
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let document = vault.document();
    let cache = session_records::cache(world, document)?;
    if args.all {
        // The plaintext first: whatever is wrong with the cache must not keep it there.
        let removed = remove_exported(world.disk, &world.paths.aws_credentials, Exported::All)?;
        say(cache.remove_all().map_err(Failure::Cache)?, &removed, world);
        hint_at_servers(world);
        return Ok(());
    }
    let name = names_given::or_default(args.name, document, world)?;
    let sessions = exported::sessions(&name, &cache);
    let removed = exported::take_out(&name, exported::destination(&name, document), &sessions, world)?;
    let dropped_of = cache.remove_sessions(&sessions).map_err(Failure::Cache)?;
    let dropped = dropped_of.len();
    if dropped == 0 && removed.is_empty() {
        // Nobody must believe to be logged out for a typing error.
        resolved::chain(&name, document, &ConfigFile::load(world.disk, &world.paths.aws_config)?)?;
    }
    say(dropped, &removed, world);
    let mut others: Vec<&ProfileName> = dropped_of.iter().filter(|profile| **profile != name).collect();
    others.sort();
    others.dedup();
    for other in others {
        world.say(&format!("`{other}` has the same access key, and shared the session"));
    }
    if let Some(newest) = cache.list().into_iter().max_by_key(|record| record.made_at) {
        expired::sweep(world, &newest);
    }
    configure::say_that_tools_ask(world, &name);
    hint_at_servers(world);
    Ok(())
}

/// Whose sessions they hand out, they alone know.
fn hint_at_servers(world: &World) {
    if holding::is_any(world.disk, &world.paths.state) {
        world.hint("a `vault serve` or `vault exec --server` runs, and goes on handing out what it has; `vault lock` ends that");
    }
}

fn say(dropped: usize, removed: &[String], world: &World) {
    if dropped == 0 && removed.is_empty() {
        return world.say("there was no session to drop");
    }
    match dropped {
        0 => {}
        1 => world.say("dropped 1 cached session"),
        _ => world.say(&format!("dropped {dropped} cached sessions")),
    }
    exported::say_removed(removed, "", world);
}
