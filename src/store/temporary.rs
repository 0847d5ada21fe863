//! Files being written, beside the vault: named so that what a crash left behind can be told from everybody else's files.

use std::io;

use crate::disk::Folder;

/// A name beside `name` that nobody has: `.vault.age.0123456789abcdef.tmp`.
pub fn fresh_name(name: &str) -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".{name}.{:016x}.tmp", u64::from_ne_bytes(random)))
}

/// Removes what saves that were cut short left behind. Under the lock none of it is in use; failing costs space only.
pub fn sweep(folder: &dyn Folder, name: &str) {
    for file in folder.names().unwrap_or_default() {
        if is_ours(name, &file) {
            let _ = folder.remove(&file);
        }
    }
}

/// Whether a save made it.
pub fn is_ours(name: &str, file: &str) -> bool {
    let inner = || file.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp");
    inner().is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_exactly_our_pattern_are_swept() {
        assert!(is_ours("vault.age", &fresh_name("vault.age").unwrap()));
        assert_ne!(fresh_name("vault.age").unwrap(), fresh_name("vault.age").unwrap());
        for other in [
            "vault.age",
            ".vault.age.lock",
            ".vault.age.tmp",
            ".vault.age.0123456789abcde.tmp",
            ".vault.age.0123456789ABCDEF.tmp",
            ".vault.age.0123456789abcdef.tmp.bak",
            ".other.age.0123456789abcdef.tmp",
        ] {
            assert!(!is_ours("vault.age", other), "{other}");
        }
    }
}
