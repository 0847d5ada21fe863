//! `vault keys list`.

use jiff::Timestamp;
use serde_json::json;

use super::UserKeys;
use crate::aws::{KeyStatus, KeyUse, ListedKey};
use crate::cli::failure::Failure;
use crate::cli::report::point_in_time::day;
use crate::cli::report::{self, left};
use crate::cli::sign_in::{ChangeArgs, Purpose};
use crate::cli::table;
use crate::cli::world::World;
use crate::duration;
use crate::names::ProfileName;
use crate::rotate::held::{Held, Part};

#[derive(clap::Args)]
pub struct ListArgs {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    signing: ChangeArgs,
}

pub fn list(args: ListArgs, world: &World) -> Result<(), Failure> {
    let user_keys = UserKeys::read(args.name, &args.signing.into(), Purpose::Inside, world)?;
    let keys: Vec<(&ListedKey, KeyUse)> = user_keys.keys.iter().map(|key| (key, last_use(&user_keys, key))).collect();
    let now = world.clock.now();
    if args.json {
        let keys: Vec<_> = keys.iter().map(|(key, used)| key_json(&user_keys, key, used, now)).collect();
        return world.print_json(json!({
            "name": user_keys.profile, "account": user_keys.account, "user": user_keys.user, "keys": keys,
        }));
    }
    let rows = keys.iter().map(|(key, used)| row(&user_keys, key, used, now));
    world.print(&table::render(&["ACCESS KEY", "STATUS", "CREATED", "AGE", "LAST USED", "IN THE VAULT"], rows))?;
    user_keys.gone().for_each(|(key, profile)| report::key_of_rotation_gone(world, key, profile));
    Ok(())
}

/// A list without it is better than none.
fn last_use(user_keys: &UserKeys, key: &ListedKey) -> KeyUse {
    match user_keys.access.aws.access_key_last_use(&user_keys.access.signer(), &key.id) {
        Err(_) => KeyUse::Unknown,
        Ok(None) => KeyUse::Never,
        Ok(Some(last)) => KeyUse::Last(last),
    }
}

fn row(user_keys: &UserKeys, key: &ListedKey, used: &KeyUse, now: Timestamp) -> [String; 6] {
    let used = match used {
        KeyUse::Unknown => "use unknown".to_owned(),
        KeyUse::Never => "never".to_owned(),
        KeyUse::Last(last) => format!("{}, {} in {}", day(last.at), last.service, last.region),
    };
    let profiles: Vec<&str> = user_keys.profiles_with(&key.id).iter().map(ProfileName::as_str).collect();
    let part = user_keys.in_rotation.get(&key.id).filter(|held| held.part != Part::Current).and_then(part_words);
    let profiles = match (profiles.join(", "), part) {
        (profiles, None) if profiles.is_empty() => "-".to_owned(),
        (profiles, None) => profiles,
        (profiles, Some(part)) if profiles.is_empty() => part,
        (profiles, Some(part)) => format!("{profiles}; {part}"),
    };
    let age = duration::words(left(now, key.created));
    [key.id.short(), status(key.status).to_owned(), day(key.created), age, used, profiles]
}

/// What the key is in a rotation that is not over; nothing of one that can't be read.
fn part(held: &Held) -> Option<(&'static str, Option<Timestamp>)> {
    match held.part {
        Part::Current => Some(("current", None)),
        Part::New => Some(("new", None)),
        Part::Old { until } => Some(("old", until)),
        Part::GivenBack { until } => Some(("given-back", until)),
        Part::Unreadable => None,
    }
}

fn part_words(held: &Held) -> Option<String> {
    let (part, until) = part(held)?;
    let until = until.map(|until| format!(" until {}", day(until))).unwrap_or_default();
    Some(match held.part {
        Part::GivenBack { .. } => format!("the newer key of `{}`, given back; kept{until}", held.profile),
        _ => format!("the {part} key of `{}`{until}", held.profile),
    })
}

fn part_json(held: &Held) -> serde_json::Value {
    let (part, until) = part(held).unwrap_or(("unknown", None));
    json!({ "profile": held.profile, "part": part, "until": until })
}

fn status(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "active",
        KeyStatus::Inactive => "inactive",
    }
}

fn key_json(user_keys: &UserKeys, key: &ListedKey, used: &KeyUse, now: Timestamp) -> serde_json::Value {
    let last = match used {
        KeyUse::Last(last) => json!({ "at": last.at, "service": last.service, "region": last.region }),
        KeyUse::Unknown | KeyUse::Never => serde_json::Value::Null,
    };
    json!({
        "access_key_id": key.id, "status": status(key.status), "created": key.created,
        "age_seconds": left(now, key.created).as_secs(), "use_known": !matches!(used, KeyUse::Unknown), "last_used": last,
        "profiles": user_keys.profiles_with(&key.id), "rotation": user_keys.in_rotation.get(&key.id).map(part_json),
    })
}
