//! Words of `import`: what becomes of each profile, what is left behind, and why.

use std::path::Path;

use crate::aws::{AwsError, Refusal};
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::Failure;
use crate::cli::setting_change::{SettingChange, Values};
use crate::cli::settings::{OF_A_PROFILE, OF_THE_VAULT};
use crate::cli::world::World;
use crate::import::found::{Left, Origin, Source, Why};
use crate::import::plan::{Conflict, Row, Step};
use crate::names::ProfileName;

use super::history::finish_rotation;
use super::{Report, Status, aws, difference, internal};

pub fn report(failure: &Failure) -> Report {
    match failure {
        Failure::NothingToImport { places, beside_aws_vault } => {
            let nothing = Report::new(Status::State, format!("found no access key in {}", places.join(", ")));
            nothing.hint(match beside_aws_vault {
                true => "`vault import --from aws-vault` asks aws-vault for the keys that it has",
                false => "`vault import --help` names the other sources; `vault add NAME` asks for a key",
            })
        }
        Failure::NotFoundToImport(names) => {
            Report::new(Status::State, format!("found nothing called {}", listed(names.iter().map(AsRef::as_ref))))
                .hint("`vault import --dry-run` shows what there is")
        }
        Failure::KeysRefused { refused, imported } => {
            let refused = listed(refused.iter().map(String::as_str));
            Report::new(Status::AwsRefused, format!("{}; not imported: {refused}", so_far(*imported)))
                .hint("a key that AWS does not take opens nothing: take it out of its file by hand; `--no-verify` stores it all the same")
        }
        Failure::LeftOut { names, imported } => {
            let names = listed(names.iter().map(String::as_str));
            Report::new(Status::State, format!("{}; left out: {names}", so_far(*imported)))
        }
        Failure::AwsVault(error) => Report::new(Status::State, format!("aws-vault: {}", escape(&error.to_string())))
            .hint("`aws-vault list` must work in this shell; its file backend wants AWS_VAULT_FILE_PASSPHRASE set"),
        _ => internal(),
    }
}

