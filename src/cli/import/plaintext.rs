//! After the vault has the keys: takes them out of the files they lay in, and says where else copies may be.

use std::path::{Path, PathBuf};

use crate::aws_files::file;
use crate::credentials::AccessKey;
use crate::export::error::ExportError;
use crate::export::plaintext::{remove_file, remove_keys};
use crate::import::aws_mfa;
use crate::import::found::{Origin, Source};
use crate::import::plan::Row;

use super::sources::CsvFile;
use crate::cli::failure::Failure;
use crate::cli::report;
use crate::cli::world::World;

/// Goes on past a file that can't be edited, so that as little as possible stays.
pub fn remove(held: &[(&Row, &Origin)], csv: &[CsvFile], world: &World) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut edited = Vec::new();
    for path in files(held) {
        match from_file(held, csv, path, world) {
            Ok(true) => edited.push(path.to_owned()),
            Ok(false) => report::import::say_not_removed(world, path),
            Err(failure) => failures.push(failure),
        }
    }
    if !edited.is_empty() {
        report::import::say_copies(world, &histories(&edited, world));
    }
    worst(failures).map_or(Ok(()), Err)
}

/// A file that stays is worse than one that may come back after a power cut.
fn worst(failures: Vec<Failure>) -> Option<Failure> {
    let may_come_back = |failure: &Failure| matches!(failure, Failure::Export(ExportError::CommittedNotDurable { .. }));
    failures.into_iter().min_by_key(may_come_back)
}

fn files<'h>(held: &[(&Row, &'h Origin)]) -> Vec<&'h Path> {
    let mut files = Vec::new();
    for path in held.iter().filter_map(|(_, origin)| origin.path.as_deref()) {
        if !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// Whether anything was removed.
fn from_file(held: &[(&Row, &Origin)], csv: &[CsvFile], path: &Path, world: &World) -> Result<bool, Failure> {
    let here = || held.iter().filter(|(_, origin)| origin.path.as_deref() == Some(path));
    if let Some(file) = csv.iter().find(|file| file.path == path) {
        let lines = here().filter(|(_, origin)| origin.source == Source::Csv).count();
        return csv_file(file, lines, world);
    }
    let key = |(row, origin): &(&'_ Row, &'_ Origin)| -> Option<(String, AccessKey)> {
        Some((origin.section.clone()?, row.key()?.clone()))
    };
    let keys: Vec<(String, AccessKey)> = here().filter_map(key).collect();
    let keys: Vec<(&str, &AccessKey)> = keys.iter().map(|(section, key)| (section.as_str(), key)).collect();
    let sections = remove_keys(world.disk, path, &keys)?;
    sections.iter().for_each(|section| report::import::say_removed(world, path, section));
    let of_aws_mfa = |section: &&str| {
        here().any(|(_, origin)| origin.source == Source::AwsMfa && origin.section.as_deref() == Some(*section))
    };
    say_what_aws_mfa_left(sections.iter().map(String::as_str).filter(of_aws_mfa).collect(), path, world);
    Ok(!sections.is_empty())
}

/// Of these sections the pair was taken. Who can't read the file any more has heard why.
fn say_what_aws_mfa_left(pairs: Vec<&str>, path: &Path, world: &World) {
    if pairs.is_empty() {
        return;
    }
    if let Ok(bytes) = file::read(world.disk, path) {
        report::aws_mfa::say_stays(world, path, &aws_mfa::stays(&bytes, &pairs));
    }
}

/// A file goes as a whole, so only with every key in it in the vault.
fn csv_file(file: &CsvFile, held: usize, world: &World) -> Result<bool, Failure> {
    let lines = crate::import::console_csv::rows(&file.bytes).map_or(0, |rows| rows.len());
    let removed = held == lines && remove_file(world.disk, &file.path, &file.bytes)?;
    if removed {
        report::import::say_removed_file(world, &file.path);
    }
    Ok(removed)
}

/// The git work trees that the files lie in: what is committed stays there.
fn histories(files: &[PathBuf], world: &World) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in files {
        let resolved = world.disk.resolve(file).unwrap_or_else(|_| file.clone());
        let tree = resolved.ancestors().skip(1).find(|folder| {
            world.disk.open_folder(folder).is_ok_and(|folder| matches!(folder.entry(".git"), Ok(Some(_))))
        });
        found.extend(tree.map(Path::to_owned).filter(|tree| !found.contains(tree)));
    }
    found
}
