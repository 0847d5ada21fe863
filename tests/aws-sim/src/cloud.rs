//! Everything that the simulated AWS remembers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::clock::{Clock, signed};
use crate::device::Device;
use crate::failure::Failures;
use crate::key::{AccessKey, Propagation};
use crate::random;
use crate::request_log::Request;
use crate::role::RoleRecord;
use crate::session::Session;
use crate::signin::SignIn;
use crate::user::UserRecord;

/// Users and roles by ARN, devices by serial, keys and sessions by access key id.
#[derive(Clone, Default)]
pub(crate) struct Cloud {
    pub clock: Clock,
    pub users: BTreeMap<String, UserRecord>,
    pub keys: BTreeMap<String, AccessKey>,
    pub devices: BTreeMap<String, Device>,
    pub roles: BTreeMap<String, RoleRecord>,
    pub sessions: BTreeMap<String, Session>,
    /// What sessions get for a token instead of one of their own.
    pub session_token: Option<String>,
    /// By token.
    pub sign_ins: BTreeMap<String, SignIn>,
    pub aliases: BTreeMap<String, String>,
    pub propagation: Propagation,
    pub failures: Failures,
    pub log: Vec<Request>,
}

pub(crate) type Shared = Arc<Mutex<Cloud>>;

/// A test that failed while it held the lock must not make the next ones fail for another reason.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Cloud> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// Returns the key's id.
    pub fn create_key(&mut self, owner: &str) -> String {
        let id = random::id("AKIA");
        let key = AccessKey::new(id.clone(), random::secret_access_key(), owner, self.clock.now());
        self.keys.insert(id.clone(), key);
        id
    }

    /// Oldest first.
    pub fn keys_of(&self, owner: &str) -> Vec<&AccessKey> {
        let mut keys: Vec<_> = self.keys.values().filter(|key| key.owner == owner && !key.deleted).collect();
        keys.sort_by_key(|key| key.created);
        keys
    }

    pub fn devices_of(&self, owner: &str) -> Vec<&Device> {
        let owned = |device: &&Device| device.owner.as_deref() == Some(owner);
        let mut devices: Vec<_> = self.devices.values().filter(owned).collect();
        devices.sort_by_key(|device| device.enabled);
        devices
    }

    pub fn lingering_until(&self) -> Option<Timestamp> {
        Some(self.clock.now() + signed(self.propagation.lingering))
    }
}
