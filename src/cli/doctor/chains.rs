//! Whether each profile leads to an access key: those of the vault, and those for which AWS tools ask it.

use std::collections::BTreeSet;

use crate::aws_files::config::ConfigFile;
use crate::cli::failure::Failure;
use crate::cli::report::Report;
use crate::cli::resolved;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::session::ChainError;
use crate::store::document::Document;

use super::files::line_of;
use super::finding::Finding;
use super::inside::Inside;

const ABOUT: &str = "profile";

pub fn look(inside: &Inside, world: &World) -> Vec<Finding> {
    let Inside::Open(vault) = inside else { return Vec::new() };
    let document = vault.document();
    // What is wrong with it is told where AWS tools' files are looked at.
    let Ok(config) = ConfigFile::load(world.disk, &world.paths.aws_config) else { return Vec::new() };
    let of_config = config.names().filter_map(|name| name.parse().ok()).filter(|name| asks_us(name, &config).is_some());
    let names: BTreeSet<ProfileName> = of_config.chain(document.profiles.keys().cloned()).collect();
    names.iter().filter_map(|name| of_profile(name, document, &config, world)).collect()
}

/// The line by which AWS tools ask this vault for it.
fn asks_us(name: &ProfileName, config: &ConfigFile) -> Option<usize> {
    let profile = config.profile(name).ok()??;
    profile.asks_us().then(|| profile.line_of("credential_process"))?
}

fn of_profile(name: &ProfileName, document: &Document, config: &ConfigFile, world: &World) -> Option<Finding> {
    let failure = resolved::chain(name, document, config).err()?;
    let asked_at = asks_us(name, config);
    match (&failure, asked_at) {
        // What is wrong with a line is told where those are looked at.
        (Failure::Config(_) | Failure::Chain(ChainError::Config(_)), _) => None,
        // Settings for what another program signs in to, or for nothing yet.
        (Failure::Chain(ChainError::SignsInElsewhere { .. } | ChainError::NoKey { named_by: None, .. }), None) => None,
        _ => Some(finding(name, &failure, asked_at, world)),
    }
}

fn finding(name: &ProfileName, failure: &Failure, asked_at: Option<usize>, world: &World) -> Finding {
    let Report { message, hint, .. } = Report::of(failure);
    let Some(line) = asked_at else { return hint.into_iter().fold(Finding::problem(ABOUT, message), Finding::next) };
    let config = &world.paths.aws_config;
    let found = format!("AWS tools ask this vault for `{name}` ({}:{line}): {message}", world.paths.shown(config));
    let restore = format!("`vault configure {name} --restore` takes that line out");
    let next = hint.map_or_else(|| restore.clone(), |hint| format!("{hint}; or {restore}"));
    Finding::problem(ABOUT, found).next(next).at(line_of(config, line))
}
