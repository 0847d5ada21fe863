//! `vault history`.

use serde_json::{Value, json};

use crate::store::difference::{Change, Content, Difference};
use crate::store::document::{Document, Meta};
use crate::store::history::Kept;

use super::escape::escape;
use super::failure::Failure;
use super::opening;
use super::report;
use super::report::point_in_time::second;
use super::setting_change::{self, SettingChange};
use super::table;
use super::world::World;

/// So many names stand in a cell of the table, and so many settings beside each of them; JSON has all.
const MOST_NAMES: usize = 4;
const MOST_SETTINGS: usize = 3;

const HEADINGS: [&str; 6] = ["GENERATION", "WRITTEN", "BY", "PROFILES", "CHANGES", "UNLIKE NOW"];

/// List the generations of the vault that are kept beside it
///
/// Each save keeps the file that it replaces: the last ten, and one a day for thirty days. `vault restore` brings profiles
/// back from them. A changed passphrase or a removed recipient deletes them.
///
/// CHANGES is what a generation made of the one before, and UNLIKE NOW what it has otherwise than the vault as it is:
/// `+prod` a profile that is there, `-prod` one that is not, `~prod` one with another access key, `~prod(region)` with other
/// settings, and without a name what is of the whole vault: `~(grace)`, `+(recipient:usb)`.
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
    content: Result<Told, String>,
}

/// What is told of a generation that opens.
struct Told {
    meta: Meta,
    profiles: usize,
    /// From the one before; empty for the oldest, and where that does not open.
    changes: Difference,
    /// From the vault as it is.
    unlike_now: Difference,
    /// The settings in that, with both values.
    settings: Vec<SettingChange>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let kept = vault.history()?;
    let lines = lines(vault.document(), vault.version().generation, kept);
    if args.json {
        let generations: Vec<Value> = lines.iter().map(Line::json).collect();
        return world.print_json(json!({ "generations": generations }));
    }
    world.print(&table::render(&HEADINGS, lines.iter().map(Line::row)))?;
    if lines.len() == 1 {
        world.say("no earlier generation is kept beside the vault");
    }
    Ok(())
}

/// The newest first. From the oldest on, so that of each the content is made once and forgotten after the next.
fn lines(now: &Document, generation: u64, kept: Vec<Kept>) -> Vec<Line> {
    let standing = Standing { document: now, content: Content::of(now) };
    let mut before = None;
    let mut lines = Vec::new();
    for Kept { generation, file, content, .. } in kept.into_iter().rev() {
        let read = content.map(|document| (Content::of(&document), document)).map_err(|why| why.to_string());
        let told = |(content, document): &(Content, Document)| standing.told(document, content, before.as_ref());
        lines.push(Line { generation, file: Some(file), content: read.as_ref().map(told).map_err(String::clone) });
        before = read.ok().map(|(content, _)| content);
    }
    let content = Ok(standing.told(now, &standing.content, before.as_ref()));
    lines.push(Line { generation, file: None, content });
    lines.reverse();
    lines
}

/// The vault as it is.
struct Standing<'d> {
    document: &'d Document,
    content: Content,
}

impl Standing<'_> {
    fn told(&self, document: &Document, content: &Content, before: Option<&Content>) -> Told {
        let unlike_now = self.content.difference(content);
        Told {
            meta: document.meta.clone(),
            profiles: document.profiles.len(),
            changes: before.map(|before| before.difference(content)).unwrap_or_default(),
            settings: setting_change::between(&unlike_now, self.document, document),
            unlike_now,
        }
    }
}

impl Line {
    fn row(&self) -> [String; 6] {
        let number = self.generation.to_string();
        let told = match &self.content {
            Ok(told) => told,
            Err(why) => {
                return [number, "-".into(), "-".into(), "-".into(), format!("can't be read: {why}"), String::new()];
            }
        };
        let written_at = second(told.meta.written_at);
        let (changes, unlike_now) = (cell(&told.changes), cell(&told.unlike_now));
        [number, written_at, told.meta.writer.clone(), told.profiles.to_string(), changes, unlike_now]
    }

    fn json(&self) -> Value {
        let told = self.content.as_ref().ok();
        let marks = |difference: fn(&Told) -> &Difference| {
            told.map(|told| marks(difference(told), usize::MAX)).unwrap_or_default()
        };
        let setting = |change| report::difference::json(change, ["now", "then"]);
        let settings: Option<Vec<Value>> = told.map(|told| told.settings.iter().map(setting).collect());
        json!({
            "generation": self.generation, "file": self.file,
            "changes": marks(|told| &told.changes),
            "unlike_now": marks(|told| &told.unlike_now),
            "settings_unlike_now": settings,
            "written_at": told.map(|told| told.meta.written_at),
            "writer": told.map(|told| &told.meta.writer),
            "profiles": told.map(|told| told.profiles),
            "error": self.content.as_ref().err().map(|why| escape(why)),
        })
    }
}

fn cell(difference: &Difference) -> String {
    let mut marks = marks(difference, MOST_SETTINGS);
    let more = marks.len().saturating_sub(MOST_NAMES);
    marks.truncate(MOST_NAMES);
    if more > 0 {
        marks.push(format!("and {more} more"));
    }
    if marks.is_empty() { "-".to_owned() } else { marks.join(" ") }
}

/// No profile's name has a parenthesis in it.
fn marks(difference: &Difference, most: usize) -> Vec<String> {
    let profiles = difference.profiles.iter().flat_map(|(name, change)| marks_of(name.as_str(), change, most));
    let recipients = difference.recipients.iter().map(|(name, change)| match change {
        Change::Added => format!("+(recipient:{name})"),
        Change::Removed => format!("-(recipient:{name})"),
        Change::Changed { .. } => format!("~(recipient:{name})"),
    });
    let of_vault = (!difference.settings.is_empty()).then(|| with_settings("", &difference.settings, most));
    profiles.chain(recipients).chain(of_vault).collect()
}

fn marks_of(name: &str, change: &Change, most: usize) -> Vec<String> {
    match change {
        Change::Added => vec![format!("+{name}")],
        Change::Removed => vec![format!("-{name}")],
        Change::Changed { key, settings } => {
            let key = key.then(|| format!("~{name}"));
            key.into_iter().chain((!settings.is_empty()).then(|| with_settings(name, settings, most))).collect()
        }
    }
}

fn with_settings(name: &str, settings: &[String], most: usize) -> String {
    let more = if settings.len() > most { ",..." } else { "" };
    format!("~{name}({}{more})", settings[..settings.len().min(most)].join(","))
}
