//! Takes long-term keys out of the files they lay in, once the vault holds them. Everything else in those files stays.

use std::path::Path;

use super::error::ExportError;
use super::saving::{SECRET_MODE, save};
use crate::aws_files::credentials::{ACCESS_KEY_ID, CredentialsSection, Holds, MARK, SECRET_ACCESS_KEY};
use crate::aws_files::ini::Ini;
use crate::aws_files::ini::edit::{Change, Edit, EditError};
use crate::credentials::AccessKey;
use crate::disk::{Disk, ReadError};
use crate::secret::SecretBytes;

const PAIR: [&str; 2] = [ACCESS_KEY_ID, SECRET_ACCESS_KEY];

/// Removes these keys from the sections they were found in, where they still stand there; names those sections. A section
/// in which nothing is left goes, too.
pub fn remove_keys(disk: &dyn Disk, path: &Path, keys: &[(&str, &AccessKey)]) -> Result<Vec<String>, ExportError> {
    let mut removed = Vec::new();
    let mut edit = |bytes: &[u8]| {
        removed.clear();
        let mut new = SecretBytes::new(bytes.to_vec());
        for (section, key) in keys {
            if let Some(without) = without_key(&new, section, key).map_err(ExportError::edit(path))? {
                removed.push((*section).to_owned());
                new = without;
            }
        }
        Ok((!removed.is_empty()).then_some(new))
    };
    save(disk, path, SECRET_MODE, &mut edit)?;
    Ok(removed)
}

/// None where the section is gone, or holds another key by now, which the vault may not have.
fn without_key(bytes: &[u8], name: &str, key: &AccessKey) -> Result<Option<SecretBytes>, EditError> {
    let ini = Ini::parse(bytes);
    let Some(section) = ini.only(|header| header == name.as_bytes())? else { return Ok(None) };
    let held = match CredentialsSection::read(&ini, section).holds {
        Holds::LongTerm(held) => held,
        Holds::Session { .. } | Holds::Unclear { .. } | Holds::Nothing => return Ok(None),
    };
    if !held.is_same_pair(key) {
        return Ok(None);
    }
    let edited = match ini.has_only(section, &PAIR, MARK) {
        true => ini.changed(&[(section, Change::Remove)]),
        false => ini.rewritten(section, &Edit { remove: PAIR.to_vec(), ..Edit::default() }),
    };
    edited.map(Some)
}

/// Removes a file that holds nothing but keys, if it is still what was read; links to it stay. Says whether it did.
pub fn remove_file(disk: &dyn Disk, path: &Path, read: &[u8]) -> Result<bool, ExportError> {
    let failed = |error| ExportError::NotCommitted { path: path.to_owned(), error };
    let resolved = disk.resolve(path).map_err(failed)?;
    let (Some(folder), Some(name)) = (resolved.parent(), resolved.file_name().and_then(|name| name.to_str())) else {
        return Ok(false);
    };
    let folder = disk.open_folder(folder).map_err(failed)?;
    match folder.read(name, read.len() as u64).map(|(now, _)| SecretBytes::new(now)) {
        Ok(now) if now.as_slice() == read => {}
        Ok(_) | Err(ReadError::TooLarge { .. } | ReadError::NotAFile) => return Ok(false),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(ReadError::Io(error)) => return Err(failed(error)),
    }
    folder.remove(name).map_err(failed)?;
    folder.sync().map_err(|error| ExportError::CommittedNotDurable { path: resolved.clone(), error })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::secret::SecretAccessKey;
    use std::fs;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const PAIR: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";

    fn key(secret: &str) -> AccessKey {
        AccessKey { id: ID.parse().unwrap(), secret: SecretAccessKey::new(secret.to_owned()) }
    }

    fn without(file: &str, section: &str) -> Option<String> {
        let new = without_key(file.as_bytes(), section, &key("s")).unwrap();
        new.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_pair_goes_and_the_section_with_it_only_where_nothing_else_is_in_it() {
        assert_eq!(without(&format!("[a]\n{PAIR}\n# b\n[b]\nx=1\n"), "a").unwrap(), "\n# b\n[b]\nx=1\n");
        let mine = format!("[a]\n# mine\n{PAIR}region = x\n");
        assert_eq!(without(&mine, "a").unwrap(), "[a]\n# mine\nregion = x\n");
        assert_eq!(without(&format!("[a]\n# mine\n{PAIR}"), "a").unwrap(), "[a]\n# mine\n");
    }

    #[test]
    fn a_nasty_file_keeps_every_other_byte() {
        let file = "\u{feff}# top\r\n[x]\r\n\tkey = 1\r\n[p]\r\nAWS_Access_Key_Id\t:\tAKIAIOSFODNN7EXAMPLE ; mine\r\ns3 =\r\n  a = b\r\n\
                    aws_secret_access_key=s\r\n\r\n[y]\r\nz";
        let after = "\u{feff}# top\r\n[x]\r\n\tkey = 1\r\n[p]\r\ns3 =\r\n  a = b\r\n\r\n[y]\r\nz";
        assert_eq!(without(file, "p").unwrap(), after);
    }

    #[test]
    fn another_secret_another_key_a_session_or_no_section_is_left() {
        for file in [
            "[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = other\n",
            "[a]\naws_access_key_id = AKIAIOSFODNN7EXAMPLX\naws_secret_access_key = s\n",
            "[a]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\naws_session_token = t\n",
            "[b]\n",
        ] {
            assert_eq!(without(file, "a"), None, "{file}");
        }
        assert!(without_key(format!("[a]\n{PAIR}[a]\n").as_bytes(), "a", &key("s")).is_err());
    }

    #[test]
    fn a_file_goes_only_as_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("f"), folder.path().join("link"));
        fs::write(&path, "read").unwrap();
        std::os::unix::fs::symlink("f", &link).unwrap();
        for other in [&b"another"[..], b"rea", b"longer than it"] {
            assert!(!remove_file(&RealDisk, &path, other).unwrap());
        }
        assert!(remove_file(&RealDisk, &link, b"read").unwrap());
        assert!(!path.exists() && link.is_symlink());
        assert!(!remove_file(&RealDisk, &path, b"read").unwrap(), "gone already");
    }
}
