//! Words about earlier generations, and what stands in the way of restoring one.

use crate::cli::escape::escape;
use crate::cli::restore::{RestoreFailure, Side};
use crate::cli::setting_change::SettingChange;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::store::history::HistoryError;

use super::point_in_time::second;
use super::{Report, Status, difference};

pub fn unknown(error: &HistoryError) -> Report {
    state(format!("can't tell which earlier generations there are: {error}"))
        .hint("nothing was changed; look at the folder of the vault, and try again")
}

pub fn not_restored(failure: &RestoreFailure) -> Report {
    match failure {
        RestoreFailure::NoSuchGeneration { generation, kept } if kept.is_empty() => {
            state(format!("generation {generation} is not kept beside the vault, and no other is"))
        }
        RestoreFailure::NoSuchGeneration { generation, .. } => {
            state(format!("generation {generation} is not kept beside the vault"))
                .hint("`vault history` lists those that are")
        }
        RestoreFailure::SeveralOfGeneration { generation, sides } => {
            let count = sides.len();
            let sides: Vec<String> = sides.iter().map(side).collect();
            state(format!(
                "{count} files of generation {generation} are kept: the vault was changed in two places at once"
            ))
            .hint(format!("`vault restore {generation} --file FILE` takes one of them: {}", sides.join(", ")))
        }
        RestoreFailure::NoSuchFile { generation, file } => {
            state(format!("{} is not a file of generation {generation} that is kept beside the vault", escape(file)))
                .hint("`vault history --json` names the files")
        }
        RestoreFailure::DoesNotOpen { generation } => {
            Report::new(Status::NotTrusted, format!("generation {generation} can't be read, or is not of this vault"))
                .hint("`vault history` says why")
        }
        RestoreFailure::NotInGeneration { generation, name, suggestion } => {
            let meant = suggestion.as_ref().map(|meant| format!("; did you mean `{}`?", escape(meant)));
            let message = format!("generation {generation} has no profile `{name}`{}", meant.unwrap_or_default());
            state(message).hint("`vault history` shows in which generation profiles came and went")
        }
        RestoreFailure::KeysRefused { names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            Report::new(Status::AwsRefused, format!("AWS does not take the access keys of {}", names.join(", ")))
                .hint("`--with-keys` takes those of the generation named; `--no-verify` does not ask AWS")
        }
    }
}

fn side(Side { file, writer, written_at }: &Side) -> String {
    format!("{} ({} by {})", escape(&shell_words::quote(file)), second(*written_at), escape(writer))
}

pub fn rotation_unfinished(name: &ProfileName) -> Report {
    state(format!("a rotation of `{name}` is unfinished; its keys can't be changed or taken away now"))
        .hint(finish_rotation(name.as_str()))
}

fn state(message: String) -> Report {
    Report::new(Status::State, message)
}

/// A setting of the whole vault: only profiles come back.
pub fn say_not_restored(world: &World, generation: u64, change: &SettingChange) {
    let what = difference::named(change);
    let Some(values) = &change.values else {
        world.say(&format!("not restored: {what}, which was otherwise in generation {generation}"));
        return;
    };
    let (now, then) = difference::both(values);
    world.say(&format!("not restored: {what}: {then} in generation {generation}, {now} now"));
    let setting = &change.setting;
    match &values.to {
        Some(value) => world.hint(&format!("vault set --vault {setting}={}", escape(&shell_words::quote(value)))),
        None => world.hint(&format!("vault unset --vault {setting}")),
    }
}

/// Who can't wait for the end of a grace has another way.
pub fn finish_rotation(name: &str) -> String {
    format!("finish it first: `vault rotate {name} --resume`, or in its grace `vault rotate {name} --now --force`")
}
