//! `vault restore`.

mod failure;

use crate::names::ProfileName;
use crate::store::difference::Content;
use crate::store::document::{Document, Meta, StoredAccessKey};
use crate::store::history::{Kept, KeptError};
use crate::store::restoring::{Earlier, KeySource, Restored, differs, restored, rival};

use super::failure::Failure;
use super::key_check;
use super::names_given;
use super::opening;
use super::report;
use super::setting_change::{self, SettingChange};
use super::world::World;

pub use failure::{RestoreFailure, Side};

/// Bring profiles back as they were in an earlier generation
///
/// `vault history` lists the generations. A profile that is there keeps its access key: only its settings come back. One
/// that is gone comes back with the newest key that was kept of it, if AWS still takes that. The rest of the vault stays,
/// and so do its keys and recipients; the result is a new generation.
#[derive(clap::Args)]
pub struct Args {
    /// The number of the generation
    #[arg(value_parser = parse_generation)]
    generation: u64,
    /// The profiles [default: all that it has]
    names: Vec<ProfileName>,
    /// The name of the very file beside the vault, where several of that generation are kept
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Take the access keys of that very generation, which AWS may have retired long ago; names are needed
    #[arg(long, requires = "names")]
    with_keys: bool,
    /// Do not ask AWS about keys that come back
    #[arg(long)]
    no_verify: bool,
    /// Only show what would be restored
    #[arg(long)]
    dry_run: bool,
}

fn parse_generation(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("`{text}` is no number of a generation; `vault history` lists them, and the names come after it");
    text.parse().map_err(|_| wrong())
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let mut vault = opening::open_vault(world)?;
    let history = vault.history()?;
    let found = find(&history, &args)?;
    let source = Source { found, args: &args, history: &history, now: vault.document().meta.clone() };
    let mut changes = Vec::new();
    let mut refused = Vec::new();
    for name in source.names()? {
        let restored = source.restored(&name, vault.document())?;
        if !differs(vault.document().profiles.get(&name), &restored.profile) {
            continue;
        }
        match source.check(&restored, world) {
            Ok(()) => {
                let standing = vault.document().profiles.get(&name);
                let settings = standing.map(|standing| setting_change::of_profile(&name, standing, &restored.profile));
                changes.push(Coming { name, restored, settings: settings.unwrap_or_default() });
            }
            Err(why @ Failure::KeyCheck { .. }) => {
                let why = report::Report::of(&why).message;
                world.warn(&format!("`{name}` is not restored: {why}"));
                refused.push(name);
            }
            Err(other) => return Err(other),
        }
    }
    let staying = source.staying(vault.document());
    if changes.is_empty() && refused.is_empty() {
        let generation = args.generation;
        world.say(&match (source.found.document.profiles.is_empty(), staying.is_empty()) {
            (true, _) => format!("nothing to restore: generation {generation} has no profiles"),
            (false, true) => format!("nothing to restore: all of it is as it was in generation {generation}"),
            (false, false) => format!("nothing to restore: the profiles are as they were in generation {generation}"),
        });
    }
    if !args.dry_run && !changes.is_empty() {
        vault.edit(&world.stamp(), |document| {
            // Another program may have saved meanwhile: a key that is there by now stays.
            changes.iter().try_for_each(|Coming { name, .. }| {
                let restored = source.restored(name, document)?;
                document.profiles.insert(name.clone(), restored.profile);
                Ok::<(), Failure>(())
            })
        })?;
    }
    changes.iter().for_each(|coming| say(&args, coming, world));
    staying.iter().for_each(|change| report::say_not_restored(world, args.generation, change));
    if refused.is_empty() { Ok(()) } else { Err(RestoreFailure::KeysRefused { names: refused }.into()) }
}

fn find<'h>(history: &'h [Kept], args: &Args) -> Result<Found<'h>, RestoreFailure> {
    let generation = args.generation;
    let mut found: Vec<&Kept> = history.iter().filter(|kept| kept.generation == generation).collect();
    if found.is_empty() {
        let kept = history.iter().map(|kept| kept.generation).collect();
        return Err(RestoreFailure::NoSuchGeneration { generation, kept });
    }
    let opens = |kept: &&Kept| kept.content.is_ok();
    let is_one_side = found.iter().filter(|kept| opens(kept)).count() > 1;
    if let Some(named) = &args.file {
        found.retain(|kept| kept.file == *named);
        if found.is_empty() {
            return Err(RestoreFailure::NoSuchFile { generation, file: named.clone() });
        }
    }
    // Only this vault's own signature opens here.
    let opened: Vec<(&Kept, &Document)> =
        found.into_iter().filter_map(|kept| Some((kept, kept.content.as_ref().ok()?))).collect();
    match opened[..] {
        [] => Err(RestoreFailure::DoesNotOpen { generation }),
        [(kept, document)] => Ok(Found { kept, document, is_one_side }),
        _ => Err(RestoreFailure::SeveralOfGeneration { generation, sides: opened.into_iter().map(Side::of).collect() }),
    }
}

