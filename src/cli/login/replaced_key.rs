//! A long-term key that a session takes the place of in ~/.aws/credentials.

use crate::cli::failure::Failure;
use crate::cli::key_check;
use crate::cli::mfa_device;
use crate::cli::report::Report;
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::store::document::{Document, Profile};
use crate::store::vault::Closed;

/// A key that is about to be replaced goes into the vault under a free name first. AWS is asked of it before; whatever that
/// says, the key is not lost.
pub fn save(key: &AccessKey, target: &ProfileName, vault: &Closed, world: &World) -> Result<(), Failure> {
    let checked = key_check::check(key, None, world);
    let known = checked.as_ref().ok();
    let created = known.and_then(|checked| key_check::creation_date(key, checked));
    let mfa_serial = known.and_then(|checked| mfa_device::only(&checked.aws, key, &checked.identity));
    let stamp = world.stamp();
    let saved_as = vault.open()?.edit(&stamp, |document| {
        let name = free_name(document, target)?;
        let access_key = Some(key_check::stored(key.clone(), known, created, stamp.now));
        let profile = Profile { access_key, mfa_serial: mfa_serial.clone(), ..Profile::default() };
        document.profiles.insert(name.clone(), profile);
        Ok::<_, Failure>(name)
    })?;
    world.say(&format!(
        "saved the long-term key {} of section [{target}] in the vault, as `{saved_as}`",
        key.id.short()
    ));
    if let Err(failure) = checked {
        world.warn(&format!("`{saved_as}` is unchecked: {}", Report::of(&failure).message));
        world.hint(&format!("`vault whoami {saved_as}` asks AWS again"));
    }
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
