//! A long-term key that a session takes the place of in ~/.aws/credentials.

use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::store::document::{Document, Profile, StoredAccessKey};
use crate::store::vault::Vault;

/// A key that is about to be replaced goes into the vault under a free name first.
pub fn save(key: &AccessKey, target: &ProfileName, mut vault: Vault, world: &World) -> Result<(), Failure> {
    let stamp = world.stamp();
    let saved_as = vault.edit(&stamp, |document| {
        let name = free_name(document, target)?;
        let access_key = StoredAccessKey {
            id: key.id.clone(),
            secret: key.secret.clone(),
            user_arn: None,
            added: stamp.now,
            created: None,
            verified: None,
            endpoint: None,
            rest: toml::Table::new(),
        };
        document.profiles.insert(name.clone(), Profile { access_key: Some(access_key), ..Profile::default() });
        Ok::<_, Failure>(name)
    })?;
    world.say(&format!(
        "saved the long-term key {} of section [{target}] in the vault, as `{saved_as}`",
        key.id.short()
    ));
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
