//! Where each value of a profile comes from: a variable, the vault, a line of `~/.aws/config`, or what holds where none of them
//! says anything.

use serde_json::json;

use crate::aws_files::config::{ConfigFile, DURATIONS};
use crate::cli::failure::Failure;
use crate::cli::names_given;
use crate::cli::settings;
use crate::cli::table;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::session::{Origin, ROLE_DEFAULT, Sources, USER_DEFAULT};
use crate::store::document::{Document, Profile, Settings};

/// What a user profile in the vault takes from the config file; whoever can write there must not point its key anywhere.
const OF_A_USER: [&str; 5] = ["region", "output", DURATIONS[0], DURATIONS[1], DURATIONS[2]];

/// Of the whole vault, for users that say nothing else.
const OF_ALL_USERS: [&str; 3] = ["rotate_every", "grace", "rotate_on_login"];

/// What no profile takes from the config file: commands and places come from the vault alone.
const OF_THE_VAULT_ALONE: [&str; 2] = ["mfa_process", "endpoint_url"];

struct Row {
    key: &'static str,
    value: String,
    from: From,
    /// Why it does not count; None where it does.
    unused: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum From {
    Variable(&'static str),
    Place(Origin),
}

pub fn show(
    name: &ProfileName,
    document: &Document,
    config: &ConfigFile,
    json: bool,
    world: &World,
) -> Result<(), Failure> {
    let rows = rows(name, document, config, world)?;
    if json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        return world.print_json(json!({ "name": name, "settings": rows }));
    }
    let path = world.paths.shown(&world.paths.aws_config);
    world.print(&table::render(&["KEY", "VALUE", "FROM"], rows.into_iter().map(|row| row.cells(&path))))
}

fn rows(name: &ProfileName, document: &Document, config: &ConfigFile, world: &World) -> Result<Vec<Row>, Failure> {
    let sources = Sources::new(document, config);
    let merged = sources.profile(name)?.ok_or_else(|| names_given::known_nowhere(name, document, config))?;
    let mut rows = of_variables(world)?;
    let is_user = merged.vault.is_some_and(|profile| profile.access_key.is_some());
    rows.extend(merged.vault.into_iter().flat_map(of_the_vault));
    let lines = merged.config.into_iter().flat_map(|section| section.settings());
    let mut lines: Vec<_> = lines.filter_map(|(key, text, line)| Some((key, text?.to_owned(), line))).collect();
    // The spelling that counts goes before the others, wherever it stands.
    lines.sort_by_key(|(key, _, line)| (DURATIONS.iter().position(|spelling| spelling == key), *line));
    for (key, value, line) in lines {
        let from = From::Place(Origin::Config { line });
        rows.push(Row { key, value, from, unused: unused(key, is_user) });
    }
    rows.push(duration(is_user, &sources));
    rows.extend(is_user.then(|| of_all_users(&document.settings)).into_iter().flatten());
    Ok(outdone(rows))
}

/// As for the AWS tools, a region that the environment names goes before the profile's.
fn of_variables(world: &World) -> Result<Vec<Row>, Failure> {
    let Some(region) = settings::named_region(world)? else { return Ok(Vec::new()) };
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find(|name| world.environment.text(name).is_some());
    let from = From::Variable(named.unwrap_or("AWS_REGION"));
    Ok(vec![Row { key: "region", value: region.to_string(), from, unused: None }])
}

fn of_the_vault(profile: &Profile) -> impl Iterator<Item = Row> {
    let from = From::Place(Origin::Vault);
    let settings = settings::OF_A_PROFILE.iter().filter_map(|setting| Some((setting.name, (setting.get)(profile)?)));
    let key = profile.access_key.as_ref().map(|key| ("access_key", key.id.to_string()));
    settings.chain(key).map(move |(key, value)| Row { key, value, from, unused: None })
}

fn of_all_users(vault: &Settings) -> impl Iterator<Item = Row> {
    let known = settings::OF_THE_VAULT.iter().filter(|setting| OF_ALL_USERS.contains(&setting.name));
    let said = known.filter_map(|setting| Some((setting.name, (setting.get)(vault)?)));
    said.map(|(key, value)| Row { key, value, from: From::Place(Origin::Setting), unused: None })
}

fn unused(key: &str, is_user: bool) -> Option<&'static str> {
    if is_user && !OF_A_USER.contains(&key) {
        return Some("a key in the vault takes none from there");
    }
    OF_THE_VAULT_ALONE.contains(&key).then_some("taken from the vault alone")
}

/// How long a session lasts where the profile does not say.
fn duration(is_user: bool, sources: &Sources) -> Row {
    let default = if is_user { USER_DEFAULT } else { ROLE_DEFAULT };
    let of_the_vault = sources.session_duration().filter(|_| is_user).map(|duration| (duration.value, duration.origin));
    let (length, origin) = of_the_vault.unwrap_or((default, Origin::Default));
    Row { key: DURATIONS[0], value: length.as_secs().to_string(), from: From::Place(origin), unused: None }
}

/// Of several values for one setting the first counts.
fn outdone(rows: Vec<Row>) -> Vec<Row> {
    let mut kept: Vec<Row> = Vec::new();
    for mut row in rows {
        let counts = kept.iter().any(|other| other.unused.is_none() && other.setting() == row.setting());
        if counts && matches!(row.from, From::Place(Origin::Default | Origin::Setting)) {
            continue;
        }
        if counts && row.unused.is_none() {
            row.unused = Some("another goes before it");
        }
        kept.push(row);
    }
    kept.sort_by_key(Row::setting);
    kept
}

impl Row {
    fn setting(&self) -> &'static str {
        if DURATIONS.contains(&self.key) { DURATIONS[0] } else { self.key }
    }

    fn cells(self, config: &str) -> [String; 3] {
        let from = match self.from {
            From::Variable(name) => name.to_owned(),
            From::Place(Origin::Config { line }) => format!("{config}:{line}"),
            From::Place(Origin::Vault) => "vault".to_owned(),
            From::Place(Origin::Setting) => "vault, for all profiles".to_owned(),
            From::Place(Origin::Default | Origin::Flag) => "default".to_owned(),
        };
        let from = self.unused.map_or(from.clone(), |why| format!("{from} (not used: {why})"));
        [self.key.to_owned(), self.value, from]
    }

    fn json(&self) -> serde_json::Value {
        let (from, line) = match self.from {
            From::Variable(name) => (name, None),
            From::Place(Origin::Config { line }) => ("config", Some(line)),
            From::Place(Origin::Vault) => ("vault", None),
            From::Place(Origin::Setting) => ("setting", None),
            From::Place(Origin::Default | Origin::Flag) => ("default", None),
        };
        json!({ "key": self.key, "value": self.value, "from": from, "line": line, "used": self.unused.is_none() })
    }
}
