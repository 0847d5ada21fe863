//! Cached sessions outlive the key that made them: after a rotation they count as made by the new one. To look for them takes
//! the vault and every record, so that many keys are looked for at once.

use jiff::{SignedDuration, Timestamp};

use crate::cli::session_records;
use crate::cli::world::World;
use crate::names::AccessKeyId;
use crate::store::group::Group;

const APART: SignedDuration = SignedDuration::from_secs(1);

#[derive(Default)]
pub struct Rekeying {
    /// In the order in which it happened.
    replaced: Vec<(AccessKeyId, AccessKeyId)>,
    next: Timestamp,
}

impl Rekeying {
    /// Now, unless that was done a moment ago.
    pub fn replaced<'a>(
        &mut self,
        old: &AccessKeyId,
        new: &AccessKeyId,
        group: &Group<'static, 'a>,
        world: &World<'a>,
    ) {
        self.replaced.push((old.clone(), new.clone()));
        if world.clock.now() >= self.next {
            self.finish(group, world);
        }
    }

    pub fn finish<'a>(&mut self, group: &Group<'static, 'a>, world: &World<'a>) {
        if self.replaced.is_empty() {
            return;
        }
        let replaced = std::mem::take(&mut self.replaced);
        // Without it, a session is asked for anew.
        if let Ok(Ok(cache)) = group.read(|vault| session_records::cache(world, vault.document())) {
            cache.rekey(&replaced, world.clock.now());
        }
        self.next = world.clock.now().saturating_add(APART).unwrap_or(Timestamp::MAX);
    }
}
