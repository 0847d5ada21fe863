//! Edits of one section. All other sections keep every byte, and keep meaning what they meant to the tools.

use std::collections::HashMap;

use thiserror::Error;
use zeroize::Zeroizing;

use super::{Entry, Ini, Section, depth_of, is_comment, trim};
use crate::secret::SecretBytes;

/// More than the lines of a session take.
const ROOM: usize = 8192;

/// Why an edit is not made. The lines are counted from one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    #[error("line {line} has this section a second time")]
    DuplicateSection { line: usize },
    #[error("line {line} has `{key}` a second time")]
    DuplicateKey { line: usize, key: String },
    #[error("AWS tools differ in how they read line {line}")]
    ReadDifferently { line: usize },
    #[error("`{key}` can't be written on one line that all AWS tools read alike")]
    Unwritable { key: String },
}

/// What to change within a section.
#[derive(Default)]
pub struct Edit<'a> {
    /// Keys, in lower case, and their values: in their old place where they have one, else below the others.
    pub set: Vec<(&'a str, &'a str)>,
    pub remove: Vec<&'a str>,
    /// Comments that start so are removed.
    pub unmark: Option<&'a str>,
    /// A comment to put right below the header.
    pub mark: Option<String>,
}

impl<'a> Ini<'a> {
    /// The one section that the test accepts by its header; a second one, or a header that tools read differently, is an
    /// error.
    pub fn only(&self, accepts: impl Fn(&[u8]) -> bool) -> Result<Option<&Section<'a>>, EditError> {
        let mut found = self.sections().filter(|section| accepts(section.header()));
        let first = found.next();
        if let Some(second) = found.next() {
            return Err(EditError::DuplicateSection { line: second.line_number() });
        }
        // What stands below a broken header is this section's to botocore.
        let follows = |section: &&Section<'_>| first.is_some_and(|first| first.lines.end == section.lines.start);
        let broken = self.sections.iter().filter(|section| section.header.is_none()).find(follows);
        match first.filter(|section| !section.plain).or(broken) {
            Some(section) => Err(EditError::ReadDifferently { line: section.line_number() }),
            None => Ok(first),
        }
    }

    /// The file with that section edited.
    pub fn rewritten(&self, section: &Section<'a>, edit: &Edit<'_>) -> Result<SecretBytes, EditError> {
        edit.check()?;
        if let Some(entry) = section.doubled() {
            return Err(EditError::DuplicateKey { line: entry.line_number(), key: entry.key().to_owned() });
        }
        let owners = section.owners();
        let garbled = section.lines.clone().find(|index| self.garbles(*index, &owners));
        if let Some(index) = garbled.filter(|_| !edit.set.is_empty()) {
            return Err(EditError::ReadDifferently { line: index + 1 });
        }
        let mut output = Output::new(self);
        output.keep(&self.bytes[..self.lines[section.lines.start].start]);
        for index in section.lines.clone() {
            let line = self.line(index);
            match self.fate(index, &owners, edit) {
                Fate::Kept => output.keep(line),
                Fate::Dropped => {}
                Fate::Replaced(key, value) => output.replace(line, key, value),
            }
            if index == section.lines.start {
                edit.mark.iter().for_each(|comment| output.add(comment));
            }
            if index + 1 == section.body_end {
                let missing = edit.set.iter().filter(|(key, _)| section.entry(key).is_none());
                missing.for_each(|(key, value)| output.add_entry(key, value));
            }
        }
        output.keep(&self.bytes[self.end_of(section)..]);
        self.proven(output, self.position(section), self.position(section))
    }

    /// The file with a new section at its end.
    pub fn appended(&self, header: &str, edit: &Edit<'_>) -> Result<SecretBytes, EditError> {
        edit.check()?;
        let mut output = Output::new(self);
        output.keep(self.bytes);
        output.add(&format!("[{header}]"));
        edit.mark.iter().for_each(|comment| output.add(comment));
        edit.set.iter().for_each(|(key, value)| output.add_entry(key, value));
        let new = Some(self.sections.len());
        self.proven(output, None, new)
    }

    /// The file without that section. Comments and blank lines at its end stay: they are about what follows.
    pub fn without(&self, section: &Section<'a>) -> Result<SecretBytes, EditError> {
        let mut output = Output::new(self);
        output.keep(&self.bytes[..self.lines[section.lines.start].start]);
        output.keep(&self.bytes[self.lines[section.body_end - 1].end..]);
        self.proven(output, self.position(section), None)
    }

    /// Whether nothing stands in a section but these keys and comments that start so.
    pub fn has_only(&self, section: &Section<'a>, keys: &[&str], mark: &str) -> bool {
        let owners = section.owners();
        let may_go = |index: usize| match owners.get(&index) {
            Some(entry) => keys.contains(&entry.key.as_str()),
            None => {
                let text = trim(self.line(index));
                text.is_empty() || text.starts_with(mark.as_bytes())
            }
        };
        section.plain && (section.lines.start + 1..section.body_end).all(may_go)
    }

    /// Whether a line would make some tool misread what is written beside it: the Rust SDK takes an indented key for an
    /// error and an indented comment for more of the value above; only Python ends lines at a lone carriage return.
    fn garbles(&self, index: usize, owners: &Owners<'_, 'a>) -> bool {
        let line = self.line(index);
        let is_key = owners.get(&index).is_some_and(|entry| entry.line == index);
        line.ends_with(b"\r") || depth_of(line) > 0 && (is_key || is_comment(trim(line)))
    }

    fn end_of(&self, section: &Section<'a>) -> usize {
        self.lines[section.lines.end - 1].end
    }

    fn fate<'e>(&self, index: usize, owners: &Owners<'_, 'a>, edit: &'e Edit<'_>) -> Fate<'e> {
        let text = trim(self.line(index));
        if is_comment(text) {
            let unmarked = edit.unmark.is_some_and(|mark| text.starts_with(mark.as_bytes()));
            return if unmarked { Fate::Dropped } else { Fate::Kept };
        }
        let Some(entry) = owners.get(&index) else { return Fate::Kept };
        match edit.set.iter().find(|(key, _)| *key == entry.key) {
            Some((key, value)) if entry.line == index => Fate::Replaced(key, value),
            // What continued the old value goes with it.
            Some(_) => Fate::Dropped,
            None if edit.remove.contains(&entry.key.as_str()) => Fate::Dropped,
            None => Fate::Kept,
        }
    }

    /// The edited bytes, once it is sure that they changed nothing else: an indented header below the edit can come to
    /// continue the value that now stands before it. The sections compared are all but those two.
    fn proven(&self, output: Output, old: Option<usize>, new: Option<usize>) -> Result<SecretBytes, EditError> {
        let after = Ini::parse(&output.bytes);
        let mut found = after.others(new);
        for section in self.others(old) {
            if !found.next().is_some_and(|candidate| self.body(section).eq(after.body(candidate))) {
                return Err(EditError::ReadDifferently { line: section.line_number() });
            }
        }
        drop(found);
        Ok(output.bytes)
    }

    fn others<'s>(&'s self, but: Option<usize>) -> impl Iterator<Item = &'s Section<'a>> {
        self.sections.iter().enumerate().filter(move |(index, _)| Some(*index) != but).map(|(_, section)| section)
    }

    /// Its lines up to the last with meaning. Since a header closes the value before it, these lines alone decide what the
    /// section says.
    fn body<'s>(&'s self, section: &'s Section<'a>) -> impl Iterator<Item = &'a [u8]> + 's {
        (section.lines.start..section.body_end).map(|index| trim(self.line(index)))
    }

    fn position(&self, section: &Section<'a>) -> Option<usize> {
        self.sections.iter().position(|candidate| candidate.lines == section.lines)
    }
}