impl Side {
    fn of((kept, document): (&Kept, &Document)) -> Self {
        let meta = &document.meta;
        Self { file: kept.file.clone(), writer: meta.writer.clone(), written_at: meta.written_at }
    }
}

/// A profile that comes back.
struct Coming {
    name: ProfileName,
    restored: Restored,
    /// Of one that is there.
    settings: Vec<SettingChange>,
}

struct Source<'a> {
    found: Found<'a>,
    args: &'a Args,
    history: &'a [Kept],
    /// What stands says of its past.
    now: Meta,
}

/// The generation that is restored.
struct Found<'h> {
    kept: &'h Kept,
    document: &'h Document,
    /// Another file has the same number.
    is_one_side: bool,
}

impl Source<'_> {
    fn names(&self) -> Result<Vec<ProfileName>, Failure> {
        for name in &self.args.names {
            names_given::in_vault(self.found.document, name).map_err(|failure| self.not_in_generation(failure))?;
        }
        match self.args.names.as_slice() {
            [] => Ok(self.found.document.profiles.keys().cloned().collect()),
            named => Ok(named.to_vec()),
        }
    }

    fn not_in_generation(&self, failure: Failure) -> Failure {
        let generation = self.args.generation;
        match failure {
            Failure::UnknownProfile { name, suggestion, .. } => {
                RestoreFailure::NotInGeneration { generation, name, suggestion }.into()
            }
            other => other,
        }
    }

    /// Settings of the whole vault, which don't come back; none where profiles were named.
    fn staying(&self, now: &Document) -> Vec<SettingChange> {
        if !self.args.names.is_empty() {
            return Vec::new();
        }
        setting_change::of_vault(
            &Content::of(now).difference(&Content::of(self.found.document)),
            now,
            self.found.document,
        )
    }

    fn restored(&self, name: &ProfileName, document: &Document) -> Result<Restored, Failure> {
        let old =
            Earlier { generation: self.args.generation, profile: names_given::in_vault(self.found.document, name)? };
        let standing = document.profiles.get(name);
        let unfinished = |_| Failure::RotationUnfinished(name.clone());
        let restored = restored(old, standing, self.newest(name), self.args.with_keys).map_err(unfinished)?;
        if let (KeySource::Generation(_), Some(rival)) = (restored.key, rival(document, name, &restored.profile)) {
            return Err(Failure::RotationUnfinished(rival.clone()));
        }
        match restored.key {
            KeySource::Generation(of) if !self.args.with_keys => self.no_later_one_is_unread(of)?,
            _ => {}
        }
        Ok(restored)
    }

    /// A generation that the disk does not give may have a later key than `of`, whose key AWS may have retired since. One
    /// that is not of this vault has none: anybody who writes into the folder could forbid restoring with it.
    fn no_later_one_is_unread(&self, of: u64) -> Result<(), Failure> {
        let unread = |kept: &&Kept| kept.generation > of && matches!(kept.content, Err(KeptError::Io(_)));
        match self.history.iter().find(unread) {
            Some(kept) => Err(RestoreFailure::DoesNotOpen { generation: kept.generation }.into()),
            None => Ok(()),
        }
    }

    /// Of two files with one number, that from which came what stands now. Who named a side means the keys of that side.
    fn newest(&self, name: &ProfileName) -> Option<Earlier<'_>> {
        let is_meant = |kept: &&Kept| !self.found.is_one_side || kept.is_on_the_side_of(self.found.kept);
        let with_key = self.history.iter().filter(is_meant).filter_map(|kept| {
            let profile = kept.content.as_ref().ok()?.profiles.get(name)?;
            profile.access_key.as_ref()?;
            Some((kept, profile))
        });
        let newest = with_key.max_by_key(|(kept, _)| (kept.generation, kept.is_ancestor_of(&self.now)));
        newest.map(|(kept, profile)| Earlier { generation: kept.generation, profile })
    }

    /// A key that comes back must still be one.
    fn check(&self, restored: &Restored, world: &World) -> Result<(), Failure> {
        let brought_back = matches!(restored.key, KeySource::Generation(_)) && !self.args.no_verify;
        let key = restored.profile.access_key.as_ref().filter(|_| brought_back);
        let Some(key) = key.map(StoredAccessKey::access_key) else { return Ok(()) };
        key_check::check(&key, restored.profile.region.as_ref(), world).map(drop)
    }
}

fn say(args: &Args, Coming { name, restored, settings }: &Coming, world: &World) {
    let done = if args.dry_run { "would restore" } else { "restored" };
    let key = restored.profile.access_key.as_ref().map(|key| key.id.short()).unwrap_or_default();
    let key = match restored.key {
        KeySource::None => "it has no access key".to_owned(),
        KeySource::Standing => format!("its access key {key} stays"),
        KeySource::Generation(generation) => format!("with access key {key} of generation {generation}"),
    };
    world.say(&format!("{done} `{name}` from generation {}; {key}", args.generation));
    settings.iter().for_each(|change| world.say(&format!("  {}", report::difference::setting(change))));
}
