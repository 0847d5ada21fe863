//! The lines that are exchanged with a plugin: age's stanzas, `-> tag arguments`, then base64 in lines of 64 columns of which
//! the last is shorter.

use age_core::format::{Stanza, read};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;

use crate::secret::SecretBytes;

const COLUMNS: usize = 64;

/// Bodies hold file keys and PINs.
pub fn encode(tag: &str, arguments: &[&str], body: &[u8]) -> SecretBytes {
    let mut text = SecretBytes::new(format!("-> {}\n", [&[tag], arguments].concat().join(" ")).into_bytes());
    let body = SecretBytes::new(BASE64.encode(body).into_bytes());
    for line in body.chunks(COLUMNS) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    // A full line says that another one follows.
    if body.len().is_multiple_of(COLUMNS) {
        text.push(b'\n');
    }
    text
}

/// Whether a stanza whose lines, line feeds included, so far end with this one is complete.
pub fn is_last(line: &[u8]) -> bool {
    !line.starts_with(b"-> ") && line.len() <= COLUMNS
}

/// For a line of a body.
pub fn is_too_long(line: &[u8]) -> bool {
    !line.starts_with(b"-> ") && line.len() > COLUMNS + 1
}

pub fn decode(text: &[u8]) -> Option<Stanza> {
    match read::age_stanza(text) {
        Ok((b"", stanza)) => Some(stanza.into()),
        _ => None,
    }
}
