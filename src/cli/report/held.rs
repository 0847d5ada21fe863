//! Words about a key that came into the vault while the rotation of another profile holds it.

use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::held::{Held, Part};

/// What the rotation can't do any more, since it takes no key away from another profile.
pub fn say_held(world: &World, name: &ProfileName, key: &AccessKeyId, held: &Held) {
    let (of, key) = (&held.profile, key.short());
    let resume = format!("vault rotate {of} --resume");
    match held.part {
        Part::Current => {
            world.warn(&format!(
                "`{name}` and `{of}` are the same access key; the rotation of `{of}` replaces it in both"
            ));
        }
        Part::New => {
            world.warn(&format!(
                "{key} of `{name}` is the new key of `{of}`, whose rotation is unfinished and can't be undone while \
                 `{name}` has it"
            ));
            world.hint(&resume);
        }
        Part::Old { .. } => {
            world.warn(&format!(
                "{key} of `{name}` is the old key of `{of}`, whose rotation can't switch it off or delete it while `{name}` \
                 has it"
            ));
            world.hint(&format!("`vault remove {name}`, then `{resume}`"));
        }
        Part::Unreadable => {
            world.warn(&format!(
                "{key} of `{name}` is a key of `{of}`, whose rotation a newer version of vault has begun"
            ));
        }
    }
}
