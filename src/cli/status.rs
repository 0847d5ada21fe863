//! `vault status`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::duration;
use crate::names::ProfileName;
use crate::rotate::due::{KeyDue, due};
use crate::session::Record;
use crate::store::document::Document;

use super::expired;
use super::failure::Failure;
use super::last_run;
use super::opening;
use super::report::{due as words, left};
use super::session_records;
use super::table;
use super::world::World;

/// Show keys with their age and when they are due, sessions with the time they have left, and the vault's generation
#[derive(clap::Args)]
pub struct Args {
    /// Show only profiles whose key is due, or whose rotation waits for somebody; exit with 1 if there are any
    #[arg(long)]
    due: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One profile's line. Holds no secret.
struct Line<'a> {
    name: ProfileName,
    key: Option<&'a KeyDue>,
    /// When the key came into the vault, and when AWS made it.
    key_added: Option<Timestamp>,
    key_created: Option<Timestamp>,
    session_expires: Option<Timestamp>,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let document = vault.document();
    let sessions = session_records::cache(world, document)?.list();
    if let Some(newest) = sessions.iter().max_by_key(|record| record.made_at) {
        expired::sweep(world, newest);
    }
    last_run::warn(world);
    let now = world.clock.now();
    let keys = due(document);
    let mut lines = lines(document, &sessions, &keys, now);
    if args.due {
        lines.retain(|line| line.is_due(now));
    }
    if args.json {
        world.print_json(json!({
            "vault": world.paths.vault.display().to_string(),
            "fingerprint": vault.fingerprint().to_string(),
            "generation": document.meta.generation,
            "written_at": document.meta.written_at,
            "writer": document.meta.writer,
            "profiles": lines.iter().map(|line| line.json(now)).collect::<Vec<_>>(),
        }))?;
        return end(&args, &lines);
    }
    world.say(&format!("vault {}, generation {}", world.vault_shown(), document.meta.generation));
    world.say(&format!("fingerprint {}", vault.fingerprint()));
    if lines.is_empty() {
        world.say(if args.due { "no key is due" } else { "it is empty; next: vault add NAME" });
        return Ok(());
    }
    world.print(&table::render(
        &["NAME", "ACCESS KEY", "KEY AGE", "SESSION", "ROTATION"],
        lines.iter().map(|line| line.row(now)),
    ))?;
    end(&args, &lines)
}

/// A report that finds something is a failure for who asked whether there is anything.
fn end(args: &Args, lines: &[Line]) -> Result<(), Failure> {
    if !args.due || lines.is_empty() {
        return Ok(());
    }
    Err(Failure::KeysDue(lines.iter().map(|line| line.name.clone()).collect()))
}

/// The vault's profiles, and those of the config file that have a session.
fn lines<'a>(document: &Document, sessions: &[Record], keys: &'a [KeyDue], now: Timestamp) -> Vec<Line<'a>> {
    let mut names: Vec<ProfileName> = document.profiles.keys().cloned().collect();
    names.extend(sessions.iter().map(|record| record.slot().profile.clone()));
    names.sort();
    names.dedup();
    let of_profiles: BTreeMap<&ProfileName, &KeyDue> =
        keys.iter().flat_map(|key| key.profiles.iter().map(move |name| (name, key))).collect();
    let living = sessions.iter().map(|record| (&record.slot().profile, record.lifetime().expires));
    let mut last: BTreeMap<&ProfileName, Timestamp> = BTreeMap::new();
    for (name, expires) in living.filter(|(_, expires)| *expires > now) {
        last.entry(name).and_modify(|known| *known = expires.max(*known)).or_insert(expires);
    }
    let line = |name: ProfileName| {
        let stored = document.profiles.get(&name).and_then(|profile| profile.access_key.as_ref());
        Line {
            key: of_profiles.get(&name).copied(),
            key_added: stored.map(|key| key.added),
            key_created: stored.and_then(|key| key.created),
            session_expires: last.get(&name).copied(),
            name,
        }
    };
    names.into_iter().map(line).collect()
}

impl Line<'_> {
    fn is_due(&self, now: Timestamp) -> bool {
        self.key.is_some_and(|key| key.is_due(now))
    }

    fn row(&self, now: Timestamp) -> [String; 5] {
        let key = self.key.map(|key| key.key.short());
        let age = self.key.map(|key| words::age(key, now));
        let session = self.session_expires.map(|expires| format!("{} left", duration::words(left(expires, now))));
        let next = self.key.and_then(|key| words::next_and_how(key, now));
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        [self.name.to_string(), or_dash(key), or_dash(age), or_dash(session), or_dash(next)]
    }

    fn json(&self, now: Timestamp) -> serde_json::Value {
        let pending = self.key.and_then(|key| key.pending.as_ref());
        json!({
            "name": self.name, "access_key": self.key.map(|key| key.key.short()),
            "key_added": self.key_added, "key_created": self.key_created,
            "key_age_seconds": self.key.map(|key| key.age(now).as_secs()),
            "rotate_every_seconds": self.key.and_then(|key| key.limit.as_ref().map(Duration::as_secs)),
            "due_at": self.key.and_then(KeyDue::due_at), "due": self.is_due(now),
            "rotation": pending.map(words::pending_json),
            "session_expires": self.session_expires,
        })
    }
}