/// The entry that each line of a section is part of.
type Owners<'s, 'a> = HashMap<usize, &'s Entry<'a>>;

impl<'a> Section<'a> {
    fn owners(&self) -> Owners<'_, 'a> {
        let lines = |entry: &'_ Entry<'a>| std::iter::once(entry.line).chain(entry.continuation.clone());
        self.entries.iter().flat_map(|entry| lines(entry).map(move |line| (line, entry))).collect()
    }
}

enum Fate<'e> {
    Kept,
    Dropped,
    Replaced(&'e str, &'e str),
}

impl Edit<'_> {
    /// Graphic ASCII has no line ends, no blanks that tools trim and none before a comment sign.
    fn check(&self) -> Result<(), EditError> {
        let plain = |value: &str| {
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) && !is_comment(value.as_bytes())
        };
        match self.set.iter().find(|(_, value)| !plain(value)) {
            Some((key, _)) => Err(EditError::Unwritable { key: (*key).to_owned() }),
            None => Ok(()),
        }
    }
}

/// The new bytes as they grow.
struct Output {
    bytes: SecretBytes,
    /// How the file ends its first line.
    line_end: &'static [u8],
}

impl Output {
    fn new(ini: &Ini<'_>) -> Self {
        let first_ends_crlf = !ini.lines.is_empty() && ini.line(0).ends_with(b"\r\n");
        // Room for all of it at once: growing would leave copies of secrets behind.
        let bytes = SecretBytes::new(Vec::with_capacity(ini.bytes.len() + ROOM));
        Self { bytes, line_end: if first_ends_crlf { b"\r\n" } else { b"\n" } }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A line of ours, ended as the line before it is.
    fn add(&mut self, line: &str) {
        let line_end: &[u8] = match &self.bytes[..] {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            _ => self.line_end,
        };
        match &self.bytes[..] {
            [] | [0xef, 0xbb, 0xbf] | [.., b'\n'] => {}
            // The end of a line to Python alone.
            [.., b'\r'] => self.keep(b"\n"),
            _ => self.keep(line_end),
        }
        self.keep(line.as_bytes());
        self.keep(line_end);
    }

    fn add_entry(&mut self, key: &str, value: &str) {
        self.add(&Zeroizing::new(format!("{key} = {value}")));
    }

    /// Keeps how the line ends, or that it doesn't.
    fn replace(&mut self, line: &[u8], key: &str, value: &str) {
        self.keep(Zeroizing::new(format!("{key} = {value}")).as_bytes());
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        self.keep(&line[end..]);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes that hit every rule of the format often.
    pub fn soup() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "[a]",
            "[b]",
            "[a",
            "[ a ]",
            " [b]",
            "[profile c]",
            "x",
            "y = 1",
            "Y:2",
            "x=3",
            "  x = 4",
            " y=",
            "= 5",
            "#",
            ";",
            "# mark",
            " ",
            "\t",
            "\n",
            "\n",
            "\n",
            "\n",
            "\r\n",
            "\r",
            "\u{feff}",
            "\u{a0}",
            "]",
            "\u{1c}",
        ];
        let text = prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
        let other = prop_oneof![12 => text, 1 => prop::collection::vec(any::<u8>(), 1..3)];
        prop::collection::vec(other, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn edit() -> Edit<'static> {
        Edit {
            set: vec![("x", "new"), ("z", "more")],
            remove: vec!["y"],
            unmark: Some("# mark"),
            mark: Some("# mark new".into()),
        }
    }

    fn is_a(header: &[u8]) -> bool {
        header == b"a"
    }

    fn text(bytes: &SecretBytes) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn edited(file: &str) -> Result<String, EditError> {
        let ini = Ini::parse(file.as_bytes());
        match ini.only(is_a)? {
            Some(section) => ini.rewritten(section, &edit()),
            None => ini.appended("a", &edit()),
        }
        .map(|bytes| text(&bytes))
    }

    #[test]
    fn a_key_is_replaced_in_its_place_and_a_new_one_follows_the_last() {
        assert_eq!(
            edited("[a]\r\n# mark old\r\n# own\r\nX\t: 1\r\n  2\r\ny = 1\r\nw=0\r\n\r\n# of b\r\n[b]\r\n").unwrap(),
            "[a]\r\n# mark new\r\n# own\r\nx = new\r\nw=0\r\nz = more\r\n\r\n# of b\r\n[b]\r\n"
        );
    }

    #[test]
    fn an_open_last_line_is_ended_only_where_something_follows() {
        assert_eq!(edited("[b]\ny=1").unwrap(), "[b]\ny=1\n[a]\n# mark new\nx = new\nz = more\n");
        assert_eq!(edited("[a]\nz=1\nx=1").unwrap(), "[a]\n# mark new\nz = more\nx = new");
        assert_eq!(edited("").unwrap(), "[a]\n# mark new\nx = new\nz = more\n");
        assert_eq!(edited("\u{feff}").unwrap(), "\u{feff}[a]\n# mark new\nx = new\nz = more\n");
    }

    #[test]
    fn a_section_where_tools_would_misread_our_keys_is_refused() {
        let cases = [("[a]\n  x = 1\n", 2), ("[a]\nw = 1\n  # note\n", 3), ("[a]\rw = 1\r", 1), ("# note\r[a]", 2)];
        for (file, line) in cases {
            assert_eq!(edited(file), Err(EditError::ReadDifferently { line }), "{file:?}");
        }
        assert_eq!(edited("[a]\n[b\nx = 1\n"), Err(EditError::ReadDifferently { line: 2 }));
        assert!(edited("[a]\ns3 =\n  w = 1\n").is_ok(), "a nested block is read alike");
    }

    #[test]
    fn a_double_is_refused_by_its_line() {
        assert_eq!(edited("[a]\n[b]\n[a]\n"), Err(EditError::DuplicateSection { line: 3 }));
        assert_eq!(edited("[a]\nw=1\nW=2\n"), Err(EditError::DuplicateKey { line: 3, key: "w".into() }));
        assert_eq!(edited("[a]\n[ a]\n"), Err(EditError::DuplicateSection { line: 2 }));
    }

    #[test]
    fn an_edit_that_would_swallow_the_next_header_is_refused() {
        assert_eq!(edited("[a]\n [b]\nk = 1\n"), Err(EditError::ReadDifferently { line: 2 }));
    }

    #[test]
    fn a_value_that_would_not_stay_one_is_refused() {
        for value in ["", "a b", "a\nb = c", "#a", "\u{e9}", "a\u{b}"] {
            let edit = Edit { set: vec![("x", value)], ..Edit::default() };
            let refused = Ini::parse(b"").appended("a", &edit);
            assert!(matches!(refused, Err(EditError::Unwritable { key }) if key == "x"), "{value:?}");
        }
    }

    #[test]
    fn removing_a_section_leaves_the_comments_above_the_next_one() {
        let file = b"[b]\nk = 1\n[a]\n# mark\nx = 1\n\n# of c\n[c]\n";
        let ini = Ini::parse(file);
        let section = ini.only(is_a).unwrap().unwrap();
        assert_eq!(text(&ini.without(section).unwrap()), "[b]\nk = 1\n\n# of c\n[c]\n");
    }

    /// Header, keys and values of every section, those of `[a]` apart.
    fn meaning(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        let ini = Ini::parse(bytes);
        let of = |section: &Section<'_>| {
            let entry = |e: &Entry<'_>| format!("{}={:?}+{}", e.key, e.value, e.continuation.len());
            section.entries.iter().map(entry).collect::<Vec<_>>()
        };
        let (a, others): (Vec<_>, Vec<_>) = ini.sections().partition(|section| is_a(section.header()));
        let others = others.into_iter().flat_map(|s| std::iter::once(format!("{:?}", s.header())).chain(of(s)));
        (a.into_iter().flat_map(of).collect(), others.collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn an_edit_changes_only_its_section(bytes in soup()) {
            let ini = Ini::parse(&bytes);
            let Ok(section) = ini.only(is_a) else { return Ok(()) };
            let (own_before, others_before) = meaning(&bytes);
            let edited = match section {
                Some(section) => ini.rewritten(section, &edit()),
                None => ini.appended("a", &edit()),
            };
            if let Ok(edited) = edited {
                let (before, after) = match section {
                    Some(section) => (ini.lines[section.lines.start].start, bytes.len() - ini.end_of(section)),
                    None => (bytes.len(), 0),
                };
                prop_assert_eq!(&edited[..before], &bytes[..before]);
                prop_assert_eq!(&edited[edited.len() - after..], &bytes[bytes.len() - after..]);
                let (mut own, others) = meaning(&edited);
                prop_assert_eq!(others, others_before);
                let reparsed = Ini::parse(&edited);
                let section = reparsed.only(is_a).unwrap().unwrap();
                prop_assert_eq!(section.entry("x").and_then(Entry::text), Some("new"));
                prop_assert_eq!(section.entry("z").and_then(Entry::text), Some("more"));
                let touched = |entry: &String| "xyz".chars().any(|key| entry.starts_with(&format!("{key}=")));
                own.retain(|entry| !touched(entry));
                prop_assert_eq!(own, own_before.into_iter().filter(|entry| !touched(entry)).collect::<Vec<_>>());
            }
        }

        #[test]
        fn what_was_appended_can_be_removed_again(bytes in soup()) {
            let ini = Ini::parse(&bytes);
            let Ok(None) = ini.only(is_a) else { return Ok(()) };
            let Ok(appended) = ini.appended("a", &edit()) else { return Ok(()) };
            let with = Ini::parse(&appended);
            let removed = with.without(with.only(is_a).unwrap().unwrap()).unwrap();
            prop_assert!(removed.starts_with(&bytes) && removed.len() <= bytes.len() + 2);
        }
    }
}
