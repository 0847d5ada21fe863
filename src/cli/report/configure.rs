//! Words of `configure`. Each refusal names file and line, since these files are edited by hand.

use std::ffi::OsStr;
use std::path::Path;

use crate::aws_files::config::header;
use crate::cli::configure::Role;
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::export::error::ConfigureError;
use crate::export::precedence::InTheWay;
use crate::export::process_line::{Planned, Restored, Wish, key_of};
use crate::names::{ProfileName, Region};
use crate::process::ProgramError;

use super::{Report, Status, files, internal};

pub fn report(failure: &Failure) -> Report {
    match failure {
        Failure::Configure(error) => refusal(error),
        Failure::OwnProgram { name, error } => program(name, error),
        Failure::OwnProgramPath(path) => Report::new(
            Status::State,
            format!("AWS tools differ in how they read a command in `{}`, where this program is", shown_path(path)),
        )
        .hint("start it by a link whose path has only letters, digits and _.@:/+-"),
        Failure::RoleBesideKey { path, line, name, key } => at(
            path,
            *line,
            &format!(
                "AWS tools would take `{key}` of {} for `{name}`, and the vault has an access key for it",
                section(name)
            ),
        )
        .hint(format!("`vault rename {name} OTHER` first, or take that role out of the file")),
        Failure::TakenDiffers { path, line, name, key } => {
            at(path, *line, &format!("`{key}` of {} is not the one that the vault has for `{name}`", section(name)))
                .hint("make them alike, or `vault remove` that profile; nothing was changed")
        }
        _ => internal(),
    }
}

fn at(path: &Path, line: usize, words: &str) -> Report {
    Report::new(Status::State, format!("{}:{line}: {words}", shown_path(path)))
}

/// As its header names it.
pub fn section(name: &ProfileName) -> String {
    format!("[{}]", header(name))
}

fn refusal(error: &ConfigureError) -> Report {
    use ConfigureError::*;
    let by_hand = "take that line out by hand; nothing was changed";
    match error {
        Export(error) => files::export(error),
        Edit { path, error } => {
            Report::new(Status::State, format!("{}: {}", shown_path(path), escape(&error.to_string())))
                .hint("correct that line; nothing was changed")
        }
        SignsInElsewhere { path, line, name, key } => {
            let what =
                format!("AWS tools would go by `{}` of {} before they ask this vault", escape(key), section(name));
            at(path, *line, &what).hint(by_hand)
        }
        HasRole { path, line, name, key } => {
            let what =
                format!("AWS tools would go by `{}` of {} before they ask this vault", escape(key), section(name));
            at(path, *line, &what).hint(format!(
                "`vault configure {name} --take-over` moves the role into the vault; `--restore` undoes it"
            ))
        }
        HoldsCredentials { path, line, name, key } => {
            let what =
                format!("`{}` of {}: some AWS tools would take credentials there first", escape(key), section(name));
            at(path, *line, &what).hint(by_hand)
        }
        ForeignProcess { path, line, name, command } => {
            at(path, *line, &format!("{} has another credential_process: `{}`", section(name), escape(command)))
                .hint("`--replace` replaces it")
        }
        LongTermKey { path, line, name, id, held } => {
            let what = format!(
                "section [{name}] holds the long-term key {}, which AWS tools would take before they ask this vault",
                id.short()
            );
            let hint = match held {
                true => "the vault has it: `--remove-plaintext` takes it out there".to_owned(),
                false => format!("`vault import {name} --remove` moves it into the vault; nothing was changed"),
            };
            at(path, *line, &what).hint(hint)
        }
        ForeignSection { path, line, name, key } => {
            let what =
                format!("AWS tools would go by `{}` of section [{name}] before they ask this vault", escape(key));
            at(path, *line, &what).hint(by_hand)
        }
    }
}

fn program(name: &OsStr, error: &ProgramError) -> Report {
    match error {
        ProgramError::NotFound => {
            let name = escape(&name.to_string_lossy());
            Report::new(Status::State, format!("this program, `{name}`, is not where it was started from any more"))
                .hint("start it by its name, from a folder of PATH")
        }
        ProgramError::Untrusted { path } => {
            let words = "can be changed by others, who could put another program in its place";
            let report = Report::new(Status::NotTrusted, format!("`{}` {words}", shown_path(path)));
            if path.is_absolute() { report.hint(format!("chmod go-w {}", shown_path(path))) } else { report }
        }
    }
}

pub fn say_configured(world: &World, wish: Wish<'_>, planned: &Planned, in_the_way: InTheWay) {
    let name = wish.name;
    let config = escape(&world.paths.shown(&world.paths.aws_config));
    if !planned.takes.is_empty() {
        let keys: Vec<String> = planned.takes.iter().map(|line| escape(&key_of(line))).collect();
        world.say(&format!("moved {} of {} into the vault", keys.join(", "), section(name)));
    }
    match planned.writes_line || !planned.takes.is_empty() {
        true => world.say(&format!("wrote credential_process = {} into {} of {config}", wish.command, section(name))),
        false => world.say(&format!("{} of {config} asks this vault already", section(name))),
    }
    if let Some(replaced) = &planned.replaces {
        world.say(&format!("it replaces credential_process = {}", escape(replaced)));
    }
    if let Some(region) = wish.region.filter(|_| planned.writes_region) {
        world.say(&format!("wrote region = {region}"));
    }
    if let Some((region, line)) = &planned.region_stays {
        world.warn(&format!("region = {} at {config}:{line} stays; change it there", escape(region)));
    }
    let credentials = escape(&world.paths.shown(&world.paths.aws_credentials));
    match in_the_way {
        InTheWay::Nothing => {}
        InTheWay::OurSession => {
            world.say(&format!("removed the session in [{name}] of {credentials}, which stood before it"))
        }
        InTheWay::VaultKey => {
            world.say(&format!("removed the access key in [{name}] of {credentials}; the vault has it"))
        }
    }
    if world.environment.get("VAULT_FILE").is_some() {
        world.warn("VAULT_FILE is set here: what runs the AWS tools must have it in its environment too");
    }
}

/// For tools that are not told one each time.
pub fn hint_region(world: &World, name: &ProfileName, region: &Region) {
    world
        .hint(&format!("AWS tools find no region for `{name}`; `vault configure {name} --region {region}` writes one"));
}

pub fn say_restored(world: &World, name: &ProfileName, restored: &Restored, role: Role) {
    let config = escape(&world.paths.shown(&world.paths.aws_config));
    match (restored.removed_line, restored.removed_section) {
        (false, _) if restored.keys.is_empty() && role == Role::None => {
            return world.say(&format!("{} of {config} does not ask this vault; nothing to do", section(name)));
        }
        (false, _) => {}
        (true, false) => world.say(&format!("removed the credential_process of {} from {config}", section(name))),
        (true, true) => world.say(&format!("removed {} from {config}", section(name))),
    }
    if !restored.keys.is_empty() {
        let keys: Vec<String> = restored.keys.iter().map(|key| escape(key)).collect();
        world.say(&format!("wrote {} back into {} of {config}", keys.join(", "), section(name)));
    }
    match role {
        Role::None => {}
        Role::Returns => world.say(&format!("removed `{name}` from the vault: it was as it came")),
        Role::Stays => world.say(&format!(
            "`{name}` stays in the vault: it was changed since it came; `vault remove {name}` removes it"
        )),
    }
}
