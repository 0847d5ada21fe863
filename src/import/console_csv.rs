//! The access key file that AWS's console gives, whichever of its layouts: columns are found by their heading.
//!
//! For a key: `Access key ID,Secret access key`. For a user: `User name,Password,Access key ID,Secret access key,Console
//! login link`, earlier `User Name,Access Key Id,Secret Access Key`, some with a byte order mark and CRLF.

use std::path::Path;

use thiserror::Error;

use super::found::{Found, Origin, Reading, Skipped, Source, Why};
use crate::credentials::AccessKey;
use crate::names::NameError;
use crate::secret::{SecretAccessKey, SecretBytes};
use crate::store::document::Profile;

/// The console's file has a line a key.
pub const LONGEST: u64 = 64 * 1024;

/// What the console adds to a user's name where the file has none in it.
const FILE_SUFFIX: &str = "_accessKeys";

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CsvError {
    #[error("not an access key file of the console")]
    NotTheConsoles,
    #[error(transparent)]
    Id(#[from] NameError),
    #[error("not a secret access key")]
    Secret,
}

/// A line of the file. No Debug: it holds a secret.
pub struct Row {
    pub user: Option<String>,
    pub key: AccessKey,
    /// Counted from one.
    pub line: usize,
}

/// All keys in the file; at least one.
pub fn rows(bytes: &[u8]) -> Result<Vec<Row>, CsvError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        // Excel and the console put a byte order mark in front.
        .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let headings = reader.headers().map_err(|_| CsvError::NotTheConsoles)?.clone();
    let column = |wanted: &str| headings.iter().position(|heading| heading.eq_ignore_ascii_case(wanted));
    let needed = |wanted| column(wanted).ok_or(CsvError::NotTheConsoles);
    let (id, secret, user) = (needed("Access key ID")?, needed("Secret access key")?, column("User name"));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| CsvError::NotTheConsoles)?;
        let field = |index: usize| record.get(index).ok_or(CsvError::NotTheConsoles);
        rows.push(Row {
            user: user.and_then(|index| record.get(index)).filter(|name| !name.is_empty()).map(str::to_owned),
            key: AccessKey { id: field(id)?.parse()?, secret: parse_secret(field(secret)?.as_bytes())? },
            line: record.position().map_or(0, |position| position.line() as usize),
        });
    }
    if rows.is_empty() { Err(CsvError::NotTheConsoles) } else { Ok(rows) }
}

/// A profile a key, called like its user, else like the file.
pub fn read(bytes: &SecretBytes, path: &Path) -> Result<Reading, CsvError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let of_file = stem.strip_suffix(FILE_SUFFIX).unwrap_or(&stem);
    let mut reading = Reading::default();
    for row in rows(bytes)? {
        let name = row.user.unwrap_or_else(|| of_file.to_owned());
        let origin = Origin { source: Source::Csv, path: Some(path.to_owned()), section: None, line: Some(row.line) };
        if row.key.id.is_temporary() {
            reading.skipped.push(Skipped { name, why: Why::Session, origin });
            continue;
        }
        let (key, settings) = (Some(row.key.into()), Profile::default());
        reading.found.push(Found { name, key, settings, origin, duplicate: None });
    }
    Ok(reading)
}

/// A secret access key has 40 characters of base64; only what would surely be a slip of the hand is refused.
pub fn parse_secret(bytes: &[u8]) -> Result<SecretAccessKey, CsvError> {
    let text = std::str::from_utf8(bytes).map(str::trim).map_err(|_| CsvError::Secret)?;
    let plausible = (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plausible { Ok(SecretAccessKey::new(text.to_owned())) } else { Err(CsvError::Secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn names(text: &str, path: &str) -> Vec<String> {
        let reading = read(&SecretBytes::new(text.as_bytes().to_vec()), Path::new(path)).unwrap_or_default();
        let whole = |found: &Found| {
            let key = &found.key.as_ref().unwrap().pair;
            key.id.as_str() == ID && key.secret.expose() == SECRET
        };
        assert!(reading.found.iter().all(whole));
        reading.found.into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn every_layout_the_console_ever_had_is_read_in_any_order_of_columns() {
        for text in [
            format!("Access key ID,Secret access key\r\n{ID},{SECRET}\r\n"),
            format!("\u{feff}Secret access key,Access key ID\r\n\"{SECRET}\",\"{ID}\""),
        ] {
            assert_eq!(names(&text, "/downloads/alice_accessKeys.csv"), ["alice"]);
            assert_eq!(names(&text, "rootkey.csv"), ["rootkey"]);
        }
        for text in [
            format!(
                "User name,Password,Access key ID,Secret access key,Console login link\nalice,,{ID},{SECRET},https://x\n"
            ),
            format!("User Name,Access Key Id,Secret Access Key\n\"alice\",{ID},{SECRET}\n"),
        ] {
            assert_eq!(names(&text, "credentials.csv"), ["alice"]);
        }
    }

    #[test]
    fn a_file_can_hold_several_users_keys() {
        let text = format!("User name,Access key ID,Secret access key\nalice,{ID},{SECRET}\nbob,{ID},{SECRET}\n");
        assert_eq!(names(&text, "x.csv"), ["alice", "bob"]);
        assert_eq!(rows(text.as_bytes()).ok().unwrap().iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_sessions_pair_is_no_key() {
        let text = format!("Access key ID,Secret access key\nASIAIOSFODNN7EXAMPLE,{SECRET}\n");
        let reading = read(&SecretBytes::new(text.into_bytes()), Path::new("x.csv")).ok().unwrap();
        assert_eq!((reading.found.len(), &reading.skipped[0].why), (0, &Why::Session));
    }

    #[test]
    fn what_is_something_else_is_refused_without_a_piece_of_it() {
        let heading = "Access key ID,Secret access key\n";
        let wrong = |text: &str| rows(text.as_bytes()).err().unwrap();
        for other in ["", "name,value\na,b\n", &format!("{ID},{SECRET}\n"), heading, &format!("{heading}{ID}\n")] {
            assert_eq!(wrong(other), CsvError::NotTheConsoles, "{other}");
        }
        assert_eq!(wrong(&format!("{heading}{SECRET},{ID}\n")), CsvError::Id(NameError::AccessKeyId));
        assert_eq!(wrong(&format!("{heading}{ID},short\n")), CsvError::Secret);
    }
}
