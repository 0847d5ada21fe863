//! Lines as an editor of text sees them, told apart without the code under test.

use std::ops::Range;

/// A line of a file that an edit took away: its number, counted from one, and its text without the end.
pub type Dropped<'a> = (usize, &'a [u8]);

/// The lines of `old` that are missing in `new`. Panics where `new` is not the others, in order and byte for byte, with
/// lines of `ours` among them.
pub fn dropped<'a>(old: &'a [u8], new: &[u8], ours: &[&[u8]]) -> Vec<Dropped<'a>> {
    let (old, new) = without_byte_order_marks(old, new);
    let mut old = (1..).zip(lines(old)).peekable();
    let mut dropped = Vec::new();
    for line in lines(new) {
        while old.peek().is_none_or(|(_, next)| !is_kept(next, line)) && !ours.contains(&text(line)) {
            let (number, gone) =
                old.next().unwrap_or_else(|| panic!("a line that nobody wrote: {}", line.escape_ascii()));
            dropped.push((number, text(gone)));
        }
        old.next_if(|(_, next)| is_kept(next, line));
    }
    dropped.extend(old.map(|(number, gone)| (number, text(gone))));
    dropped
}

/// What stands before these lines, in them and behind them.
pub fn around(bytes: &[u8], range: Range<usize>) -> [&[u8]; 3] {
    let offset = |line: usize| lines(bytes).iter().take(line - 1).map(|line| line.len()).sum::<usize>();
    let (start, end) = (offset(range.start), offset(range.end));
    [&bytes[..start], &bytes[start..end], &bytes[end..]]
}

/// Something may follow an open last line now, and Python's line end becomes everybody's.
fn is_kept(old: &[u8], new: &[u8]) -> bool {
    old == new || text(old) == text(new) && !old.ends_with(b"\n") && new.ends_with(b"\n")
}

fn without_byte_order_marks<'o, 'n>(old: &'o [u8], new: &'n [u8]) -> (&'o [u8], &'n [u8]) {
    match (old.strip_prefix(b"\xef\xbb\xbf"), new.strip_prefix(b"\xef\xbb\xbf")) {
        (Some(old), Some(new)) => (old, new),
        (None, _) => (old, new),
        (Some(_), None) => panic!("the byte order mark is gone"),
    }
}

/// With their ends, by any of the three ways to end one.
pub fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for index in 0..bytes.len() {
        if bytes[index] == b'\n' || bytes[index] == b'\r' && bytes.get(index + 1) != Some(&b'\n') {
            lines.push(&bytes[start..=index]);
            start = index + 1;
        }
    }
    lines.extend((start < bytes.len()).then(|| &bytes[start..]));
    lines
}

fn text(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    &line[..end]
}
