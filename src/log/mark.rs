//! How the log stood at some time, to be kept where nobody can change it who can change the log: each save of the vault
//! takes such a mark along. Lines that were there then and are not, or not as they were, show.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{FILE, FULL, Files, OLD, Position, Text};

/// The first `length` bytes of the file that was added to then have this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    pub length: u64,
    pub sha256: [u8; 32],
}

/// Lines were removed or changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken<'m> {
    /// The last mark that holds: all before it is as it was.
    pub held: Option<&'m Mark>,
    /// The first that does not.
    pub broken: &'m Mark,
    /// The first line that may be another one.
    pub from: Position,
}

impl Mark {
    fn holds_of(&self, bytes: &[u8]) -> bool {
        let prefix = usize::try_from(self.length).ok().and_then(|length| bytes.get(..length));
        prefix.is_some_and(|prefix| self.sha256 == <[u8; 32]>::from(Sha256::digest(prefix)))
    }

    /// The first line after it.
    fn next_line(&self, files: &Files) -> Option<Position> {
        let mut files = files.each().into_iter();
        let (file, bytes) = files.find(|(_, bytes)| self.holds_of(bytes))?;
        let before = &bytes[..usize::try_from(self.length).ok()?];
        Some(Position { file, line: 1 + before.iter().filter(|byte| **byte == b'\n').count() })
    }
}

/// A mark that holds, and the first line after what it is of.
pub type Held<'m> = (&'m Mark, Position);

/// Compares the log with marks, the oldest first: those that hold. What went with a full file is nobody's fault.
pub fn check<'m>(files: &Files, marks: &'m [Mark]) -> Result<Vec<Held<'m>>, Broken<'m>> {
    let oldest = Text::of(&files.old).entries.first().map(|entry| entry.time);
    // Only a full file is put aside, and what was put aside before it is gone.
    let gone = |mark: &Mark| files.old.len() as u64 >= FULL && oldest.is_some_and(|oldest| mark.at < oldest);
    let mut held = Vec::new();
    for mark in marks {
        match mark.next_line(files) {
            Some(next) => held.push((mark, next)),
            None if gone(mark) => {}
            None => return Err(broken(files, held.pop(), mark)),
        }
    }
    Ok(held)
}

fn broken<'m>(files: &Files, held: Option<Held<'m>>, broken: &'m Mark) -> Broken<'m> {
    let first = Position { file: if files.old.is_empty() { FILE } else { OLD }, line: 1 };
    Broken { held: held.map(|(mark, _)| mark), broken, from: held.map_or(first, |(_, next)| next) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn line(second: i64) -> String {
        format!("{{\"time\":\"{}\",\"act\":\"issued\"}}\n", at(second))
    }

    fn lines(seconds: impl IntoIterator<Item = i64>) -> Vec<u8> {
        seconds.into_iter().map(line).collect::<String>().into_bytes()
    }

    fn mark(second: i64, bytes: &[u8]) -> Mark {
        Mark { at: at(second), length: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
    }

    fn current(bytes: Vec<u8>) -> Files {
        Files { old: Vec::new(), current: bytes }
    }

    /// As many lines as make it full.
    fn full(from: i64) -> Vec<u8> {
        lines(from..from + 1 + FULL as i64 / line(from).len() as i64)
    }

    fn position(file: &'static str, line: usize) -> Position {
        Position { file, line }
    }

    #[test]
    fn lines_that_were_added_since_break_nothing() {
        let marks = [mark(20, &lines([10, 20])), mark(30, &lines([10, 20, 30]))];
        let files = current(lines([10, 20, 30, 40]));
        assert_eq!(check(&files, &marks), Ok(vec![(&marks[0], position(FILE, 3)), (&marks[1], position(FILE, 4))]));
        assert_eq!(check(&files, &[]), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_gone_or_another_shows_from_the_last_mark_on_that_holds() {
        let marks = [mark(20, &lines([10, 20])), mark(50, &lines([10, 20, 30, 40, 50]))];
        for changed in
            [lines([10, 20, 30, 50, 60, 70]), lines([10, 20, 31, 40, 50]), lines([10, 20]), lines([10, 20, 30])]
        {
            let broken = Broken { held: Some(&marks[0]), broken: &marks[1], from: position(FILE, 3) };
            assert_eq!(check(&current(changed), &marks), Err(broken));
        }
        for changed in [lines([20, 30, 40, 50]), Vec::new()] {
            let broken = Broken { held: None, broken: &marks[0], from: position(FILE, 1) };
            assert_eq!(check(&current(changed), &marks), Err(broken));
        }
    }

    #[test]
    fn a_file_that_was_put_aside_is_still_held_to_its_marks() {
        let old = full(1000);
        let half = &old[..old.len() / 2];
        let marks = [mark(2000, half), mark(900_000, &lines([800_000]))];
        let files = Files { old: old.clone(), current: lines([800_000, 900_001]) };
        let middle = position(OLD, 1 + half.iter().filter(|byte| **byte == b'\n').count());
        assert_eq!(check(&files, &marks), Ok(vec![(&marks[0], middle), (&marks[1], position(FILE, 2))]));
        let cut = Files { old: old[line(1000).len()..].to_vec(), ..files };
        let broken = Broken { held: None, broken: &marks[0], from: position(OLD, 1) };
        assert_eq!(check(&cut, &marks), Err(broken));
    }

    #[test]
    fn a_mark_of_what_went_with_a_full_file_is_no_accusation_but_a_short_file_explains_nothing() {
        let marks = [mark(50, &lines([10, 50]))];
        assert_eq!(check(&Files { old: full(1000), current: lines([900_000]) }, &marks), Ok(vec![]));
        let short = Files { old: lines([1000, 1001]), current: lines([900_000]) };
        assert!(check(&short, &marks).is_err());
    }
}
