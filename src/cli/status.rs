//! `vault status`.

use jiff::Timestamp;
use serde_json::json;

use crate::duration;
use crate::names::ProfileName;
use crate::session::Record;
use crate::store::document::Document;

use super::expired;
use super::failure::Failure;
use super::last_run;
use super::opening;
use super::report::left;
use super::session_records;
use super::table;
use super::world::World;

/// Show keys with their age, sessions with the time they have left, and the vault's generation
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One profile's line. Holds no secret.
struct Line {
    name: ProfileName,
    access_key: Option<String>,
    /// When the key came into the vault.
    key_added: Option<Timestamp>,
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
    let lines = lines(document, &sessions, now);
    if args.json {
        return world.print_json(json!({
            "vault": world.paths.vault.display().to_string(),
            "fingerprint": vault.fingerprint().to_string(),
            "generation": document.meta.generation,
            "written_at": document.meta.written_at,
            "writer": document.meta.writer,
            "profiles": lines.iter().map(Line::json).collect::<Vec<_>>(),
        }));
    }
    world.say(&format!("vault {}, generation {}", world.vault_shown(), document.meta.generation));
    world.say(&format!("fingerprint {}", vault.fingerprint()));
    if lines.is_empty() {
        world.say("it is empty; next: vault add NAME");
        return Ok(());
    }
    world.print(&table::render(
        &["NAME", "ACCESS KEY", "IN THE VAULT FOR", "SESSION"],
        lines.into_iter().map(|line| line.row(now)),
    ))
}

/// The vault's profiles, and those of the config file that have a session.
fn lines(document: &Document, sessions: &[Record], now: Timestamp) -> Vec<Line> {
    let mut names: Vec<ProfileName> = document.profiles.keys().cloned().collect();
    names.extend(sessions.iter().map(|record| record.slot().profile.clone()));
    names.sort();
    names.dedup();
    let line = |name: ProfileName| {
        let key = document.profiles.get(&name).and_then(|profile| profile.access_key.as_ref());
        let expirations =
            sessions.iter().filter(|record| record.slot().profile == name).map(|record| record.lifetime().expires);
        Line {
            access_key: key.map(|key| key.id.short()),
            key_added: key.map(|key| key.added),
            session_expires: expirations.filter(|expires| *expires > now).max(),
            name,
        }
    };
    names.into_iter().map(line).collect()
}

impl Line {
    fn row(self, now: Timestamp) -> [String; 4] {
        let age = self.key_added.map(|added| duration::words(left(now, added)));
        let session = self.session_expires.map(|expires| format!("{} left", duration::words(left(expires, now))));
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        [self.name.to_string(), or_dash(self.access_key), or_dash(age), or_dash(session)]
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.name, "access_key": self.access_key, "key_added": self.key_added,
            "session_expires": self.session_expires,
        })
    }
}
