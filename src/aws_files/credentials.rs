//! `~/.aws/credentials`: what each section holds, and whether it is ours.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::file::{self, FileError};
use super::ini::{Entry, Ini, Section};
use crate::credentials::AccessKey;
use crate::disk::Disk;
use crate::names::AccessKeyId;
use crate::secret::SecretAccessKey;

pub const ACCESS_KEY_ID: &str = "aws_access_key_id";
pub const SECRET_ACCESS_KEY: &str = "aws_secret_access_key";
pub const SESSION_TOKEN: &str = "aws_session_token";
/// What `aws_session_token` was called once. botocore still takes it first, so it must not stay beside ours.
pub const SECURITY_TOKEN: &str = "aws_security_token";
/// Each of these makes botocore take the section for credentials, or for half of them.
pub const CREDENTIALS: [&str; 4] = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, SECURITY_TOKEN];
/// No SDK reads it; people and other tools do.
pub const EXPIRATION: &str = "aws_credential_expiration";

/// The same by aws-mfa, <https://github.com/broamski/aws-mfa#readme>.
const AWS_MFAS_EXPIRATION: &str = "expiration";

/// How our comment in a section starts.
pub const MARK: &str = "# session of vault (";

/// The comment in sections that we write. It names the session, so that a section in which somebody has put other
/// credentials since is no longer taken for ours.
pub fn mark(id: &AccessKeyId) -> String {
    format!("{MARK}{}): login renews it, logout removes it", id.short())
}

/// The sections of a credentials file, in its order. Holds secrets: drop it early.
pub struct CredentialsFile {
    sections: Vec<CredentialsSection>,
    /// Where the first section of a name stands among them.
    first_of: HashMap<String, usize>,
}

pub struct CredentialsSection {
    pub name: String,
    /// Of the header, counted from one.
    pub line: usize,
    pub holds: Holds,
    /// Whether the session in it is one that we wrote.
    pub written_by_us: bool,
    /// Whether it says a region, which belongs into the config file and counts from here too.
    pub names_region: bool,
    /// The line where this section, or one of its keys, stands a second time.
    pub duplicate: Option<usize>,
}

/// The credentials in a section.
pub enum Holds {
    LongTerm(AccessKey),
    Session {
        id: Option<AccessKeyId>,
        expiration: Option<Timestamp>,
    },
    /// A secret that can't be told to be one of these: half a pair, or not of the shape that AWS gives out.
    Unclear {
        line: usize,
    },
    Nothing,
}

impl CredentialsFile {
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Self, FileError> {
        Ok(Self::parse(&file::read(disk, path)?))
    }

    pub fn parse(bytes: &[u8]) -> Self {
        let ini = Ini::parse(bytes);
        let mut sections: Vec<_> = ini.sections().map(|section| CredentialsSection::read(&ini, section)).collect();
        let mut first_of = HashMap::new();
        for index in 0..sections.len() {
            let first = *first_of.entry(sections[index].name.clone()).or_insert(index);
            if first != index {
                let line = sections[index].line;
                sections[first].duplicate.get_or_insert(line);
            }
        }
        Self { sections, first_of }
    }

    pub fn sections(&self) -> impl Iterator<Item = &CredentialsSection> {
        self.sections.iter()
    }

    pub fn has_long_term_key(&self) -> bool {
        self.sections.iter().any(|section| matches!(section.holds, Holds::LongTerm(_)))
    }

    pub fn into_sections(self) -> impl Iterator<Item = CredentialsSection> {
        self.sections.into_iter()
    }

    /// The first section of that name.
    pub fn section(&self, name: &str) -> Option<&CredentialsSection> {
        self.first_of.get(name).map(|first| &self.sections[*first])
    }
}

impl CredentialsSection {
    pub fn read(ini: &Ini<'_>, section: &Section<'_>) -> Self {
        let marked = |id: &AccessKeyId| {
            let ours = mark(id);
            ini.comments(section).any(|comment| comment == ours.as_bytes())
        };
        let id = text(section, ACCESS_KEY_ID).and_then(|id| id.parse().ok());
        let written_by_us = id.as_ref().is_some_and(marked) && is_there(section, SESSION_TOKEN).is_some();
        Self {
            name: String::from_utf8_lossy(section.header()).into_owned(),
            line: section.line_number(),
            holds: holds(section, id, written_by_us),
            written_by_us,
            names_region: is_there(section, "region").is_some(),
            duplicate: section.doubled().map(Entry::line_number),
        }
    }
}

fn holds(section: &Section<'_>, id: Option<AccessKeyId>, written_by_us: bool) -> Holds {
    let Some(secret) = is_there(section, SECRET_ACCESS_KEY) else { return Holds::Nothing };
    let token = is_there(section, SESSION_TOKEN).or(is_there(section, SECURITY_TOKEN));
    // `aws configure` leaves the token of an earlier session beside the long-term key it writes.
    let long_term = |id: &AccessKeyId| !id.is_temporary() && (token.is_none() || id.as_str().starts_with("AKIA"));
    match id {
        Some(id) if long_term(&id) && !written_by_us => match secret.text() {
            Some(text) => Holds::LongTerm(AccessKey { id, secret: SecretAccessKey::new(text.to_owned()) }),
            None => Holds::Unclear { line: secret.line_number() },
        },
        None if token.is_none() => Holds::Unclear { line: secret.line_number() },
        id => Holds::Session { id, expiration: expiration(section) },
    }
}

