//! The search for secrets in everything a case saw, in the spellings that programs carry them in.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

const SESSION: &str = "a session's secret";

#[derive(Default)]
pub struct Secrets {
    secrets: Vec<(String, String)>,
    seen: Vec<(String, Vec<u8>)>,
}

impl Secrets {
    pub fn of<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self::default();
        secrets.into_iter().for_each(|(what, secret)| all.add(what, secret));
        all
    }

    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 12, "{what}: too short to be searched for");
        if !self.secrets.iter().any(|(_, known)| known == secret) {
            self.secrets.push((what.to_owned(), secret.to_owned()));
        }
    }

    pub fn see(&mut self, place: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.seen.push((place.to_owned(), bytes.to_vec()));
        }
    }

    /// What the program said that it must not.
    pub fn found(&self) -> Vec<String> {
        let in_place = |(place, bytes): &(String, Vec<u8>)| self.found_in(place, bytes, place.starts_with("stdout "));
        self.seen.iter().flat_map(in_place).collect()
    }

    pub fn found_in(&self, place: &str, bytes: &[u8], session_belongs: bool) -> Vec<String> {
        let looked_for = self.secrets.iter().filter(|(what, _)| !(session_belongs && what == SESSION));
        let found = looked_for.filter(|(_, secret)| spellings(secret).iter().any(|spelling| contains(bytes, spelling)));
        found.map(|(what, _)| format!("{what}, in {place}")).collect()
    }
}

/// The values that a credentials file holds sessions by.
pub fn session_secrets_in(credentials: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(credentials);
    let mut secrets = Vec::new();
    for section in text.split('[').filter(|section| section.contains("aws_session_token")) {
        for line in section.lines() {
            match line.split_once('=') {
                Some((key, value)) if matches!(key.trim(), "aws_session_token" | "aws_secret_access_key") => {
                    secrets.push(value.trim().to_owned());
                }
                _ => {}
            }
        }
    }
    secrets
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned(), url_encoded(secret), url_encoded(secret).to_lowercase()];
    for engine in [&STANDARD, &URL_SAFE] {
        spellings.extend((0..3).map(|offset| {
            // As the middle of something longer: the characters that also depend on its neighbours are left out.
            let padded = engine.encode(format!("{}{secret}", "\0".repeat(offset)));
            let from = (offset * 8).div_ceil(6);
            let to = (offset + secret.len()) * 8 / 6;
            padded[from..to].to_owned()
        }));
    }
    spellings
}

pub fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

pub fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
