//! What the agent holds, and when it lets go. Time comes as an argument.

mod opened;

use std::io;
use std::ops::Range;
use std::time::Duration;

use age::Identity;
use age_core::format::Stanza;
use secrecy::ExposeSecret;
use zeroize::{Zeroize, Zeroizing};

use opened::Opened;

use super::protocol::{HeldVault, Place, State, Unlock, VaultStatus, Which};
use crate::clock::Moment;
use crate::process::{LockedMemory, leaving_no_trace};
use crate::store::identity;

/// For a ninth, the one that was not used for longest is let go.
const MOST_VAULTS: usize = 8;

/// By which one vault is known: more are forgotten again, the oldest first.
const MOST_PLACES: usize = 8;

/// No path is longer, and no id.
const LONGEST_PLACE: usize = 4096;
const LONGEST_ID: usize = 64;

/// `AGE-SECRET-KEY-1` and the key and checksum in bech32.
const IDENTITY: usize = 74;
const NAME_KEY: usize = 32;
/// Both identities, the name key, and the keys of session files.
const SLOT: usize = 2 * IDENTITY + NAME_KEY + opened::SIZE;

/// The vaults that are unlocked, the one that was not used for longest first.
pub struct Held {
    /// A slot a vault.
    memory: LockedMemory,
    vaults: Vec<Vault>,
}

/// What is held of a vault, less its secrets.
struct Vault {
    id: String,
    /// Where it was unlocked, last place last.
    places: Vec<Place>,
    slot: usize,
    session_recipient: String,
    opened: Opened,
    /// Whether the vault identity is still held. The session identity is as long as this entry stands.
    open: bool,
    idle: Duration,
    max: Duration,
    session: Duration,
    unlocked: Moment,
    /// When the vault identity was used last.
    used: Moment,
}

impl Held {
    pub fn new() -> io::Result<Self> {
        Ok(Self { memory: LockedMemory::new(MOST_VAULTS * SLOT)?, vaults: Vec::new() })
    }

    /// Holds a vault's identities from now. None where they are none, which changes nothing.
    pub fn unlock(&mut self, unlock: &Unlock, now: Moment) -> Option<()> {
        let session_recipient = checked(unlock)?;
        self.expire(now);
        self.leave(&unlock.place, &unlock.vault_id);
        let mut places = self.let_go(|vault| vault.id == unlock.vault_id).pop().map_or_else(Vec::new, |old| old.places);
        places.retain(|place| *place != unlock.place);
        places.drain(..places.len().saturating_sub(MOST_PLACES - 1));
        places.push(unlock.place.clone());
        if self.vaults.len() == MOST_VAULTS {
            let oldest = self.vaults[0].slot;
            self.let_go(|vault| vault.slot == oldest);
        }
        let slot = (0..MOST_VAULTS).find(|slot| self.vaults.iter().all(|vault| vault.slot != *slot))?;
        self.memory[part(slot, Part::Vault)].copy_from_slice(unlock.vault_identity.expose().as_bytes());
        self.memory[part(slot, Part::Session)].copy_from_slice(unlock.session_identity.expose().as_bytes());
        self.memory[part(slot, Part::NameKey)].copy_from_slice(&*unlock.name_key);
        let Unlock { idle, max, session, .. } = *unlock;
        let id = unlock.vault_id.clone();
        let (open, opened, unlocked, used) = (true, Opened::default(), now, now);
        self.vaults.push(Vault {
            id,
            places,
            slot,
            session_recipient,
            opened,
            open,
            idle,
            max,
            session,
            unlocked,
            used,
        });
        Some(())
    }

    /// What is known of the vault in this place.
    pub fn hello(&mut self, place: &Place, now: Moment) -> Option<HeldVault> {
        self.expire(now);
        let vault = self.vaults.iter().find(|vault| vault.places.contains(place))?;
        let mut name_key = Zeroizing::new([0; NAME_KEY]);
        name_key.copy_from_slice(&self.memory[part(vault.slot, Part::NameKey)]);
        Some(HeldVault {
            vault_id: vault.id.clone(),
            state: vault.state(),
            session_recipient: vault.session_recipient.clone(),
            name_key,
        })
    }

    /// The key of the file with these stanzas. Only what opened one counts as use, and only of the vault identity: whoever
    /// asks without a vault at hand, or for sessions, must not keep it here.
    pub fn unwrap(
        &mut self,
        vault_id: &str,
        which: Which,
        stanzas: &[Stanza],
        now: Moment,
    ) -> Option<Zeroizing<[u8; 16]>> {
        self.expire(now);
        let at = self.vaults.iter().position(|vault| vault.id == vault_id)?;
        let vault = &mut self.vaults[at];
        let key = match which {
            Which::Vault if vault.open => open(&self.memory[part(vault.slot, Part::Vault)], stanzas)?,
            Which::Vault => return None,
            Which::Session => vault.open_session(&mut self.memory, stanzas)?,
        };
        let mut vault = self.vaults.remove(at);
        if which == Which::Vault {
            vault.used = now;
        }
        self.vaults.push(vault);
        Some(key)
    }

