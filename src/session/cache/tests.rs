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