fn so_far(imported: usize) -> String {
    match imported {
        0 => "nothing was imported".to_owned(),
        1 => "1 profile was imported".to_owned(),
        more => format!("{more} profiles were imported"),
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{}`", escape(name))).collect::<Vec<_>>().join(", ")
}

/// What a row of the plan says will happen. Goes through the table's or JSON's own escaping.
pub fn step(step: &Step) -> String {
    match step {
        Step::Add => "add".to_owned(),
        Step::Replace => "replace".to_owned(),
        Step::Present => "in the vault already".to_owned(),
        Step::Newer => "the newer key that AWS takes".to_owned(),
        Step::Conflict(Conflict::Taken) => "conflict: the vault has another key or role".to_owned(),
        Step::Conflict(Conflict::Rotating) => "conflict: a rotation of it is unfinished".to_owned(),
        Step::Conflict(Conflict::OtherUser) => "conflict: the vault has another user's key".to_owned(),
        Step::Conflict(Conflict::Sources) => "conflict: different keys".to_owned(),
        Step::Conflict(Conflict::Duplicate { line }) => format!("conflict: a second time in line {line}"),
        Step::Skip(Why::Session) => "skip: a session".to_owned(),
        Step::Skip(Why::Unclear) => "skip: not a whole access key".to_owned(),
        Step::Skip(Why::Name) => "skip: no name for a profile".to_owned(),
        Step::Skip(Why::NoSource(source)) => format!("skip: no profile `{source}` to sign in from"),
    }
}

/// Where something was found; for a table cell, so not escaped here.
pub fn origin(origin: &Origin, world: &World) -> String {
    match (&origin.path, &origin.section, origin.source) {
        (Some(path), None, Source::Csv) => world.paths.shown(path),
        (Some(path), Some(section), _) => format!("{} [{section}]", world.paths.shown(path)),
        (Some(path), None, _) => world.paths.shown(path),
        (None, _, source) => source.name().to_owned(),
    }
}

pub fn file(origin: &Origin, world: &World) -> String {
    origin.path.as_ref().map(|path| escape(&world.paths.shown(path))).unwrap_or_default()
}

pub fn question(changes: usize, removes: bool, world: &World) -> String {
    let profiles = if changes == 1 { "1 profile".to_owned() } else { format!("{changes} profiles") };
    let into = world.vault_shown();
    match (changes, removes) {
        (0, _) => format!("Remove from these files the keys that {into} has?"),
        (_, false) => format!("Import {profiles} into {into}?"),
        (_, true) => format!("Import {profiles} into {into}, and then remove the keys from these files?"),
    }
}

/// Why a key is not for the vault; None for a failure that says nothing about the key.
pub fn refusal(failure: &Failure) -> Option<String> {
    match failure {
        Failure::KeyCheck {
            error: AwsError::Refused { refusal: Refusal::Unavailable | Refusal::Throttled, .. },
            ..
        } => None,
        Failure::KeyCheck { error: error @ AwsError::Refused { .. }, id } => Some(aws::key_refusal(error, id).message),
        Failure::NotAUsersKey { arn } => Some(format!("it belongs to `{}`, which is no IAM user", escape(arn))),
        _ => None,
    }
}

pub fn say_refused(world: &World, name: &str, why: &str) {
    world.warn(&format!("`{}` is not imported: {why}", escape(name)));
}

pub fn say_kept(world: &World, name: &str) {
    world.say(&format!(
        "`{}` keeps the vault's own key: AWS does not take the other one, or that is older",
        escape(name)
    ));
}

pub fn say_twins(world: &World, one: &str, other: &str) {
    let (one, other) = (escape(one), escape(other));
    world.warn(&format!("`{one}` and `{other}` are the same access key; a rotation replaces it in both"));
}

pub fn say_choose_device(world: &World, name: &ProfileName, choices: &[String]) {
    match choices {
        [_] => world.warn(&format!("`{name}`: its user may not list its MFA devices; none is stored")),
        _ => world.warn(&format!("`{name}`: its user has several MFA devices; none is stored")),
    }
    for serial in choices {
        world.hint(&format!("vault set {name} mfa_serial={}", escape(serial)));
    }
}

pub fn say_conflict(world: &World, row: &Row, conflict: &Conflict) {
    let name = escape(&row.name);
    let from: Vec<String> = row.origins.iter().map(|it| escape(&origin(it, world))).collect();
    let (what, hint) = match conflict {
        Conflict::Taken | Conflict::OtherUser => {
            ("the vault has another key or role under this name", format!("vault import {name} --replace"))
        }
        Conflict::Rotating => ("a rotation of it is unfinished", finish_rotation(&name)),
        Conflict::Sources => {
            ("these sources have different keys", "choose one by `--from`, `--csv` or `--vault`".into())
        }
        Conflict::Duplicate { .. } => ("the section or a key in it stands there twice", "correct that file".into()),
    };
    world.warn(&format!("`{name}` ({}): {what}", from.join(", ")));
    world.hint(&hint);
}

/// The value of a command is not shown: it may hold a secret, and a line to copy is one that nobody reads.
pub fn say_left(world: &World, left: &Left) {
    let place = match (left.origin.line, &left.origin.path) {
        (Some(line), Some(path)) => format!("{}:{line}", escape(&world.paths.shown(path))),
        (None, Some(path)) => escape(&world.paths.shown(path)),
        _ => left.origin.source.name().to_owned(),
    };
    let of = left.profile.as_ref().map(|name| format!(" of `{}`", escape(name))).unwrap_or_default();
    let values = values(left).filter(|values| values.from.is_some()).map(|values| {
        let (here, there) = difference::both(&values);
        format!(": {there} there, {here} here")
    });
    let setting = escape(&left.setting);
    world.say(&format!("not imported: {setting}{of} ({place}){}", values.unwrap_or_default()));
    let name = left.profile.as_deref().map(escape).unwrap_or_default();
    let value = left.value.as_deref().map(|value| escape(&shell_words::quote(value)));
    match (&*left.setting, &left.profile, value) {
        ("credential_process", Some(_), _) => {
            world.hint(&format!(
                "AWS tools ask that for it still; `vault configure {name} --replace` has them ask this vault"
            ));
        }
        ("rotation", Some(_), Some(state)) if state == "retired" => {
            world.hint("its old key is off, and that vault deletes it when the grace is over");
        }
        ("rotation", Some(_), _) => {
            world.hint(&format!(
                "it is not over, and that vault alone can finish it: there, `vault rotate {name} --resume`"
            ));
        }
        ("mfa_process" | "rotate_hook", Some(_), _) => {
            world.hint(&format!("if it is yours: vault set {name} {setting}='COMMAND'"));
        }
        ("endpoint_url" | "rotate_every" | "grace" | "rotate_on_login" | "mfa_max_age", Some(_), Some(value)) => {
            world.hint(&format!("if it is yours: vault set {name} {setting}={value}"));
        }
        (_, Some(_), Some(value)) if values_are_shown(left) => {
            world.hint(&format!("vault set {name} {setting}={value}"));
        }
        ("region" | "mfa_serial", Some(_), _) => {
            world.hint(&format!("its value can't be used: vault set {name} {setting}=VALUE"));
        }
        (_, None, Some(value)) if values_are_shown(left) => {
            world.hint(&format!("vault set --vault {setting}={value}"));
        }
        _ => {}
    }
}

/// Of another vault's settings that this version knows; a command may hold a secret, and so may what is not known.
fn values_are_shown(left: &Left) -> bool {
    let known = match left.profile {
        Some(_) => OF_A_PROFILE.iter().any(|setting| setting.name == left.setting),
        None => OF_THE_VAULT.iter().any(|setting| setting.name == left.setting),
    };
    known && left.origin.source == Source::Vault && !is_command(&left.setting)
}

fn is_command(setting: &str) -> bool {
    ["mfa_process", "rotate_hook"].contains(&setting)
}

/// From what the vault has to what would be imported.
pub fn values(left: &Left) -> Option<Values> {
    values_are_shown(left).then(|| Values { from: left.here.clone(), to: left.value.clone() })
}

/// A profile that is replaced loses its commands, and gets none: that they go is all there is to tell.
pub fn without_commands(change: SettingChange) -> SettingChange {
    let values = change.values.filter(|_| !is_command(&change.setting));
    SettingChange { values, ..change }
}

pub fn say_replaced(world: &World, change: &SettingChange) {
    world.say(&format!("would change: {}", difference::setting(change)));
}

pub fn say_still_there(world: &World, files: &[String]) {
    world.warn(&format!("the keys still lie in plaintext in {}", files.join(", ")));
    world.hint("the same command with `--remove` takes them out");
}

pub fn say_kept_by_aws_vault(world: &World, name: &str) {
    world.warn(&format!("aws-vault has the key of `{}` still", escape(name)));
    world.hint(&format!("`aws-vault remove {}` takes it out there", escape(&shell_words::quote(name))));
}

pub fn say_removed(world: &World, path: &Path, section: &str) {
    world.say(&format!("removed the key from {}, section [{}]", escape(&world.paths.shown(path)), escape(section)));
}

pub fn say_removed_file(world: &World, path: &Path) {
    world.say(&format!("removed {}", shown_path(path)));
}

pub fn say_not_removed(world: &World, path: &Path) {
    world.warn(&format!(
        "{} stays: it changed meanwhile, or holds keys that the vault has not",
        escape(&world.paths.shown(path))
    ));
}

pub fn say_copies(world: &World, histories: &[std::path::PathBuf]) {
    world.warn(
        "copies may be in backups, sync history, shell history and editors' swap files; a key that was copied works \
         until it is replaced at AWS",
    );
    for tree in histories {
        world.hint(&format!("git -C {} log --all -p -S aws_secret_access_key", shown_path(tree)));
    }
}
