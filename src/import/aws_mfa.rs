//! What aws-mfa writes beside the keys, in the section of the long-term pair and in the one of its sessions. Nothing of it is a
//! secret but the session, which ends by itself; all of it stays, since the program may be in use still.
//! <https://github.com/broamski/aws-mfa#readme>

use crate::aws_files::credentials::{CredentialsSection, Holds};
use crate::aws_files::ini::{Ini, Section};

/// What the tool adds to a profile's name for the section of the pair.
pub const SUFFIX: &str = "-long-term";

const BESIDE_PAIR: [&str; 2] = ["aws_mfa_device", "assume_role"];
const BESIDE_SESSION: [&str; 3] = ["assumed_role", "assumed_role_arn", "expiration"];

/// A section in which something of the tool's is.
#[derive(Debug, PartialEq, Eq)]
pub struct Stays {
    pub section: String,
    /// Its lines, but for the session's own.
    pub keys: Vec<&'static str>,
    /// It holds a session that the tool got.
    pub has_session: bool,
}

/// In a credentials file from which the pairs of these sections were taken.
pub fn stays(bytes: &[u8], pairs: &[&str]) -> Vec<Stays> {
    let ini = Ini::parse(bytes);
    let sections = ini.sections().filter_map(|section| {
        let read = CredentialsSection::read(&ini, section);
        let is_a_pairs = pairs.contains(&read.name.as_str());
        let is_its_sessions = pairs.iter().any(|pair| pair.strip_suffix(SUFFIX) == Some(&read.name));
        let has_session = is_its_sessions && !read.written_by_us && matches!(read.holds, Holds::Session { .. });
        let keys = match (is_a_pairs, is_its_sessions) {
            (true, _) => those_of(section, &BESIDE_PAIR),
            (_, true) => those_of(section, &BESIDE_SESSION),
            _ => Vec::new(),
        };
        // A session without any of its lines is another program's.
        (!keys.is_empty()).then_some(Stays { section: read.name, keys, has_session })
    });
    sections.collect()
}

fn those_of(section: &Section<'_>, keys: &[&'static str]) -> Vec<&'static str> {
    keys.iter().copied().filter(|key| section.entry(key).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_lines_are_known_in_both_sections_of_a_pair_and_in_no_other() {
        let session = "aws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\naws_session_token = t\n";
        let lines = "assumed_role = False\nexpiration = 2026-01-01 00:00:00\n";
        let file = format!(
            "[p-long-term]\naws_mfa_device = d\nregion = r\n[p]\n{lines}{session}[q]\n{lines}{session}\
             [q-long-term]\naws_mfa_device = d\n[r-long-term]\nregion = r\n[r]\n{session}"
        );
        let told = stays(file.as_bytes(), &["p-long-term", "r-long-term"]);
        let stay = |section: &str, keys: &[&'static str], has_session| Stays {
            section: section.to_owned(),
            keys: keys.to_vec(),
            has_session,
        };
        let p = [stay("p-long-term", &["aws_mfa_device"], false), stay("p", &["assumed_role", "expiration"], true)];
        assert_eq!(told, p);
        let without = format!("[p]\n{lines}");
        assert_eq!(stays(without.as_bytes(), &["p-long-term"]), [stay("p", &["assumed_role", "expiration"], false)]);
    }
}
