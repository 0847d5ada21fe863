//! Lines for which the AWS CLI and boto3 refuse a whole file, whatever profile they were asked for: Python's configparser reads
//! all of it or nothing. Other tools pass over most of them.

use std::collections::{BTreeMap, HashSet};

use super::{Entry, Ini, Section, is_comment, trim};

/// A line, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Neither a header nor a key with its value, or in no section.
    Unreadable,
    /// A section, or a key of one, that stands above it already.
    SecondTime,
}

impl Ini<'_> {
    /// In the order of the file.
    pub fn faults(&self) -> Vec<Fault> {
        let seconds = self.second_headers().chain(self.sections.iter().filter_map(Section::doubled).map(|it| it.line));
        let mut found: BTreeMap<usize, FaultKind> = seconds.map(|index| (index, FaultKind::SecondTime)).collect();
        found.extend(self.unreadable().map(|index| (index, FaultKind::Unreadable)));
        found.into_iter().map(|(index, kind)| Fault { line: index + 1, kind }).collect()
    }

    fn unreadable(&self) -> impl Iterator<Item = usize> {
        let (headless, headed) = self.sections.split_first().expect("one from the start, and none is ever removed");
        let headless = headless.entries.first().map(|entry| entry.line);
        let no_header = |section: &&Section| section.header.is_none_or(<[u8]>::is_empty);
        let headers = headed.iter().filter(no_header).map(|section| section.lines.start);
        let nested =
            self.sections.iter().flat_map(|section| &section.entries).filter_map(|it| self.bad_nested_line(it));
        let no_text = (0..self.lines.len()).filter(|index| std::str::from_utf8(self.line(*index)).is_err());
        let mark = self.bytes.starts_with(b"\xef\xbb\xbf").then_some(0);
        self.strays.iter().copied().chain(headless).chain(headers).chain(nested).chain(no_text).chain(mark)
    }

    /// Below a key without a value of its own, each line has to be a key with one.
    fn bad_nested_line(&self, entry: &Entry) -> Option<usize> {
        let lines = entry.continuation.iter().copied().filter(|_| entry.value.is_empty());
        let has_a_key = |index: &usize| {
            let text = trim(self.line(*index));
            text.is_empty() || is_comment(text) || text.contains(&b'=')
        };
        lines.into_iter().find(|index| !has_a_key(index))
    }

    /// By the bytes between the brackets, as configparser compares them.
    fn second_headers(&self) -> impl Iterator<Item = usize> {
        let mut seen = HashSet::new();
        let headed = self.sections.iter().filter_map(|section| Some((section.header?, section.lines.start)));
        headed.filter(move |(header, _)| !seen.insert(*header)).map(|(_, line)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], kind: FaultKind) -> Vec<usize> {
        let faults = Ini::parse(bytes).faults();
        faults.into_iter().filter(|fault| fault.kind == kind).map(|fault| fault.line).collect()
    }

    #[test]
    fn each_line_that_has_a_file_refused_is_named() {
        for (text, unreadable) in [
            (&b"[a]\nx=1\nstray\ny=2\nstray"[..], &[3, 5][..]),
            (b"[a]\n  stray\n", &[2]),
            (b"[a]\n= x\n", &[2]),
            (b"[b\nx=1\n", &[1]),
            (b"[]\nx=1\n", &[1]),
            (b"# c\nx=1\ny=2\n[a]\n", &[2]),
            (b"[a]\nk=\n  x=1\n  deeper\nl=1\n", &[4]),
            (b"[a]\nk=1\n  deeper\n", &[]),
            (b"\xef\xbb\xbf[a]\n", &[1]),
            (b"[a]\n# caf\xe9\n", &[2]),
            (b"# c\n\n[a]b # c\nx: 1\nk=\n  x=1\n\n[profile a]\nx=2\n", &[]),
            (b"", &[]),
        ] {
            assert_eq!(lines(text, FaultKind::Unreadable), unreadable, "{}", text.escape_ascii());
            assert!(lines(text, FaultKind::SecondTime).is_empty(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_second_section_or_key_is_one_too() {
        assert_eq!(lines(b"[a]\nx=1\nX=2\n[b]\nx=1\n[a]\n", FaultKind::SecondTime), [3, 6]);
        assert!(lines(b"[default]\n[profile default]\n[ default]\n", FaultKind::SecondTime).is_empty());
    }
}
