//! What goes with new keys of the vault: cached sessions are dropped, and the person hears what the old keys still open.

use std::collections::BTreeSet;

use crate::process;
use crate::session::Cache;
use crate::store::vault::Vault;

use super::escape::escape;
use super::failure::Failure;
use super::session_records;
use super::world::World;

/// What has to be known before the old keys are gone.
pub struct Rekeyed<'a> {
    sessions: Cache<'a>,
    machines: BTreeSet<String>,
}

impl<'a> Rekeyed<'a> {
    pub fn before(world: &World<'a>, vault: &Vault) -> Result<Self, Failure> {
        let sessions = session_records::cache(world, vault.document())?;
        let mut machines: BTreeSet<String> = vault.history()?.into_iter().filter_map(|kept| kept.writer()).collect();
        machines.insert(vault.document().meta.writer.clone());
        machines.remove(&process::host_name());
        Ok(Self { sessions, machines })
    }

    /// After the save. `opener` is what no longer opens the vault.
    pub fn say(self, world: &World, vault: &Vault, opener: &str) {
        // They are closed to the new session identity; what is left of them is waste that ends by itself.
        if self.sessions.remove_own().is_err() {
            world.warn("cached sessions could not be dropped; they end by themselves");
        }
        world.say(&format!("the vault has new keys; its fingerprint is now {}", vault.fingerprint()));
        let machines: Vec<String> = self.machines.iter().map(|name| escape(name)).collect();
        world.say(&match machines.is_empty() {
            true => "any other machine with this vault asks for that: `vault trust`".to_owned(),
            false => format!("run `vault trust` with this fingerprint on: {}", machines.join(", ")),
        });
        world.say(&format!("copies of the vault in backups and sync history still open with {opener};"));
        world.say(
            "if somebody may have such a copy and that, `vault rotate --all` makes the access keys in it worthless",
        );
    }
}
