//! What stands in the log, read back. A program of any version wrote it, and whoever can write this user's files may have.

use jiff::Timestamp;
use serde::Deserialize;

/// How every line of ours starts. Within a line's strings it can't stand: their quotes are escaped.
const START: &str = "{\"time\":";

/// One line. What is in it is nobody's word but the file's: to be escaped where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub time: Timestamp,
    /// One of [`Act`](super::Act) as it is written, or a later version's.
    pub act: String,
    pub profile: Option<String>,
    /// The last four of its id.
    pub access_key: Option<String>,
    pub role: Option<String>,
    pub caller_pid: Option<u32>,
    pub caller: Option<String>,
}

/// What a file of the log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub entries: Vec<Entry>,
    /// The lines, from 1, that can't be read, or not from their start.
    pub damaged: Vec<usize>,
}

impl Text {
    /// A line that can't be read costs no other.
    pub fn of(bytes: &[u8]) -> Self {
        let mut text = Self::default();
        let lines = bytes.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !line.is_empty());
        for (line, number) in lines {
            let (entry, whole) = read(line);
            text.entries.extend(entry);
            if !whole {
                text.damaged.push(number);
            }
        }
        text
    }
}

/// The entry that the line ends with, and whether it is all there is. A write that a power cut ended in the middle has no end
/// of line: the next entry stands in the same one.
fn read(line: &[u8]) -> (Option<Entry>, bool) {
    let line = String::from_utf8_lossy(line);
    let Some(start) = line.rfind(START) else { return (None, false) };
    let entry: Option<Entry> = serde_json::from_str(&line[start..]).ok();
    let whole = entry.is_some() && start == 0;
    (entry, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"time":"2026-01-01T00:00:00Z","act":"issued","profile":"prod","access_key":"MPLE","caller_pid":7}"#;

    fn entry() -> Entry {
        Entry {
            time: "2026-01-01T00:00:00Z".parse().unwrap(),
            act: "issued".to_owned(),
            profile: Some("prod".to_owned()),
            access_key: Some("MPLE".to_owned()),
            role: None,
            caller_pid: Some(7),
            caller: None,
        }
    }

    #[test]
    fn a_damaged_line_costs_itself_only() {
        let torn = &LINE[..30];
        for damaged in ["nonsense", torn, "{}", "\u{0}\u{0}", r#"{"time":"yesterday","act":"issued"}"#] {
            let text = Text::of(format!("{LINE}\n{damaged}\n{LINE}\n").as_bytes());
            assert_eq!(text, Text { entries: vec![entry(), entry()], damaged: vec![2] }, "{damaged}");
        }
    }

    #[test]
    fn what_was_written_after_a_torn_line_is_read_though_it_stands_in_the_same() {
        for end in 0..LINE.len() {
            let text = Text::of(format!("{}{LINE}\n{LINE}", &LINE[..end]).as_bytes());
            let damaged = if end == 0 { vec![] } else { vec![1] };
            assert_eq!(text, Text { entries: vec![entry(), entry()], damaged }, "{end}");
        }
    }

    #[test]
    fn what_a_later_version_adds_is_no_damage() {
        let later = LINE.replace("issued", "federated").replace("}", r#","region":"x"}"#);
        let text = Text::of(later.as_bytes());
        assert_eq!(text, Text { entries: vec![Entry { act: "federated".to_owned(), ..entry() }], damaged: vec![] });
    }
}
