//! The profiles by which AWS tools ask this vault.

use serde_json::json;

use crate::aws_files::config::ConfigFile;
use crate::cli::escape::escape;
use crate::cli::failure::Failure;
use crate::cli::table;
use crate::cli::world::World;
use crate::names::ProfileName;

/// One line of ours.
struct Configured {
    name: ProfileName,
    line: usize,
    command: String,
}

/// Without opening the vault: it is about the file.
pub fn run(as_json: bool, world: &World) -> Result<(), Failure> {
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    let found: Vec<Configured> = config.names().filter_map(|name| configured(&config, &name.parse().ok()?)).collect();
    if as_json {
        let profile =
            |one: &Configured| json!({ "name": one.name, "line": one.line, "credential_process": one.command });
        let profiles: Vec<_> = found.iter().map(profile).collect();
        return world.print_json(json!({ "config": world.paths.aws_config, "profiles": profiles }));
    }
    if found.is_empty() {
        world.say("no profile asks this vault; next: vault configure NAME");
        return Ok(());
    }
    let row = |one: Configured| [one.name.to_string(), one.line.to_string(), one.command];
    world.print(&table::render(&["NAME", "LINE", "CREDENTIAL_PROCESS"], found.into_iter().map(row)))
}

fn configured(config: &ConfigFile, name: &ProfileName) -> Option<Configured> {
    let profile = config.profile(name).ok()?.filter(|profile| profile.asks_us())?;
    let setting = profile.credential_process().ok()??;
    Some(Configured { name: name.clone(), line: setting.line, command: setting.value })
}

/// Says that AWS tools go on asking for a name that is no profile's any more.
pub fn say_what_stays(world: &World, name: &ProfileName) {
    if let Some(line) = line_of(world, name) {
        let path = escape(&world.paths.shown(&world.paths.aws_config));
        world.say(&format!(
            "the credential_process of `{name}` stays in {path} (line {line}); `vault configure {name} --restore` takes it away"
        ));
    }
}

/// Says after a logout that there may soon be another session.
pub fn say_that_tools_ask(world: &World, name: &ProfileName) {
    if let Some(line) = line_of(world, name) {
        let path = escape(&world.paths.shown(&world.paths.aws_config));
        world.say(&format!("AWS tools that need a session of `{name}` ask this vault for another ({path}:{line})"));
    }
}

/// Only for a word on the side: a file that can't be read has its own commands to say so.
fn line_of(world: &World, name: &ProfileName) -> Option<usize> {
    let config = ConfigFile::load(world.disk, &world.paths.aws_config).ok()?;
    Some(configured(&config, name)?.line)
}
