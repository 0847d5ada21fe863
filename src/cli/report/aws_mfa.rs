//! Words about what aws-mfa leaves in the credentials file.

use std::path::Path;

use crate::cli::escape::{escape, shown_path};
use crate::cli::world::World;
use crate::import::aws_mfa::{SUFFIX, Stays};

/// After the pair was taken out. AWS tools pass over such lines; nothing of them is a key.
pub fn say_stays(world: &World, path: &Path, stays: &[Stays]) {
    for one in stays {
        let keys: Vec<String> = one.keys.iter().map(|key| format!("`{key}`")).collect();
        let session =
            if one.has_session { "its session, which AWS tools take as long as it stands there, and " } else { "" };
        world.say(&format!(
            "[{}] of {} keeps what aws-mfa wrote: {session}{}",
            escape(&one.section),
            escape(&world.paths.shown(path)),
            keys.join(", ")
        ));
    }
    let Some(first) = stays.first() else { return };
    let name = first.section.strip_suffix(SUFFIX).unwrap_or(&first.section);
    world.hint(&format!(
        "`vault login {}` writes sessions from now on; once aws-mfa is not used any more, those lines of {} may go by hand",
        escape(name),
        shown_path(path)
    ));
}
