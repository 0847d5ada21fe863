//! Issued sessions, kept for later callers: one age file each under the state folder, encrypted to the session identity
//! and named by a keyed hash, so that neither a file nor its name tells anything without that identity.
//!
//! The cache may fail without harm: what can't be read is not there, and is asked for anew.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::key::{NoSessionIdentity, SessionKey, hmac};
use super::record::Record;
use super::request::Slot;
use crate::disk::{Disk, Folder, Lock, LockError, replace};
use crate::names::{AccessKeyId, ProfileName};
use crate::secret::SecretBytes;

/// The largest policy and 50 tags, each once as asked and once as sent, and the longest token fit twice over.
const LARGEST_RECORD: u64 = 128 * 1024;

/// age reads headers in quadratic time, so a planted one must end before it can hurt; ours take some 600 bytes.
const LONGEST_HEADER: usize = 4096;

/// No session outlives 36 hours, so that what was not written to for longer is no more than waste.
const WASTE_AFTER: SignedDuration = SignedDuration::from_hours(37);

/// The folder of cached sessions, opened by the session identity.
pub struct Cache<'a> {
    disk: &'a dyn Disk,
    folder: PathBuf,
    key: SessionKey,
}

#[derive(Debug, Error)]
pub enum CacheError {
    #[error(transparent)]
    Identity(#[from] NoSessionIdentity),
    /// More was asked for than any reader takes in.
    #[error("its request is too long to be kept")]
    TooLong,
    #[error("the folder is not ours alone: {}", .0.display())]
    Untrusted(PathBuf),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<'a> Cache<'a> {
    /// `state` is the state folder; nothing is touched yet.
    pub fn new(disk: &'a dyn Disk, state: &Path, key: SessionKey) -> Self {
        Self { disk, folder: state.join("sessions"), key }
    }

    /// The session kept in this slot. A record that was put there from another slot, is damaged, or is of another vault,
    /// is none.
    pub fn read(&self, slot: &Slot) -> Option<Record> {
        // Only of this very slot: a record moved to another's place would hand out one role's session as another's.
        self.open_record(&*self.folder().ok()?, &self.name(slot)).filter(|record| record.slot() == slot)
    }

    /// Keeps a session in its slot.
    pub fn store(&self, record: &Record, now: Timestamp) -> Result<(), CacheError> {
        let folder = self.made_folder()?;
        let name = self.name(record.slot());
        let bytes = self.seal(record)?;
        if bytes.len() as u64 > LARGEST_RECORD {
            return Err(CacheError::TooLong);
        }
        let temporary =
            format!("{name}.tmp-{}-{:08x}", std::process::id(), getrandom::u32().map_err(io::Error::other)?);
        sweep(&*folder, now);
        // A cached session that a power cut takes is asked for anew.
        Ok(replace(&*folder, &format!("{name}.age"), &temporary, 0o600, &bytes, || Ok(())).in_force()?)
    }

    /// Notes in a record that what it was made for is still what the profile asks, as of other stamps. A record that another
    /// caller is just replacing is left to them.
    pub fn confirm(&self, confirmed: &Record, now: Timestamp) {
        let Ok(_lock) = self.lock(confirmed.slot(), Duration::ZERO) else { return };
        let id = &confirmed.credentials.access_key_id;
        if self.read(confirmed.slot()).is_some_and(|record| record.credentials.access_key_id == *id) {
            // Without it the next reader finds out once more.
            let _ = self.store(confirmed, now);
        }
    }

    /// Keeps another profile's session under this one's name too, unless a newer one has come there. A slot that another caller
    /// is just filling is left to them.
    pub(super) fn adopt(&self, record: &Record, now: Timestamp) {
        let Ok(_lock) = self.lock(record.slot(), Duration::ZERO) else { return };
        if self.read(record.slot()).is_none_or(|standing| standing.made_at < record.made_at) {
            // Without it the next reader looks for the other profile's once more.
            let _ = self.store(record, now);
        }
    }

    /// Drops a session that AWS refused, wherever it is kept; says whether it is gone. Another may have taken its place already,
    /// and stays.
    pub(super) fn forget(&self, refused: &Record) -> bool {
        let id = &refused.credentials.access_key_id;
        self.remove_where(|record| record.credentials.access_key_id == *id).is_ok()
    }

    /// Drops every session of a profile, whatever it was asked with; says how many.
    pub fn remove(&self, profile: &ProfileName) -> Result<usize, CacheError> {
        Ok(self.remove_where(|record| record.slot().profile == *profile)?.len())
    }

    /// Drops these sessions, whichever profiles they are kept for; names those, one time each.
    pub fn remove_sessions(&self, ids: &[AccessKeyId]) -> Result<Vec<ProfileName>, CacheError> {
        self.remove_where(|record| ids.contains(&record.credentials.access_key_id))
    }

    /// Drops every session of this vault.
    pub fn remove_own(&self) -> Result<usize, CacheError> {
        Ok(self.remove_where(|_| true)?.len())
    }

    /// Drops every session, those of other vaults and damaged ones included.
    pub fn remove_all(&self) -> Result<usize, CacheError> {
        self.remove_files(|_, _| Some(())).map(|removed| removed.len())
    }

    /// Sessions outlive the access key that made them: from now on they count as made by the one that took its place. Takes
    /// old keys with their new ones, in the order in which they were replaced.
    pub fn rekey(&self, replaced: &[(AccessKeyId, AccessKeyId)], now: Timestamp) {
        for mut record in self.list() {
            let made_by = record.ladder.access_key_id.clone();
            let follow = |id, (old, new): &(AccessKeyId, AccessKeyId)| if id == *old { new.clone() } else { id };
            record.ladder.access_key_id = replaced.iter().fold(made_by.clone(), follow);
            if record.ladder.access_key_id != made_by {
                // Without it, it is asked for anew.
                let _ = self.store(&record, now);
            }
        }
    }

    /// Every session of this vault that can be read, expired ones included, by profile.
    pub fn list(&self) -> Vec<Record> {
        let Ok(folder) = self.folder() else { return Vec::new() };
        let names = record_names(&*folder).unwrap_or_default();
        let mut records: Vec<Record> = names.iter().filter_map(|name| self.open_listed(&*folder, name)).collect();
        records.sort_by(|one, other| one.slot().profile.cmp(&other.slot().profile));
        records
    }

    /// Waits until nobody else is getting the session of this slot. It is let go when dropped, or when the process dies.
    pub fn lock(&self, slot: &Slot, patience: Duration) -> Result<Box<dyn Lock>, LockError> {
        let folder = self.made_folder().map_err(io::Error::other)?;
        folder.lock(&format!("{}.lock", self.name(slot)), patience)
    }

    /// A keyed hash of anything else that is remembered beside the sessions.
    pub(super) fn keyed_hash(&self, label: &str, of: &str) -> String {
        HEXLOWER.encode(&hmac(&*self.key.names, &[label.as_bytes(), b"\0", of.as_bytes()]))
    }

    /// Opens the folder for reading; one that others can write is as good as none, since they could bring back old sessions.
    pub(super) fn folder(&self) -> Result<Box<dyn Folder>, CacheError> {
        let folder = self.disk.open_folder(&self.folder)?;
        let status = folder.status()?;
        if !status.trusted_owner() || status.others_can_write() {
            return Err(CacheError::Untrusted(self.folder.clone()));
        }
        Ok(folder)
    }

    pub(super) fn made_folder(&self) -> Result<Box<dyn Folder>, CacheError> {
        self.disk.make_folder(&self.folder)?;
        self.folder()
    }

    fn name(&self, slot: &Slot) -> String {
        let slot = serde_json::to_string(slot).expect("a slot is text, numbers and lists of them");
        let hash = hmac(&*self.key.names, &[self.key.vault_id.as_bytes(), b"\0", slot.as_bytes()]);
        HEXLOWER.encode(&hash[..20])
    }

    fn seal(&self, record: &Record) -> Result<Vec<u8>, CacheError> {
        let plain = SecretBytes::new(serde_json::to_vec(record).map_err(io::Error::from)?);
        let encryptor = age::Encryptor::with_recipients([&self.key.recipient as &dyn age::Recipient].into_iter())
            .map_err(io::Error::other)?;
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed)?;
        writer.write_all(&plain)?;
        writer.finish()?;
        Ok(sealed)
    }

    fn open_record(&self, folder: &dyn Folder, name: &str) -> Option<Record> {
        let (sealed, _) = folder.read(&format!("{name}.age"), LARGEST_RECORD).ok()?;
        let header = &sealed[..sealed.len().min(LONGEST_HEADER)];
        header.windows(5).find(|window| window == b"\n--- ")?;
        let decryptor = age::Decryptor::new_buffered(&sealed[..]).ok()?;
        let mut plain = SecretBytes::new(Vec::with_capacity(sealed.len()));
        decryptor.decrypt(std::iter::once(&*self.key.identity)).ok()?.read_to_end(&mut plain).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// One that lies in its own slot, whichever that is.
    fn open_listed(&self, folder: &dyn Folder, name: &str) -> Option<Record> {
        self.open_record(folder, name).filter(|record| self.name(record.slot()) == name)
    }

    fn remove_where(&self, chosen: impl Fn(&Record) -> bool) -> Result<Vec<ProfileName>, CacheError> {
        self.remove_files(|name, folder| {
            self.open_listed(folder, name).filter(&chosen).map(|record| record.slot().profile.clone())
        })
    }

    /// Gives what `chosen` said of those that are removed.
    fn remove_files<T>(&self, chosen: impl Fn(&str, &dyn Folder) -> Option<T>) -> Result<Vec<T>, CacheError> {
        let folder = match self.folder() {
            Err(CacheError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut removed = Vec::new();
        for name in record_names(&*folder)? {
            if let Some(told) = chosen(&name, &*folder) {
                folder.remove(&format!("{name}.age"))?;
                removed.push(told);
            }
        }
        folder.sync()?;
        Ok(removed)
    }
}

fn record_names(folder: &dyn Folder) -> io::Result<Vec<String>> {
    let names = folder.names()?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".age")).map(str::to_owned).collect())
}

/// Takes away what can't hold a living session: old records, codes that nobody can type any more, and temporaries of writers
/// that died.
fn sweep(folder: &dyn Folder, now: Timestamp) {
    let oldest = now.as_nanosecond() - WASTE_AFTER.as_nanos();
    for name in folder.names().unwrap_or_default() {
        let ours = [".age", ".code"].iter().any(|ending| name.ends_with(ending)) || name.contains(".tmp-");
        let waste = ours && matches!(folder.entry(&name), Ok(Some(status)) if status.modified < oldest);
        if waste {
            // The next sweep tries again.
            let _ = folder.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
