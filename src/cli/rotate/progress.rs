//! The one line that tells how far the rotation of many keys is. Whatever is said meanwhile stands above it, and stays.
//!
//! It is written over itself by `\r` and blanks alone, without escape sequences, and the cursor is never hidden: however the
//! program ends, there is nothing to put back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

use crate::cli::world::World;
use crate::names::ProfileName;
use crate::rotate::run::News;

/// Of a terminal that does not tell.
const USUAL_COLUMNS: usize = 80;
/// The `^C` that a terminal may show behind it.
const ECHOED: usize = 2;
/// At the right of the line: that, and where the cursor stands.
const LEFT_FREE: usize = ECHOED + 1;
const WIDEST_BAR: usize = 24;
const NARROWEST_BAR: usize = 8;

/// The line is there as long as this is.
pub struct Progress<'a, 'w> {
    world: &'a World<'w>,
    line: Rc<RefCell<Line<'w>>>,
    count: Count,
}

impl<'a, 'w> Progress<'a, 'w> {
    /// Of so many keys. None for a single one, whose every step is told, and where nobody watches or a line can't be written
    /// over.
    pub fn of(all: usize, world: &'a World<'w>) -> Option<Self> {
        let overwrites = world.environment.text("TERM").is_some_and(|name| name != "dumb");
        if all < 2 || !overwrites || !io::stderr().is_terminal() {
            return None;
        }
        let out = world.messages.replace(Box::new(io::sink()));
        let line = Rc::new(RefCell::new(Line { out, text: String::new(), on_screen: 0, is_put_aside: false }));
        world.messages.replace(Box::new(AboveTheLine(line.clone())));
        let progress = Self { world, line, count: Count { all, ..Count::default() } };
        progress.show();
        Some(progress)
    }

    pub fn heard(&mut self, profile: &ProfileName, news: &News) {
        match news {
            News::Proving { .. } => drop(self.count.trying.insert(profile.clone())),
            _ => drop(self.count.trying.remove(profile)),
        }
        self.show();
    }

    pub fn ended(&mut self, profile: &ProfileName, how: End) {
        self.count.trying.remove(profile);
        match how {
            End::Done => self.count.done += 1,
            End::Failed => self.count.failed += 1,
            End::Interrupted => self.count.is_stopping = true,
        }
        self.show();
    }

    /// Makes room for a conversation at the terminal.
    pub fn put_aside(&self) {
        self.line.borrow_mut().put_aside();
    }

    pub fn take_up(&self) {
        self.line.borrow_mut().take_up();
    }

    fn show(&self) {
        self.line.borrow_mut().show(self.count.line(columns()));
    }
}

impl Drop for Progress<'_, '_> {
    fn drop(&mut self) {
        let mut line = self.line.borrow_mut();
        line.put_aside();
        let out = std::mem::replace(&mut line.out, Box::new(io::sink()));
        self.world.messages.replace(out);
    }
}

/// What came of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    Failed,
    Interrupted,
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(USUAL_COLUMNS)
}

/// What the line tells.
#[derive(Default)]
struct Count {
    all: usize,
    done: usize,
    failed: usize,
    /// Those whose new key is made, and not known to work.
    trying: BTreeSet<ProfileName>,
    /// Somebody wants it to end.
    is_stopping: bool,
}

impl Count {
    /// As much of it as that many columns have room for, all of it ASCII.
    fn line(&self, columns: usize) -> String {
        let room = columns.saturating_sub(LEFT_FREE);
        let words = self.words();
        let bar = room.saturating_sub(words.len() + "[] ".len()).min(WIDEST_BAR);
        if bar >= NARROWEST_BAR { format!("[{}] {words}", self.bar(bar)) } else { words.chars().take(room).collect() }
    }

    fn bar(&self, width: usize) -> String {
        let ended = (self.done + self.failed) * width / self.all;
        format!("{:.<width$}", "#".repeat(ended))
    }

    fn words(&self) -> String {
        let done = format!("{} of {} done", self.done, self.all);
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let rest = match self.trying.len() {
            _ if self.is_stopping => "; stopping as soon as AWS has answered".to_owned(),
            0 => String::new(),
            trying => format!(", {trying} waiting until the new key works"),
        };
        format!("{done}{failed}{rest}")
    }
}

/// The last line of the terminal, and what comes out there.
struct Line<'w> {
    out: Box<dyn Write + 'w>,
    text: String,
    /// How many columns of the terminal it takes now.
    on_screen: usize,
    is_put_aside: bool,
}

