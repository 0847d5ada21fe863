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

use super::key::{SessionKey, hmac};
use super::record::Record;
use super::request::Slot;
use crate::disk::{Disk, Folder, Lock, LockError, Replaced, replace};
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
    /// The vault's session identity is not an age X25519 identity.
    #[error("not an age identity")]
    Identity,
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
        let name = self.name(slot);
        self.open_record(&*self.folder().ok()?, &name)
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
        match replace(&*folder, &format!("{name}.age"), &temporary, 0o600, &bytes, || Ok(())) {
            // A cached session that a power cut takes is asked for anew.
            Replaced::Committed | Replaced::CommittedNotDurable(_) => Ok(()),
            Replaced::NotCommitted(error) => Err(error.into()),
        }
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

    /// Drops a session that AWS refused; says whether it is gone. Another may have taken its place already, and stays.
    pub(super) fn forget(&self, refused: &Record) -> bool {
        let Ok(folder) = self.folder() else { return false };
        let name = self.name(refused.slot());
        let id = &refused.credentials.access_key_id;
        match self.open_record(&*folder, &name) {
            Some(record) if record.credentials.access_key_id == *id => folder.remove(&format!("{name}.age")).is_ok(),
            _ => true,
        }
    }

    /// Drops every session of a profile, whatever it was asked with; says how many.
    pub fn remove(&self, profile: &ProfileName) -> Result<usize, CacheError> {
        self.remove_where(|name, folder| {
            self.open_record(folder, name).is_some_and(|record| record.slot().profile == *profile)
        })
    }

    /// Drops every session of this vault.
    pub fn remove_own(&self) -> Result<usize, CacheError> {
        self.remove_where(|name, folder| self.open_record(folder, name).is_some())
    }

    /// Drops every session, those of other vaults and damaged ones included.
    pub fn remove_all(&self) -> Result<usize, CacheError> {
        self.remove_where(|_, _| true)
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
        let mut records: Vec<Record> = names.iter().filter_map(|name| self.open_record(&*folder, name)).collect();
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
        let record: Record = serde_json::from_slice(&plain).ok()?;
        // Only the name of its own slot: a record moved to another's place would hand out one role's session as another's.
        (self.name(record.slot()) == name).then_some(record)
    }

    fn remove_where(&self, chosen: impl Fn(&str, &dyn Folder) -> bool) -> Result<usize, CacheError> {
        let folder = match self.folder() {
            Err(CacheError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        let mut removed = 0;
        for name in record_names(&*folder)? {
            if chosen(&name, &*folder) {
                folder.remove(&format!("{name}.age"))?;
                removed += 1;
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
mod tests {
    use super::super::fixture::{cache, now, record, role_record};
    use super::*;
    use crate::clock::computed;
    use crate::disk::RealDisk;
    use crate::secret::IdentityText;
    use std::os::unix::fs::PermissionsExt;

    fn files(state: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<_> =
            std::fs::read_dir(state.join("sessions")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn what_is_stored_is_read_again_and_nothing_of_it_stands_in_the_file_or_its_name() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let stored = record("prod");
        assert!(cache.read(stored.slot()).is_none());
        cache.store(&stored, now()).unwrap();
        let found = cache.read(stored.slot()).unwrap();
        assert_eq!(serde_json::to_value(&found).unwrap(), serde_json::to_value(&stored).unwrap());

        let [path] = &files(state.path())[..] else { panic!("one file, no temporaries") };
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        let folder = std::fs::metadata(state.path().join("sessions")).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
        for part in ["prod", "ASIA", "wJalrXUtnFEMI", "arn:"] {
            assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
            assert!(!path.to_str().unwrap().contains(part));
        }
    }

    #[test]
    fn what_is_asked_makes_another_session_of_the_same_profile() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let plain = record("prod");
        cache.store(&plain, now()).unwrap();
        let mut others = vec![plain.slot().clone(); 6];
        others[0].profile = "dev".parse().unwrap();
        others[1].asked.no_mfa = true;
        others[2].asked.duration_seconds = Some(3600);
        others[3].asked.role.policy = Some("{}".into());
        others[4].asked.role.tags = vec![("team".into(), "a".into())];
        others[5].serial = Some("arn:aws:iam::111111111111:mfa/alice".parse().unwrap());
        for slot in others {
            assert!(cache.read(&slot).is_none(), "{slot:?}");
        }
    }

    #[test]
    fn what_no_reader_would_take_in_is_not_kept() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let mut long = role_record();
        let external_id = Some("x".repeat(1224));
        long.ladder.rungs[1].role.as_mut().unwrap().options.external_id = external_id;
        long.ladder.rungs = vec![long.ladder.rungs[1].clone(); 70];
        cache.store(&long, now()).unwrap();
        assert!(cache.read(long.slot()).is_some());
        long.ladder.rungs = vec![long.ladder.rungs[1].clone(); 90];
        assert!(matches!(cache.store(&long, now()), Err(CacheError::TooLong)));
    }

    #[test]
    fn a_record_is_confirmed_where_it_still_stands_and_nobody_is_about_to_replace_it() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let old = record("prod");
        let mut confirmed = old.clone();
        confirmed.stamps.vault.inode = 77;
        let inode = || cache.read(old.slot()).map(|record| record.stamps.vault.inode);
        cache.confirm(&confirmed, now());
        assert_eq!(inode(), None, "one that is gone stays gone");
        cache.store(&old, now()).unwrap();
        let held = cache.lock(old.slot(), Duration::ZERO).unwrap();
        cache.confirm(&confirmed, now());
        assert_eq!(inode(), Some(2));
        drop(held);
        cache.confirm(&confirmed, now());
        assert_eq!(inode(), Some(77));
        let mut newer = old.clone();
        newer.credentials.access_key_id = "ASIAIOSFODNN7NEWER00".parse().unwrap();
        cache.store(&newer, now()).unwrap();
        cache.confirm(&confirmed, now());
        assert_eq!(inode(), Some(2), "the newer session stays");
    }

    #[test]
    fn a_swapped_session_file_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let (powerless, admin) = (record("read-only"), record("admin"));
        cache.store(&powerless, now()).unwrap();
        let first = files(state.path()).remove(0);
        cache.store(&admin, now()).unwrap();
        let second = files(state.path()).into_iter().find(|path| *path != first).unwrap();
        std::fs::copy(&second, &first).unwrap();
        assert!(cache.read(powerless.slot()).is_none());
        assert_eq!(cache.read(admin.slot()).unwrap().slot().profile.as_str(), "admin");
        assert_eq!(cache.list().len(), 1);
    }

    #[test]
    fn a_session_of_another_vault_or_identity_is_none() {
        let state = tempfile::tempdir().unwrap();
        let stored = record("prod");
        cache(state.path()).store(&stored, now()).unwrap();
        let name = |cache: &Cache| cache.name(stored.slot());
        let other_identity = IdentityText::new(
            secrecy::ExposeSecret::expose_secret(&age::x25519::Identity::generate().to_string()).to_owned(),
        );
        let by_identity = Cache::new(&RealDisk, state.path(), SessionKey::of(&other_identity, "vault").unwrap());
        let same = super::super::fixture::session_identity();
        let by_vault = Cache::new(&RealDisk, state.path(), SessionKey::of(&same, "other vault").unwrap());
        for stranger in [&by_identity, &by_vault] {
            assert_ne!(name(stranger), name(&cache(state.path())));
            assert!(stranger.read(stored.slot()).is_none());
            assert!(stranger.list().is_empty());
        }
        assert!(SessionKey::of(&IdentityText::new("x".into()), "vault").is_err());
    }

    #[test]
    fn a_damaged_record_is_a_miss_at_every_byte_and_never_an_error() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let stored = record("prod");
        cache.store(&stored, now()).unwrap();
        let path = files(state.path()).remove(0);
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            assert!(cache.read(stored.slot()).is_none(), "flipped at {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(cache.read(stored.slot()).is_none(), "cut at {at}");
        }
        std::fs::write(&path, &whole).unwrap();
        assert!(cache.read(stored.slot()).is_some());
    }

    #[test]
    fn a_planted_header_costs_no_time() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let stored = record("prod");
        cache.store(&stored, now()).unwrap();
        let path = files(state.path()).remove(0);
        let stanzas = "-> X\n".repeat(20_000);
        std::fs::write(&path, format!("age-encryption.org/v1\n{stanzas}--- AAAA\n")).unwrap();
        let before = computed();
        assert!(cache.read(stored.slot()).is_none());
        let took = computed() - before;
        assert!(took < Duration::from_millis(50), "took {took:?}");
    }

    #[test]
    fn a_folder_that_others_can_write_is_not_used() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        let stored = record("prod");
        cache.store(&stored, now()).unwrap();
        let open = std::fs::Permissions::from_mode(0o770);
        std::fs::set_permissions(state.path().join("sessions"), open).unwrap();
        assert!(cache.read(stored.slot()).is_none());
        assert!(matches!(cache.store(&stored, now()), Err(CacheError::Untrusted(_))));
    }

    #[test]
    fn removing_takes_every_session_of_that_profile_and_of_no_other() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        assert_eq!(cache.remove(&"prod".parse().unwrap()).unwrap(), 0);
        let mut asked = record("prod");
        asked.ladder.rungs[0].slot.asked.duration_seconds = Some(900);
        for record in [record("prod"), asked, record("dev")] {
            cache.store(&record, now()).unwrap();
        }
        assert_eq!(cache.remove(&"prod".parse().unwrap()).unwrap(), 2);
        let left: Vec<_> = cache.list().into_iter().map(|record| record.slot().profile.to_string()).collect();
        assert_eq!(left, ["dev"]);
        std::fs::write(state.path().join("sessions/damaged.age"), b"x").unwrap();
        assert_eq!(cache.remove_all().unwrap(), 2);
        assert!(files(state.path()).is_empty());
    }

    #[test]
    fn storing_sweeps_what_no_session_can_outlive() {
        let state = tempfile::tempdir().unwrap();
        let cache = cache(state.path());
        cache.store(&record("prod"), Timestamp::now()).unwrap();
        let folder = state.path().join("sessions");
        for name in ["dead.tmp-1-00000000", "old.code", "somebody-elses"] {
            std::fs::write(folder.join(name), b"x").unwrap();
        }
        cache.store(&record("dev"), Timestamp::now() + SignedDuration::from_hours(36)).unwrap();
        assert_eq!(files(state.path()).len(), 5);
        cache.store(&record("last"), Timestamp::now() + SignedDuration::from_hours(38)).unwrap();
        assert_eq!(cache.list().len(), 1);
        assert_eq!(files(state.path()).len(), 2);
    }
}
