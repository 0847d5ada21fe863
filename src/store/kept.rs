//! Earlier generations, kept beside the vault as `vault.age.g41-0a1b2c3d`: the generation's number and the start of the
//! file's SHA-256.

use std::collections::BTreeSet;
use std::io;

use jiff::Timestamp;

use super::header::MAX_FILE;
use super::temporary;
use crate::disk::{Folder, ReadError, replace};

/// So many of the newest stay whatever their age.
const NEWEST: usize = 10;
/// One a day stays for so many days: the way back from a mistake that is found late.
const DAYS: i128 = 30;
const DAY: i128 = 24 * 3600 * 1_000_000_000;

/// What a save keeps of the file that it replaces; of two wishes the greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// For saves of which many follow one another: they would push the states that people go back to out of the ten.
    Nothing,
    Predecessor,
}

/// Keeps what stands under `name` now, before something else takes its place.
pub fn keep(folder: &dyn Folder, name: &str, generation: u64, hash: &[u8; 32], bytes: &[u8]) -> io::Result<()> {
    let kept = kept_name(name, generation, hash);
    match folder.link(name, &kept) {
        Ok(()) => Ok(()),
        // An earlier attempt at this save came as far as here.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && holds(folder, &kept, bytes) => Ok(()),
        // No hard links here (FAT, some network folders), or something else under that name.
        Err(_) => copy(folder, name, &kept, bytes),
    }
}

/// Keeps what stands under `name` now, for good when this returns.
pub fn keep_durably(folder: &dyn Folder, name: &str, generation: u64, hash: &[u8; 32], bytes: &[u8]) -> io::Result<()> {
    keep(folder, name, generation, hash, bytes)?;
    // A sync program may have put either file there, and does not wait for the disk.
    folder.read_synced(&kept_name(name, generation, hash), MAX_FILE).map_err(ReadError::into_io)?;
    folder.sync()
}

fn holds(folder: &dyn Folder, kept: &str, bytes: &[u8]) -> bool {
    folder.read(kept, bytes.len() as u64).is_ok_and(|(found, _)| found == bytes)
}

fn copy(folder: &dyn Folder, name: &str, kept: &str, bytes: &[u8]) -> io::Result<()> {
    replace(folder, kept, &temporary::fresh_name(name)?, 0o600, bytes, || Ok(())).durable()
}

/// Removes what is neither among the newest nor the last of its day, and all that is before `oldest`: that may open for
/// people who were removed since, and is gone for good when this returns. What can't be removed now is tried again at the
/// next save: the save itself is done and is not reported as failed for it.
pub fn prune(folder: &dyn Folder, name: &str, oldest: u64, now: Timestamp) {
    let Ok(names) = folder.names() else { return };
    let kept = names.into_iter().filter_map(|file| {
        let generation = parse_generation(name, &file)?;
        let status = folder.entry(&file).ok()??;
        Some(Kept { file, generation, modified: status.modified })
    });
    let kept: Vec<Kept> = kept.collect();
    let has_to_go = kept.iter().any(|one| one.generation < oldest);
    for file in superseded(kept, oldest, now) {
        let _ = folder.remove(&file);
    }
    if has_to_go {
        let _ = folder.sync();
    }
}

struct Kept {
    file: String,
    generation: u64,
    modified: i128,
}

fn superseded(mut kept: Vec<Kept>, oldest_generation: u64, now: Timestamp) -> Vec<String> {
    kept.sort_by_key(|one| std::cmp::Reverse((one.generation, one.modified)));
    let oldest = now.as_nanosecond() - DAYS * DAY;
    let mut days = BTreeSet::new();
    let mut superseded = Vec::new();
    for (age, one) in kept.into_iter().enumerate() {
        let last_of_its_day = days.insert(one.modified.div_euclid(DAY));
        let worth_keeping = age < NEWEST || last_of_its_day && one.modified >= oldest;
        if one.generation < oldest_generation || !worth_keeping {
            superseded.push(one.file);
        }
    }
    superseded
}

fn kept_name(name: &str, generation: u64, hash: &[u8; 32]) -> String {
    [name, &ending(generation, hash)].concat()
}

/// What the name of a kept file has after the vault's.
pub fn ending(generation: u64, hash: &[u8; 32]) -> String {
    let [a, b, c, d, ..] = hash;
    format!(".g{generation}-{a:02x}{b:02x}{c:02x}{d:02x}")
}

/// Only exactly such names are ever removed.
pub fn parse_generation(name: &str, file: &str) -> Option<u64> {
    let (generation, hash) = file.strip_prefix(name)?.strip_prefix(".g")?.split_once('-')?;
    let hash_fits = hash.len() == 8 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let number: u64 = generation.parse().ok()?;
    (hash_fits && number.to_string() == generation).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "vault.age";

    fn kept(generation: u64, days_ago: i128, now: Timestamp) -> Kept {
        let file = kept_name(NAME, generation, &[generation as u8; 32]);
        Kept { file, generation, modified: now.as_nanosecond() - days_ago * DAY }
    }

    fn left(all: Vec<Kept>, now: Timestamp) -> Vec<u64> {
        let every: BTreeSet<u64> = all.iter().map(|one| one.generation).collect();
        let gone = superseded(all, 0, now).iter().map(|file| parse_generation(NAME, file).unwrap()).collect();
        every.difference(&gone).copied().collect()
    }

    #[test]
    fn the_ten_newest_stay_however_old_they_are() {
        let now = Timestamp::now();
        let all = (1..=25).map(|generation| kept(generation, 400, now)).collect();
        assert_eq!(left(all, now), (16..=25).collect::<Vec<_>>());
    }

    #[test]
    fn of_each_of_the_last_thirty_days_the_last_one_stays() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        // Two a day for 40 days, then ten today.
        let days = (0..40)
            .flat_map(|day| [kept(2 * day + 1, 40 - day as i128, now), kept(2 * day + 2, 40 - day as i128, now)]);
        let today = (81..=90).map(|generation| kept(generation, 0, now));
        let expected: Vec<u64> = (0..40).filter(|day| 40 - day <= 30).map(|day| 2 * day + 2).chain(81..=90).collect();
        assert_eq!(left(days.chain(today).collect(), now), expected);
    }

    #[test]
    fn only_names_of_exactly_our_pattern_are_ours() {
        let name = kept_name(NAME, 12, &[0xab; 32]);
        assert_eq!(name, "vault.age.g12-abababab");
        assert_eq!(parse_generation(NAME, &name), Some(12));
        for other in [
            "vault.age",
            "vault.age.g12",
            "vault.age.g12-ABABABAB",
            "vault.age.g012-abababab",
            "vault.age.g12-ababababa",
            "vault.age.g12-abababab.bak",
            "vault.age.gx-abababab",
            "other.age.g12-abababab",
        ] {
            assert_eq!(parse_generation(NAME, other), None, "{other}");
        }
    }
}