    pub fn status(&mut self, now: Moment) -> Vec<VaultStatus> {
        self.expire(now);
        self.vaults.iter().filter_map(|vault| vault.status(now)).collect()
    }

    /// Forgets everything.
    pub fn lock(&mut self) {
        self.vaults.clear();
        self.memory.zeroize();
    }

    /// Forgets what its time has come for.
    pub fn expire(&mut self, now: Moment) {
        for vault in self.vaults.iter_mut().filter(|vault| vault.open && vault.vault_left(now).is_none()) {
            vault.open = false;
            self.memory[part(vault.slot, Part::Vault)].zeroize();
        }
        self.let_go(|vault| !vault.open && vault.session_left(now).is_none());
    }

    /// Another vault stands in this place now. What no place leads to any more is of no use to anybody.
    fn leave(&mut self, place: &Place, vault_id: &str) {
        for vault in self.vaults.iter_mut().filter(|vault| vault.id != vault_id) {
            vault.places.retain(|known| known != place);
        }
        self.let_go(|vault| vault.places.is_empty());
    }

    fn let_go(&mut self, which: impl Fn(&Vault) -> bool) -> Vec<Vault> {
        let gone: Vec<Vault> = self.vaults.extract_if(.., |vault| which(vault)).collect();
        for vault in &gone {
            self.memory[vault.slot * SLOT..][..SLOT].zeroize();
        }
        gone
    }
}

impl Vault {
    fn open_session(&mut self, memory: &mut [u8], stanzas: &[Stanza]) -> Option<Zeroizing<[u8; 16]>> {
        let opened = part(self.slot, Part::Opened);
        self.opened.find(&memory[opened.clone()], stanzas).or_else(|| {
            let key = open(&memory[part(self.slot, Part::Session)], stanzas)?;
            self.opened.note(&mut memory[opened], stanzas, &key);
            Some(key)
        })
    }

    fn state(&self) -> State {
        if self.open { State::Unlocked } else { State::SessionsOnly }
    }

    /// How long the vault identity stays, if it is not used. None where its time is over, and where that can't be told.
    fn vault_left(&self, now: Moment) -> Option<Duration> {
        Some(left(self.idle, self.used, now)?.min(left(self.max, self.unlocked, now)?))
    }

    /// The same for the session identity on its own.
    fn session_left(&self, now: Moment) -> Option<Duration> {
        left(self.session, self.unlocked, now)
    }

    fn status(&self, now: Moment) -> Option<VaultStatus> {
        let if_open = |duration: Option<Duration>| duration.filter(|_| self.open).as_ref().map(Duration::as_secs);
        // While the vault identity is held there is no point in letting the session identity go: it opens the vault, which
        // holds the other one.
        let session = self.session_left(now).max(self.vault_left(now).filter(|_| self.open));
        Some(VaultStatus {
            place: self.places.last()?.clone(),
            vault_id: self.id.clone(),
            state: self.state(),
            idle_left: if_open(left(self.idle, self.used, now)),
            vault_left: if_open(left(self.max, self.unlocked, now)),
            session_left: session.filter(|_| !self.session.is_zero()).as_ref().map(Duration::as_secs),
        })
    }
}

/// What is left of a time that began then; never nothing.
fn left(whole: Duration, since: Moment, now: Moment) -> Option<Duration> {
    whole.checked_sub(now.since(since)?).filter(|left| !left.is_zero())
}

/// Of a slot.
#[derive(Clone, Copy)]
enum Part {
    Vault,
    Session,
    NameKey,
    Opened,
}

fn part(slot: usize, part: Part) -> Range<usize> {
    let (start, length) = match part {
        Part::Vault => (0, IDENTITY),
        Part::Session => (IDENTITY, IDENTITY),
        Part::NameKey => (2 * IDENTITY, NAME_KEY),
        Part::Opened => (2 * IDENTITY + NAME_KEY, opened::SIZE),
    };
    slot * SLOT + start..slot * SLOT + start + length
}

/// The session identity's recipient, where all of this can be held.
fn checked(unlock: &Unlock) -> Option<String> {
    let sizes = (1..=LONGEST_PLACE).contains(&unlock.place.as_str().len())
        && (1..=LONGEST_ID).contains(&unlock.vault_id.len())
        && unlock.vault_identity.expose().len() == IDENTITY
        && unlock.session_identity.expose().len() == IDENTITY;
    if !sizes {
        return None;
    }
    leaving_no_trace(|| {
        identity::recipient(&unlock.vault_identity)?;
        identity::recipient(&unlock.session_identity)
    })
}

/// The identity is one only for the time of this question.
fn open(identity: &[u8], stanzas: &[Stanza]) -> Option<Zeroizing<[u8; 16]>> {
    leaving_no_trace(|| {
        let identity: age::x25519::Identity = std::str::from_utf8(identity).ok()?.parse().ok()?;
        // A stanza that can't be opened, or is none, must not hide one that can.
        let key = stanzas.iter().find_map(|stanza| identity.unwrap_stanza(stanza)?.ok())?;
        Some(Zeroizing::new(*key.expose_secret()))
    })
}

#[cfg(test)]
mod tests;
