//! INI as the AWS tools read it, over bytes that are kept as they are.
//!
//! The tools differ. Python's configparser (botocore) takes an indented line as more of a value only where it is deeper
//! than its key, takes `:` for `=`, and refuses doubles; the SDKs for Rust, Go and JavaScript cut comments behind blanks.
//! Sections and keys are found by the most generous of these readings, so that nothing some tool sees is missed; what
//! [`edit`] writes is what all of them read alike.

pub mod edit;
mod faults;
mod output;

use std::collections::HashSet;
use std::ops::Range;

pub use faults::{Fault, FaultKind};

/// A file taken apart. Borrows the bytes: they may hold secrets, and this makes no second copy of them.
pub struct Ini<'a> {
    bytes: &'a [u8],
    lines: Vec<Range<usize>>,
    /// The first is what stands before any header.
    sections: Vec<Section<'a>>,
    /// Lines that no tool can read.
    strays: Vec<usize>,
}

/// A header and what follows it up to the next.
pub struct Section<'a> {
    /// Between the brackets, as written; None before the first header and after one that no tool can read.
    header: Option<&'a [u8]>,
    /// Whether all tools read that header alike.
    plain: bool,
    lines: Range<usize>,
    /// Behind the last line that is neither blank nor a comment: comments below it are about what follows.
    body_end: usize,
    entries: Vec<Entry<'a>>,
}

/// A key with its value.
pub struct Entry<'a> {
    key: String,
    value: &'a [u8],
    line: usize,
    continuation: Vec<usize>,
}

/// What a line is, given those before it.
enum Kind<'a> {
    BlankOrComment,
    Header,
    Entry(String, &'a [u8]),
    Continuation,
    /// Nothing that a tool could read.
    Stray,
}

impl<'a> Ini<'a> {
    /// Takes any bytes apart.
    pub fn parse(bytes: &'a [u8]) -> Self {
        let sections = vec![Section::before_any_header()];
        let mut ini = Self { bytes, lines: lines_of(bytes), sections, strays: Vec::new() };
        // Deeper lines continue the value above them; none does right below a header.
        let mut depth = None;
        for index in 0..ini.lines.len() {
            let line = ini.line(index);
            let kind = kind_of(line, depth);
            depth = match kind {
                Kind::Header => None,
                Kind::Entry(..) => Some(depth_of(line)),
                // A stray line lowers the depth, but opens no value.
                Kind::Stray => depth.map(|_| depth_of(line)),
                Kind::BlankOrComment | Kind::Continuation => depth,
            };
            ini.take(index, line, kind);
        }
        ini
    }

    fn take(&mut self, index: usize, line: &'a [u8], kind: Kind<'a>) {
        if matches!(kind, Kind::Header) {
            let above = index.checked_sub(1).map_or(&b""[..], |above| self.line(above));
            self.sections.push(Section::headed(line, above, index));
        }
        let section = self.sections.last_mut().expect("one from the start, and none is ever removed");
        section.lines.end = index + 1;
        if !matches!(kind, Kind::BlankOrComment) {
            section.body_end = index + 1;
        }
        match kind {
            Kind::Entry(key, value) => {
                section.entries.push(Entry { key, value, line: index, continuation: Vec::new() })
            }
            Kind::Continuation => {
                let entry = section.entries.last_mut().expect("a line continues only a key that was read");
                entry.continuation.push(index);
            }
            Kind::Stray => self.strays.push(index),
            Kind::BlankOrComment | Kind::Header => {}
        }
    }

    /// The sections with a readable header, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = &Section<'a>> {
        self.sections.iter().filter(|section| section.header.is_some())
    }

    /// The comment lines of a section, blanks around them dropped.
    pub fn comments<'s>(&'s self, section: &'s Section<'a>) -> impl Iterator<Item = &'a [u8]> + 's {
        section.lines.clone().map(|index| trim(self.line(index))).filter(|text| is_comment(text))
    }

    fn line(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.lines[index].clone()]
    }
}