fn expiration(section: &Section<'_>) -> Option<Timestamp> {
    let ours = text(section, EXPIRATION).and_then(|text| text.parse().ok());
    // In UTC, and without a word of that.
    let of_aws_mfa = || {
        let text = text(section, AWS_MFAS_EXPIRATION)?;
        let in_utc = || DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?.to_zoned(TimeZone::UTC).ok();
        text.parse().ok().or_else(|| in_utc().map(|end| end.timestamp()))
    };
    ours.or_else(of_aws_mfa)
}

fn is_there<'s, 'a>(section: &'s Section<'a>, key: &str) -> Option<&'s Entry<'a>> {
    section.entry(key).filter(|entry| !entry.is_empty())
}

fn text<'a>(section: &Section<'a>, key: &str) -> Option<&'a str> {
    section.entry(key).and_then(Entry::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_TERM: &str = "AKIAIOSFODNN7EXAMPLE";
    const SESSION: &str = "ASIAIOSFODNN7EXAMPLE";

    fn section(lines: &[&str]) -> CredentialsSection {
        let text = format!("[p]\n{}\n", lines.join("\n"));
        CredentialsFile::parse(text.as_bytes()).sections.remove(0)
    }

    /// What a section holds, in a word and an id.
    fn told(lines: &[&str]) -> (&'static str, String) {
        match section(lines).holds {
            Holds::LongTerm(key) => ("long-term", key.id.to_string()),
            Holds::Session { id, .. } => ("session", id.map_or(String::new(), String::from)),
            Holds::Unclear { line } => ("unclear", line.to_string()),
            Holds::Nothing => ("nothing", String::new()),
        }
    }

    fn id(text: &str) -> String {
        format!("{ACCESS_KEY_ID} = {text}")
    }

    #[test]
    fn a_pair_without_a_token_is_long_term_and_one_with_it_a_session() {
        let (secret, token) = ("aws_secret_access_key = s", "aws_session_token = t");
        assert_eq!(told(&[&id(LONG_TERM), secret]), ("long-term", LONG_TERM.into()));
        assert_eq!(told(&[&id(SESSION), secret, token]), ("session", SESSION.into()));
        assert_eq!(told(&[&id(SESSION), secret]), ("session", SESSION.into()));
        assert_eq!(told(&[&id("SIMULATED0000000"), secret, "aws_security_token = t"]).0, "session");
        assert_eq!(told(&[&id("short"), secret, token]), ("session", String::new()));
        assert_eq!(told(&["AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE ; mine", secret]).0, "long-term");
    }

    #[test]
    fn a_long_term_key_beside_a_left_over_token_is_still_one() {
        let rest = ["aws_secret_access_key = s", "aws_session_token = old"];
        let marked = format!("{MARK}ASIA...MPLE): login renews it, logout removes it");
        assert_eq!(told(&[&marked, &id(LONG_TERM), rest[0], rest[1]]).0, "long-term");
        assert!(!section(&[&marked, &id("ASIAIOSFODNN7EXAMPLX"), rest[0], rest[1]]).written_by_us);
    }

    #[test]
    fn a_secret_that_cannot_be_saved_is_told_by_its_line() {
        assert_eq!(told(&["aws_secret_access_key = s"]), ("unclear", "2".into()));
        assert_eq!(told(&[&id("test"), "aws_secret_access_key = s"]), ("unclear", "3".into()));
        assert_eq!(told(&[&id(LONG_TERM), "aws_secret_access_key = s", "  more"]), ("unclear", "3".into()));
        assert_eq!(told(&[&id(LONG_TERM)]).0, "nothing");
        assert_eq!(told(&[&id(LONG_TERM), "aws_secret_access_key ="]).0, "nothing");
    }

    #[test]
    fn our_sections_are_known_by_the_mark_with_their_session() {
        let session: AccessKeyId = SESSION.parse().unwrap();
        let lines = [&mark(&session), &id(SESSION), "aws_secret_access_key = s", "aws_session_token = t"];
        assert!(section(&lines).written_by_us);
        assert!(!section(&lines[1..]).written_by_us);
        assert!(!section(&lines[..3]).written_by_us, "our sessions have a token");
        let expiring = [lines[1], lines[2], lines[3], "aws_credential_expiration = 2026-01-02T03:04:05Z"];
        let Holds::Session { expiration, .. } = section(&expiring).holds else { panic!("no session") };
        assert_eq!(expiration, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    }

    #[test]
    fn a_session_that_aws_mfa_wrote_ends_when_its_own_line_says() {
        let end = |more: &[&str]| {
            let lines = [&*id(SESSION), "aws_secret_access_key = s", "aws_session_token = t"];
            let Holds::Session { expiration, .. } = section(&[&lines[..], more].concat()).holds else { panic!() };
            expiration.map(|end| end.to_string())
        };
        let aws_mfas = "expiration = 2026-01-01 15:30:59";
        assert_eq!(end(&[aws_mfas]).as_deref(), Some("2026-01-01T15:30:59Z"));
        assert_eq!(
            end(&[aws_mfas, "aws_credential_expiration = 2026-01-02T03:04:05Z"]).as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(end(&["expiration = 2026-01-01T07:30:59-08:00"]).as_deref(), Some("2026-01-01T15:30:59Z"));
        assert_eq!(end(&["expiration = soon"]), None);
    }

    #[test]
    fn doubles_are_told_by_the_line_of_the_second() {
        let file = CredentialsFile::parse(b"[a]\nx=1\n[b]\ny=1\nY=2\n[a]\n");
        assert_eq!(file.section("a").unwrap().duplicate, Some(6));
        assert_eq!(file.section("b").unwrap().duplicate, Some(5));
        assert_eq!(file.sections().map(|s| s.line).collect::<Vec<_>>(), [1, 3, 6]);
        assert!(file.section("c").is_none());
    }
}
