//! A long-term key that a session takes the place of in ~/.aws/credentials.

use crate::cli::failure::Failure;
use crate::cli::key_check;
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::store::document::{Document, Profile};
use crate::store::vault::Closed;

/// A key that is about to be replaced goes into the vault under a free name first, whatever AWS would say of it: it is not lost.
pub fn save(key: &AccessKey, target: &ProfileName, vault: &Closed, world: &World) -> Result<(), Failure> {
    let stamp = world.stamp();
    let saved_as = vault.open()?.edit(&stamp, |document| {
        let name = free_name(document, target)?;
        let access_key = Some(key_check::stored(key.clone(), None, None, stamp.now));
        document.profiles.insert(name.clone(), Profile { access_key, ..Profile::default() });
        Ok::<_, Failure>(name)
    })?;
    world.say(&format!(
        "saved the long-term key {} of section [{target}] in the vault, as `{saved_as}`",
        key.id.short()
    ));
    world.hint(&format!("AWS was not asked of it; `vault whoami {saved_as}` does"));
    Ok(())
}

fn free_name(document: &Document, target: &ProfileName) -> Result<ProfileName, Failure> {
    let candidates = std::iter::once(target.to_string())
        .chain(std::iter::once(format!("{target}-long-term")))
        .chain((2..).map(|number| format!("{target}-long-term-{number}")));
    for candidate in candidates {
        let name: ProfileName = candidate.parse()?;
        if !document.profiles.contains_key(&name) {
            return Ok(name);
        }
    }
    unreachable!("the numbers do not end")
}