impl<'a> Section<'a> {
    fn before_any_header() -> Self {
        Self { header: None, plain: true, lines: 0..0, body_end: 0, entries: Vec::new() }
    }

    fn headed(line: &'a [u8], above: &[u8], index: usize) -> Self {
        let text = without_comment(trim(line));
        let header = text.iter().rposition(|&byte| byte == b']').map(|end| &text[1..end]);
        let plain = header.is_some_and(|header| {
            // botocore reads up to the last bracket of the line, in a comment too; the Rust SDK up to the first # or ;.
            let one_bracket = line.iter().filter(|&&byte| byte == b']').count() == 1;
            let nothing_behind = text.len() == header.len() + 2;
            let no_comment_sign = !header.iter().any(|byte| b"#;".contains(byte));
            // Only Python ends lines at a lone carriage return.
            let at_line_start = depth_of(line) == 0 && !above.ends_with(b"\r");
            at_line_start && trim(header) == header && one_bracket && nothing_behind && no_comment_sign
        });
        Self { header, plain, lines: index..index + 1, body_end: index + 1, entries: Vec::new() }
    }

    /// Between the brackets, blanks around it dropped.
    pub fn header(&self) -> &'a [u8] {
        self.header.map(trim).unwrap_or_default()
    }

    /// Of the header, counted from one.
    pub fn line_number(&self) -> usize {
        self.lines.start + 1
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter()
    }

    /// The first entry of that key, which is given in lower case.
    pub fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The first entry whose key stands above it already.
    pub fn doubled(&self) -> Option<&Entry<'a>> {
        let mut seen = HashSet::new();
        self.entries.iter().find(|entry| !seen.insert(entry.key.as_str()))
    }
}

impl<'a> Entry<'a> {
    /// In lower case, as botocore and the Rust SDK compare keys.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value where it is one line of UTF-8, without a comment behind blanks; an empty one counts as none.
    pub fn text(&self) -> Option<&'a str> {
        let text = std::str::from_utf8(without_comment(self.value)).ok()?;
        (self.continuation.is_empty() && !text.is_empty()).then_some(text)
    }

    /// Whether there is any value, readable or not.
    pub fn is_empty(&self) -> bool {
        self.continuation.is_empty() && without_comment(self.value).is_empty()
    }

    /// Counted from one.
    pub fn line_number(&self) -> usize {
        self.line + 1
    }
}

fn kind_of<'a>(line: &'a [u8], open_key_depth: Option<usize>) -> Kind<'a> {
    let text = trim(line);
    if text.is_empty() || is_comment(text) {
        return Kind::BlankOrComment;
    }
    if open_key_depth.is_some_and(|depth| depth_of(line) > depth) {
        return Kind::Continuation;
    }
    if text.starts_with(b"[") {
        return Kind::Header;
    }
    match text.iter().position(|byte| b"=:".contains(byte)) {
        None | Some(0) => Kind::Stray,
        Some(sign) => {
            Kind::Entry(String::from_utf8_lossy(trim(&text[..sign])).to_ascii_lowercase(), trim(&text[sign + 1..]))
        }
    }
}

/// Where each line is, its end included. Python ends lines at a lone carriage return too. A byte order mark is no part of
/// the first line.
fn lines_of(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while start < bytes.len() {
        let end = match bytes[start..].iter().position(|byte| b"\r\n".contains(byte)) {
            None => bytes.len(),
            Some(length) if bytes[start + length..].starts_with(b"\r\n") => start + length + 2,
            Some(length) => start + length + 1,
        };
        lines.push(start..end);
        start = end;
    }
    lines
}

/// Python's notion of blank, which is also everybody else's and more.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn trim(line: &[u8]) -> &[u8] {
    match std::str::from_utf8(line) {
        Ok(text) => text.trim_matches(is_blank).as_bytes(),
        Err(_) => line.trim_ascii(),
    }
}

fn depth_of(line: &[u8]) -> usize {
    match std::str::from_utf8(line) {
        Ok(text) => text.chars().take_while(|c| is_blank(*c)).count(),
        Err(_) => line.len() - line.trim_ascii_start().len(),
    }
}

