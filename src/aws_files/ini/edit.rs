//! Edits of one section. All other sections keep every byte, and keep meaning what they meant to the tools.

use std::collections::HashMap;

use thiserror::Error;

use super::output::Output;
use super::{Entry, Ini, Section, depth_of, is_comment, trim};
use crate::secret::SecretBytes;

/// Why an edit is not made. The lines are counted from one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// Zero bytes: UTF-16, as some editors save it, or no text at all. What we add would not fit.
    #[error("this is not text in UTF-8")]
    NotText,
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
    /// A key of `set`, and another, which it is to take the place of.
    pub in_place_of: Option<(&'a str, &'a str)>,
    /// Lines that were taken out, in their order.
    pub put_back: &'a [TakenLine],
}

/// A line of a section as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenLine {
    /// How far below the header.
    pub at: usize,
    /// With how it ended, if it did.
    pub text: String,
}

/// What becomes of a section.
pub enum Change<'e> {
    Edit(&'e Edit<'e>),
    Remove,
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
        self.changed(&[(section, Change::Edit(edit))])
    }

    /// The file with each of these sections, given in its order, changed.
    pub fn changed(&self, changes: &[(&Section<'a>, Change<'_>)]) -> Result<SecretBytes, EditError> {
        let mut output = Output::new(self.bytes);
        let mut done = 0;
        for (section, change) in changes {
            output.keep(&self.bytes[done..self.lines[section.lines.start].start]);
            done = match change {
                Change::Edit(edit) => self.rewrite(section, edit, &mut output)?,
                // Comments and blank lines at its end stay: they are about what follows.
                Change::Remove => self.lines[section.body_end - 1].end,
            };
        }
        output.keep(&self.bytes[done..]);
        self.proven(output, changes)
    }

    /// Says where the section ended.
    fn rewrite(&self, section: &Section<'a>, edit: &Edit<'_>, output: &mut Output) -> Result<usize, EditError> {
        edit.check()?;
        let owners = section.owners();
        self.check(section, &owners, edit)?;
        let mut put_back = edit.put_back.iter().peekable();
        let mut stands = 0;
        for index in section.lines.clone() {
            while let Some(line) = put_back.next_if(|line| stands > 0 && line.at <= stands) {
                output.put_back(&line.text);
                stands += 1;
            }
            let fate = self.fate(index, &owners, edit);
            stands += usize::from(!matches!(fate, Fate::Dropped));
            match fate {
                Fate::Kept if edit.put_back.is_empty() => output.keep(self.line(index)),
                Fate::Kept => output.put_back(self.line(index)),
                Fate::Dropped => {}
                Fate::Replaced(key, value) => output.replace(self.line(index), key, value),
            }
            if index == section.lines.start {
                edit.mark.iter().for_each(|comment| output.add(comment));
            }
            if index + 1 == section.body_end {
                let missing = edit.set.iter().filter(|(key, _)| section.entry(edit.place_of(key)).is_none());
                missing.for_each(|(key, value)| output.add_entry(key, value));
            }
        }
        put_back.for_each(|line| output.put_back(&line.text));
        let end = self.end_of(section);
        if !edit.put_back.is_empty() && end < self.bytes.len() {
            output.end_line();
        }
        Ok(end)
    }

    /// The lines of these keys, as they stand; each value must be one line of text.
    pub fn lines_of(&self, section: &Section<'a>, keys: &[&str]) -> Result<Vec<TakenLine>, EditError> {
        let taken = |entry: &Entry<'a>| {
            let text = std::str::from_utf8(self.line(entry.line)).ok().filter(|_| entry.text().is_some());
            let text = text.ok_or(EditError::ReadDifferently { line: entry.line_number() })?.to_owned();
            Ok(TakenLine { at: entry.line - section.lines.start, text })
        };
        section.entries().filter(|entry| keys.contains(&entry.key())).map(taken).collect()
    }

    /// The file with a new section at its end.
    pub fn appended(&self, header: &str, edit: &Edit<'_>) -> Result<SecretBytes, EditError> {
        edit.check()?;
        let mut output = Output::new(self.bytes);
        output.keep(self.bytes);
        output.add(&format!("[{header}]"));
        edit.mark.iter().for_each(|comment| output.add(comment));
        edit.put_back.iter().for_each(|line| output.add(line.text.trim_end()));
        edit.set.iter().for_each(|(key, value)| output.add_entry(key, value));
        self.proven(output, &[])
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

    fn check(&self, section: &Section<'a>, owners: &Owners<'_, 'a>, edit: &Edit<'_>) -> Result<(), EditError> {
        if let Some(entry) = section.doubled() {
            return Err(EditError::DuplicateKey { line: entry.line_number(), key: entry.key().to_owned() });
        }
        let garbled = section.lines.clone().find(|index| self.garbles(*index, owners));
        match garbled.filter(|_| !edit.set.is_empty() || !edit.put_back.is_empty()) {
            Some(index) => Err(EditError::ReadDifferently { line: index + 1 }),
            None => Ok(()),
        }
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
        match edit.set.iter().find(|(key, _)| edit.place_of(key) == entry.key) {
            Some((key, value)) if entry.line == index => Fate::Replaced(key, value),
            // What continued the old value goes with it.
            Some(_) => Fate::Dropped,
            None if edit.remove.contains(&entry.key.as_str()) => Fate::Dropped,
            None => Fate::Kept,
        }
    }

    /// The edited bytes, once it is sure that they changed nothing else: an indented header below the edit can come to
    /// continue the value that now stands before it. A section that was added stands behind all others.
    fn proven(&self, output: Output, changes: &[(&Section<'a>, Change<'_>)]) -> Result<SecretBytes, EditError> {
        if self.bytes.contains(&0) {
            return Err(EditError::NotText);
        }
        let after = Ini::parse(&output.bytes);
        let (mut found, mut changes) = (after.sections.iter(), changes.iter().peekable());
        for section in &self.sections {
            let change = changes.next_if(|(changed, _)| changed.lines == section.lines);
            let as_expected = match change {
                Some((_, Change::Remove)) => true,
                Some((_, Change::Edit(_))) => found.next().is_some(),
                None => found.next().is_some_and(|found| self.body(section).eq(after.body(found))),
            };
            if !as_expected {
                return Err(EditError::ReadDifferently { line: section.line_number() });
            }
        }
        Ok(output.bytes)
    }

    /// Its lines up to the last with meaning. Since a header closes the value before it, these lines alone decide what the
    /// section says.
    fn body<'s>(&'s self, section: &'s Section<'a>) -> impl Iterator<Item = &'a [u8]> + 's {
        (section.lines.start..section.body_end).map(|index| trim(self.line(index)))
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
    /// The key whose line that of `key` is to be.
    fn place_of<'k>(&'k self, key: &'k str) -> &'k str {
        self.in_place_of.filter(|(set, _)| *set == key).map_or(key, |(_, other)| other)
    }

    /// Words of graphic ASCII have no line ends, no blanks that tools trim and none before a comment sign.
    fn check(&self) -> Result<(), EditError> {
        let plain = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()) && !is_comment(word.as_bytes())
        };
        match self.set.iter().find(|(_, value)| !value.split(' ').all(plain)) {
            Some((key, _)) => Err(EditError::Unwritable { key: (*key).to_owned() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
