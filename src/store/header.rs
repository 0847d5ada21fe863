//! The header of the vault file, scanned before age parses it. age's parser starts over with every line it is given, so a
//! header of 160 kB made for the purpose costs it most of a minute; one within these bounds costs it a millisecond.

use thiserror::Error;

use super::kdf::{KdfError, KdfParameters};
use super::passphrase::KDF_TAG;

/// The largest vault that is read. Twice what is written: another writer may pad.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;
const MAX_HEADER: usize = 64 * 1024;
const MAX_STANZAS: usize = 32;
/// An RSA stanza, the longest in use, has six lines.
const MAX_BODY_LINES: usize = 8;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1";
/// Bodies are wrapped at this column; a shorter line, empty where need be, ends one (age v1 specification).
const BODY_COLUMNS: usize = 64;
/// Tags of ours start so; one that is not [`KDF_TAG`] is from a version to come.
const OUR_TAGS: &str = "vault-format.";

/// Why a file is refused by its first lines, before any key is tried.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    #[error("not an age file")]
    NotAge,
    #[error("larger than {MAX_FILE} bytes")]
    FileTooLarge,
    #[error("the header does not end within {MAX_HEADER} bytes")]
    TooLong,
    #[error("the header has more than {MAX_STANZAS} recipients")]
    TooManyStanzas,
    #[error("the header is damaged")]
    Malformed,
    /// The file is a vault, by a stanza that this version does not know.
    #[error("made by a newer version")]
    Newer,
    #[error("the passphrase's line in the header is damaged: {0}")]
    Kdf(#[from] KdfError),
    #[error("the passphrase's line in the header does not have four arguments and an empty body")]
    KdfShape,
    #[error("the header has two lines for a passphrase")]
    TwoKdf,
}

/// Says how the passphrase opens the file; None where it has only other recipients.
pub fn scan(file: &[u8]) -> Result<Option<KdfParameters>, HeaderError> {
    if file.len() as u64 > MAX_FILE {
        return Err(HeaderError::FileTooLarge);
    }
    let mut lines = header_lines(file)?;
    let mut kdf = None;
    let mut stanzas = 0;
    while let Some(line) = lines.next() {
        let line = line.strip_prefix(b"-> ").ok_or(HeaderError::Malformed)?;
        stanzas += 1;
        if stanzas > MAX_STANZAS {
            return Err(HeaderError::TooManyStanzas);
        }
        let body_is_empty = skip_body(&mut lines)?;
        let found = our_stanza(line, body_is_empty)?;
        if found.is_some() && kdf.is_some() {
            return Err(HeaderError::TwoKdf);
        }
        kdf = kdf.or(found);
    }
    Ok(kdf)
}

/// The lines between the version line and the one with the MAC.
fn header_lines(file: &[u8]) -> Result<impl Iterator<Item = &[u8]>, HeaderError> {
    let start = &file[..file.len().min(MAX_HEADER)];
    let rest = start.strip_prefix(VERSION_LINE).ok_or(HeaderError::NotAge)?;
    let end = rest.windows(5).position(|window| window == b"\n--- ");
    let end = end.ok_or(if file.len() > MAX_HEADER { HeaderError::TooLong } else { HeaderError::Malformed })?;
    let lines = &rest[..end];
    match lines.strip_prefix(b"\n") {
        Some(lines) => Ok(lines.split(|b| *b == b'\n')),
        None => Err(HeaderError::Malformed),
    }
}

/// Says whether the body was empty. The age crate also takes bodies without their last, short line, as early writers left
/// them; to it the next stanza would begin where a body still goes on here. So what a body is made of is checked too.
fn skip_body<'a>(lines: &mut impl Iterator<Item = &'a [u8]>) -> Result<bool, HeaderError> {
    for count in 0..MAX_BODY_LINES {
        let line = lines.next().filter(|line| line.iter().all(is_base64)).ok_or(HeaderError::Malformed)?;
        match line.len() {
            BODY_COLUMNS => {}
            short if short < BODY_COLUMNS => return Ok(count == 0 && short == 0),
            _ => break,
        }
    }
    Err(HeaderError::Malformed)
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/".contains(byte)
}

