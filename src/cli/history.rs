//! `vault history`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::names::ProfileName;
use crate::store::document::{Document, Meta};

use super::escape::escape;
use super::failure::Failure;
use super::opening;
use super::table;
use super::world::World;

/// So many names stand in the table's cell; JSON has all.
const MOST_NAMES: usize = 4;

/// List the generations of the vault that are kept beside it
///
/// Each save keeps the file that it replaces: the last ten, and one a day for thirty days. `vault restore` brings profiles
/// back from them. A changed passphrase or a removed recipient deletes them.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One generation. Holds no secret.
struct Line {
    generation: u64,
    /// None for the vault itself.
    file: Option<String>,
    content: Result<Content, String>,
}

struct Content {
    meta: Meta,
    keys: Keys,
}

/// Profiles, and the access key of each.
type Keys = BTreeMap<ProfileName, Option<String>>;

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let standing =
        Line { generation: vault.version().generation, file: None, content: Ok(Content::of(vault.document())) };
    let kept = vault.history()?.into_iter().map(|kept| Line {
        generation: kept.generation,
        content: kept.content.as_ref().map(Content::of).map_err(ToString::to_string),
        file: Some(kept.file),
    });
    let lines: Vec<Line> = std::iter::once(standing).chain(kept).collect();
    let changes = |index: usize| changes(&lines[index], lines.get(index + 1));
    if args.json {
        let generations = lines.iter().enumerate().map(|(index, line)| line.json(changes(index)));
        return world.print_json(json!({ "generations": generations.collect::<Vec<_>>() }));
    }
    let rows = lines.iter().enumerate().map(|(index, line)| line.row(changes(index)));
    world.print(&table::render(&["GENERATION", "WRITTEN", "BY", "PROFILES", "CHANGES"], rows))?;
    if lines.len() == 1 {
        world.say("no earlier generation is kept beside the vault");
    }
    Ok(())
}

impl Content {
    fn of(document: &Document) -> Self {
        let key = |profile: &crate::store::document::Profile| profile.access_key.as_ref().map(|key| key.id.short());
        let keys = document.profiles.iter().map(|(name, profile)| (name.clone(), key(profile))).collect();
        Self { meta: document.meta.clone(), keys }
    }
}

/// What a generation changed: `+new`, `-gone`, `~another key`. Empty for the last, and where one of the two doesn't open.
fn changes(line: &Line, before: Option<&Line>) -> Vec<String> {
    let (Ok(now), Some(Line { content: Ok(before), .. })) = (&line.content, before) else { return Vec::new() };
    let new = now.keys.iter().filter_map(|(name, key)| match before.keys.get(name) {
        None => Some(format!("+{name}")),
        Some(other) if other != key => Some(format!("~{name}")),
        Some(_) => None,
    });
    let gone = before.keys.keys().filter(|name| !now.keys.contains_key(*name)).map(|name| format!("-{name}"));
    new.chain(gone).collect()
}

impl Line {
    fn row(&self, mut changes: Vec<String>) -> [String; 5] {
        let number = self.generation.to_string();
        let Content { meta, keys } = match &self.content {
            Ok(content) => content,
            Err(why) => return [number, "-".into(), "-".into(), "-".into(), format!("can't be read: {why}")],
        };
        let more = changes.len().saturating_sub(MOST_NAMES);
        changes.truncate(MOST_NAMES);
        if more > 0 {
            changes.push(format!("and {more} more"));
        }
        let changes = if changes.is_empty() { "-".to_owned() } else { changes.join(" ") };
        [number, meta.written_at.to_string(), meta.writer.clone(), keys.len().to_string(), changes]
    }

    fn json(&self, changes: Vec<String>) -> serde_json::Value {
        let content = self.content.as_ref();
        json!({
            "generation": self.generation, "file": self.file, "changes": changes,
            "written_at": content.ok().map(|content| content.meta.written_at),
            "writer": content.ok().map(|content| &content.meta.writer),
            "profiles": content.ok().map(|content| content.keys.len()),
            "error": content.err().map(|why| escape(why)),
        })
    }
}