impl Line<'_> {
    fn show(&mut self, text: String) {
        if self.text != text {
            self.text = text;
            self.draw();
        }
    }

    fn draw(&mut self) {
        if !self.is_put_aside {
            let blanks = " ".repeat((self.on_screen + ECHOED).saturating_sub(self.text.len()));
            self.write(&format!("\r{}{blanks}\r{}", self.text, self.text));
            self.on_screen = self.text.len();
        }
    }

    fn put_aside(&mut self) {
        self.clear();
        self.is_put_aside = true;
    }

    fn take_up(&mut self) {
        self.is_put_aside = false;
        self.draw();
    }

    fn clear(&mut self) {
        if self.on_screen > 0 {
            self.write(&format!("\r{}\r", " ".repeat(self.on_screen + ECHOED)));
            self.on_screen = 0;
        }
    }

    /// Nobody watching is no reason to stop.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Where everything goes that is said meanwhile.
struct AboveTheLine<'w>(Rc<RefCell<Line<'w>>>);

impl Write for AboveTheLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut line = self.0.borrow_mut();
        line.clear();
        line.out.write_all(bytes)?;
        if bytes.ends_with(b"\n") {
            line.draw();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(done: usize, failed: usize, trying: usize, is_stopping: bool) -> Count {
        let trying = (0..trying).map(|n| format!("p{n}").parse().unwrap()).collect();
        Count { all: 1000, done, failed, trying, is_stopping }
    }

    #[test]
    fn the_line_says_as_much_as_the_terminal_has_room_for() {
        let full = count(412, 3, 85, false);
        for (columns, line) in [
            (120, "[#########...............] 412 of 1000 done, 3 failed, 85 waiting until the new key works"),
            (80, "[####........] 412 of 1000 done, 3 failed, 85 waiting until the new key works"),
            (72, "412 of 1000 done, 3 failed, 85 waiting until the new key works"),
            (32, "412 of 1000 done, 3 failed, 8"),
            (2, ""),
        ] {
            assert_eq!(full.line(columns), line, "{columns}");
            assert!(full.line(columns).len() + LEFT_FREE <= columns.max(LEFT_FREE));
        }
        assert_eq!(count(0, 0, 0, false).line(50), "[........................] 0 of 1000 done");
        assert_eq!(count(999, 1, 0, false).line(60), "[########################] 999 of 1000 done, 1 failed");
        let stopping = count(2, 0, 7, true).line(100);
        assert_eq!(stopping, "[........................] 2 of 1000 done; stopping as soon as AWS has answered");
    }

    /// What the terminal gets from one line, and from what is said above it.
    fn written(act: impl FnOnce(&Rc<RefCell<Line>>, &mut AboveTheLine)) -> String {
        let mut screen = Vec::new();
        let line = Line { out: Box::new(&mut screen), text: String::new(), on_screen: 0, is_put_aside: false };
        let line = Rc::new(RefCell::new(line));
        act(&line, &mut AboveTheLine(line.clone()));
        drop(line);
        String::from_utf8(screen).unwrap()
    }

    #[test]
    fn what_is_said_stands_above_the_line_and_the_line_is_written_again_below_it() {
        let written = written(|line, above| {
            line.borrow_mut().show("1 of 2".into());
            above.write_all(b"bob: ").unwrap();
            above.write_all(b"denied\n").unwrap();
        });
        assert_eq!(written, "\r1 of 2\r1 of 2\r        \rbob: denied\n\r1 of 2\r1 of 2");
    }

    #[test]
    fn a_line_that_is_put_aside_stays_away_until_it_is_taken_up() {
        let written = written(|line, above| {
            line.borrow_mut().show("1 of 2".into());
            line.borrow_mut().put_aside();
            above.write_all(b"a code is needed\n").unwrap();
            line.borrow_mut().show("2 of 2".into());
            line.borrow_mut().take_up();
        });
        assert_eq!(written, "\r1 of 2\r1 of 2\r        \ra code is needed\n\r2 of 2\r2 of 2");
    }

    #[test]
    fn a_shorter_line_leaves_nothing_of_the_longer_one() {
        let written = written(|line, _| {
            line.borrow_mut().show("10 waiting".into());
            line.borrow_mut().show("done".into());
            line.borrow_mut().show("done".into());
        });
        assert_eq!(written, "\r10 waiting\r10 waiting\rdone        \rdone");
    }
}