/// Strict, since the costs decide how much memory and time the next step takes: one spelling, no extras.
fn our_stanza(line: &[u8], body_is_empty: bool) -> Result<Option<KdfParameters>, HeaderError> {
    let Ok(line) = str::from_utf8(line) else { return Err(HeaderError::Malformed) };
    let mut words = line.split(' ');
    let tag = words.next().unwrap_or_default();
    if !tag.starts_with(OUR_TAGS) {
        return Ok(None);
    }
    if tag != KDF_TAG {
        return Err(HeaderError::Newer);
    }
    let words: Vec<&str> = words.take(5).collect();
    match <[&str; 4]>::try_from(words) {
        Ok(words) if body_is_empty => Ok(Some(KdfParameters::from_words(words)?)),
        _ => Err(HeaderError::KdfShape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::computed;
    use std::time::Duration;

    const KDF: &str = "-> vault-format.v1/argon2id AAECAwQFBgcICQoLDA0ODw 8192 3 4\n\n";
    const X25519: &str = "-> X25519 c2hhcmU\nd3JhcHBlZA\n";

    fn file(stanzas: &str) -> Vec<u8> {
        format!("age-encryption.org/v1\n{stanzas}--- bWFj\nbody").into_bytes()
    }

    fn refused(file: &[u8]) -> HeaderError {
        let before = computed();
        let error = scan(file).expect_err("accepted");
        let took = computed() - before;
        assert!(took < Duration::from_millis(50), "took {took:?}");
        error
    }

    #[test]
    fn the_passphrases_line_is_found_wherever_it_stands_and_may_be_absent() {
        let expected = KdfParameters::from_words(["AAECAwQFBgcICQoLDA0ODw", "8192", "3", "4"]).unwrap();
        assert_eq!(scan(&file(&format!("{KDF}{X25519}"))), Ok(Some(expected)));
        assert_eq!(scan(&file(&format!("{X25519}{KDF}"))), Ok(Some(expected)));
        assert_eq!(scan(&file(X25519)), Ok(None));
        let full_body = format!("-> some-other 1 2\n{}\n\n{KDF}", "A".repeat(64));
        assert_eq!(scan(&file(&full_body)), Ok(Some(expected)));
    }

    #[test]
    fn what_is_not_an_age_file_is_said_to_be_none() {
        for other in [&b""[..], b"PK\x03\x04", b"[default]\naws_access_key_id = x\n", b"age-encryption.org/v2\n"] {
            assert_eq!(refused(other), HeaderError::NotAge);
        }
    }

    #[test]
    fn twenty_thousand_stanzas_are_refused_at_once() {
        assert_eq!(refused(&file(&"-> a\n\n".repeat(20_000))), HeaderError::TooLong);
        assert_eq!(refused(&file(&"-> a\n\n".repeat(33))), HeaderError::TooManyStanzas);
        assert!(scan(&file(&"-> a\n\n".repeat(32))).is_ok());
    }

    #[test]
    fn a_header_made_to_keep_the_parser_busy_is_refused_at_once() {
        assert_eq!(refused(&file(&format!("-> a\n{}", "A\n".repeat(30_000)))), HeaderError::Malformed);
        let long_body = format!("-> a\n{}\n", format!("{}\n", "A".repeat(64)).repeat(900));
        assert_eq!(refused(&file(&long_body)), HeaderError::Malformed);
        assert_eq!(refused(&file(&format!("-> a\n{}\n", "A".repeat(65)))), HeaderError::Malformed);
        let mut endless = b"age-encryption.org/v1\n-> ".to_vec();
        endless.resize(15 * 1024 * 1024, b'a');
        assert_eq!(refused(&endless), HeaderError::TooLong);
        assert_eq!(refused(&vec![b'a'; 16 * 1024 * 1024 + 1]), HeaderError::FileTooLarge);
    }

    #[test]
    fn a_stanza_does_not_hide_in_the_body_of_another() {
        for before in ["-> X25519 c2hhcmU\n", &format!("-> some-other\n{}\n", "A".repeat(64))] {
            let hidden = file(&format!("{before}-> vault-format.v1/argon2id x\n{KDF}"));
            assert_eq!(refused(&hidden), HeaderError::Malformed);
        }
    }

    #[test]
    fn hostile_costs_are_refused_before_anything_is_allocated_for_them() {
        for costs in ["2097153 1 1", "4294967295 1 1", "2097152 5 1", "8192 17 1", "8192 3 17", "7 1 1", "8192 0 1"] {
            let stanza = format!("-> vault-format.v1/argon2id AAECAwQFBgcICQoLDA0ODw {costs}\n\n{X25519}");
            assert!(matches!(refused(&file(&stanza)), HeaderError::Kdf(_)), "{costs}");
        }
    }

    #[test]
    fn the_passphrases_line_has_one_spelling() {
        let salt = "AAECAwQFBgcICQoLDA0ODw";
        for line in [
            format!("{salt} 8192 3"),
            format!("{salt} 8192 3 4 5"),
            format!("{salt} 8192 3 4 "),
            format!("{salt}  8192 3 4"),
            String::new(),
            format!("{salt} 08192 3 4"),
            format!("{salt} 8192 3 4\r"),
            format!("{salt}== 8192 3 4"),
        ] {
            let refused = refused(&file(&format!("-> vault-format.v1/argon2id {line}\n\n")));
            assert!(matches!(refused, HeaderError::KdfShape | HeaderError::Kdf(_)), "{line:?}");
        }
        let with_body = KDF.replace("4\n\n", "4\nAAAA\n");
        assert_eq!(refused(&file(&with_body)), HeaderError::KdfShape);
        assert_eq!(refused(&file(&format!("{KDF}{X25519}{KDF}"))), HeaderError::TwoKdf);
    }

    #[test]
    fn a_stanza_of_a_version_to_come_is_named_as_that() {
        assert_eq!(refused(&file("-> vault-format.v2/argon2id x\n\n")), HeaderError::Newer);
        assert_eq!(refused(&file("-> vault-format.v1/hybrid x\n\n")), HeaderError::Newer);
    }
}