fn is_comment(text: &[u8]) -> bool {
    text.starts_with(b"#") || text.starts_with(b";")
}

/// Cuts a comment that starts behind a blank.
fn without_comment(text: &[u8]) -> &[u8] {
    let starts = |index: &usize| b"#;".contains(&text[*index]) && (*index == 0 || b" \t".contains(&text[index - 1]));
    match (0..text.len()).find(starts) {
        Some(start) => trim(&text[..start]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(bytes: &str) -> Vec<(String, String, Option<String>, usize)> {
        let ini = Ini::parse(bytes.as_bytes());
        let of = |section: &Section<'_>| {
            let header = String::from_utf8_lossy(section.header()).into_owned();
            let entry =
                |e: &Entry<'_>| (header.clone(), e.key().to_owned(), e.text().map(str::to_owned), e.line_number());
            section.entries().map(entry).collect::<Vec<_>>()
        };
        ini.sections().flat_map(of).collect()
    }

    fn row(section: &str, key: &str, text: Option<&str>, line: usize) -> (String, String, Option<String>, usize) {
        (section.into(), key.into(), text.map(str::to_owned), line)
    }

    #[test]
    fn keys_are_read_in_every_spelling_some_tool_takes() {
        let found = entries("[a] # x\nK=1\r\nUpper\t= 2 ; note\n# c\n\n colon: 3#4\n[profile  b]\nempty =\n");
        assert_eq!(
            found,
            [
                row("a", "k", Some("1"), 2),
                // Deeper than `Upper`, so it is more of its value.
                row("a", "upper", None, 3),
                row("profile  b", "empty", None, 8),
            ]
        );
        assert_eq!(entries("[a]\n  colon: 3#4\n  two = 2\n").len(), 2, "the first key sets the depth");
    }

    #[test]
    fn nested_blocks_belong_to_their_key() {
        let found = entries("[a]\ns3 =\n  aws_access_key_id = x\n# note\n\n  b = 2\nregion = r\n");
        assert_eq!(found, [row("a", "s3", None, 2), row("a", "region", Some("r"), 7)]);
    }

    #[test]
    fn a_header_that_tools_read_differently_is_not_plain() {
        for (header, plain) in [
            ("[a]", true),
            ("[a]\t# note", true),
            ("[profile \"a b\"]", true),
            (" [a]", false),
            ("[ a]", false),
            ("[a]b", false),
            ("[a] # [b]", false),
            ("[a;b]", false),
        ] {
            assert_eq!(Ini::parse(header.as_bytes()).sections().next().map(|s| s.plain), Some(plain), "{header}");
        }
    }

    #[test]
    fn keys_below_a_broken_header_belong_to_no_section() {
        assert_eq!(entries("[a]\nx = 1\n[b\ny = 2\n"), [row("a", "x", Some("1"), 2)]);
    }

    #[test]
    fn a_byte_order_mark_and_lone_carriage_returns_hide_nothing() {
        assert_eq!(entries("\u{feff}[a]\rx = 1\r[b]"), [row("a", "x", Some("1"), 2)]);
        assert_eq!(Ini::parse(b"\xef\xbb\xbf[a]\r[b]").sections().count(), 2);
    }

    #[test]
    fn the_second_of_two_equal_keys_is_named_whatever_its_case() {
        let ini = Ini::parse(b"[a]\nx=1\ny=2\nX: 3\n");
        let section = ini.sections().next().unwrap();
        assert_eq!(section.doubled().unwrap().line_number(), 4);
    }

    proptest! {
        #[test]
        fn every_byte_is_in_exactly_one_line_of_one_section(bytes in edit::tests::soup()) {
            let ini = Ini::parse(&bytes);
            let mut rebuilt = if bytes.starts_with(b"\xef\xbb\xbf") { bytes[..3].to_vec() } else { Vec::new() };
            for section in &ini.sections {
                section.lines.clone().for_each(|index| rebuilt.extend_from_slice(ini.line(index)));
            }
            prop_assert_eq!(rebuilt, bytes);
        }
    }
}
