//! A journal that nothing can finish, forgotten on a person's word, and what is lost by it.

use crate::aws::AwsError;
use crate::cli::report::{Report, Status, aws};
use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};

pub(super) fn other_key_works(name: &ProfileName, key: &AccessKeyId) -> Report {
    let words = format!("{name}: {} works, and the vault would forget it; nothing was changed", key.short());
    Report::new(Status::State, words)
        .hint(format!("`vault rotate {name} --resume` goes on with it; `--give-up --force` forgets it all the same"))
}

pub(super) fn other_key_off(name: &ProfileName, key: &AccessKeyId) -> Report {
    let words =
        format!("{name}: {} was switched off by this rotation and can be taken back; nothing was changed", key.short());
    Report::new(Status::State, words).hint(format!(
        "`vault rotate {name} --resume` goes on, `--undo` takes it back, `--now --force` deletes it; `--give-up --force` forgets it"
    ))
}

pub(super) fn other_key_not_tried(name: &ProfileName, error: &AwsError) -> Report {
    let Report { message, status, .. } = aws::report(error);
    Report::new(status, format!("{name}: whether the key that would be forgotten works is not known: {message}"))
        .hint("`--give-up --force` forgets it without asking AWS")
}

pub fn before_giving_up(world: &World, name: &ProfileName, was_tried: bool) {
    let tried = if was_tried { "AWS does not take it" } else { "AWS is not asked whether it works" };
    world.warn(&format!(
        "{name}: the vault has two keys of this rotation, and forgets the one that the profile does not use; {tried}"
    ));
    world.hint(&format!("`vault rotate {name} --resume` finishes it, as long as AWS takes one of them"));
}

pub fn gave_up(world: &World, name: &ProfileName, other: Option<&AccessKeyId>) {
    world.say(&format!("{name}: the rotation is forgotten"));
    if let Some(other) = other {
        world.hint(&format!("{} may be active at AWS still: `vault keys {name}` shows it", other.short()));
    }
}
