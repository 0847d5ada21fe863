//! Talking with the person at the terminal.
//!
//! Prompts go to and come from the terminal device, never stdin or stdout: those may be a pipe, and a program that runs us
//! (an AWS SDK, a script in `$(...)`) may swallow both. What is typed hidden is a secret from its first byte. A signal in
//! the middle of a prompt gives the terminal back as it was. End of input is an answer of its own, never an empty string.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::process::{HeldSignals, QuietTerminal};

use super::turn::Turn;

/// The controlling terminal, whichever way the standard streams are redirected.
const DEVICE: &str = "/dev/tty";

/// How long a shell may take to hand the terminal over, in looks.
const HANDED_OVER_WITHIN: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// No line that a person types here is longer; the kernel's own line buffer ends at 4096.
const LONGEST_LINE: usize = 4096;

pub struct Terminal<'s> {
    device: File,
    /// A signal must not end the program before something was put back: it ends the input.
    signals: Option<&'s HeldSignals>,
    /// From the first hidden question to the next open one: who types ahead must not see a secret either.
    quiet: Option<QuietTerminal>,
    _turn: Turn,
}

/// A screen beside the usual one, where the terminal has that (xterm's private mode 1049): what it showed is gone with it, and
/// never was in the scrollback.
pub struct SideScreen {
    device: File,
}

impl Drop for SideScreen {
    fn drop(&mut self) {
        let _ = self.device.write_all(b"\x1b[?1049l");
    }
}

#[derive(Debug)]
pub enum PromptError {
    /// There is nobody to ask.
    NoTerminal,
    /// The person ended the input (Ctrl-D) or the terminal went away.
    Ended,
    Io(io::Error),
}

static NOBODY_IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Whoever started this program is not there to answer, though there may be a terminal.
pub fn ask_nobody() {
    NOBODY_IS_ASKED.store(true, Ordering::Relaxed);
}

/// A job that a shell runs in the background is stopped where it reads from the terminal, with all that it holds: others would
/// wait for it as long as nobody notices.
fn is_in_background(device: &File) -> bool {
    let is_behind =
        || rustix::termios::tcgetpgrp(device).is_ok_and(|foreground| foreground != rustix::process::getpgrp());
    // Some shells hand the terminal over only when the command has started.
    (0..HANDED_OVER_WITHIN).all(|_| {
        let is_behind = is_behind();
        if is_behind {
            thread::sleep(LOOK_AGAIN);
        }
        is_behind
    })
}

fn device_in_turn() -> Option<(File, Turn)> {
    if NOBODY_IS_ASKED.load(Ordering::Relaxed) {
        return None;
    }
    let device = File::options().read(true).write(true).open(DEVICE);
    let device = device.ok().filter(|device| !is_in_background(device))?;
    let turn = Turn::take();
    // The job may have lost its shell and the terminal meanwhile.
    (!turn.was_waited_for || !is_in_background(&device)).then_some((device, turn))
}

impl<'s> Terminal<'s> {
    pub fn open() -> Result<Self, PromptError> {
        let (device, turn) = device_in_turn().ok_or(PromptError::NoTerminal)?;
        Ok(Self { device, signals: None, quiet: None, _turn: turn })
    }

    /// Waits until no other process of this job asks, for who would ask next: what the other was told may have to be looked at
    /// first. None where nobody can be asked.
    pub fn turn() -> Option<Turn> {
        device_in_turn().map(|(_, turn)| turn)
    }

    /// While these are held, one that comes ends the input.
    pub fn holding(self, signals: Option<&'s HeldSignals>) -> Self {
        Self { signals, ..self }
    }

    /// How many columns and rows there are, where the terminal tells.
    pub fn size(&self) -> Option<(u16, u16)> {
        let size = rustix::termios::tcgetwinsize(&self.device).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// From here on what is shown is for now only.
    pub fn side_screen(&mut self) -> Option<SideScreen> {
        let device = self.device.try_clone().ok()?;
        self.show("\x1b[?1049h\x1b[H");
        Some(SideScreen { device })
    }

    /// Shows text that belongs to a conversation; a terminal that went away is noticed by the next question.
    pub fn show(&mut self, text: &str) {
        let _ = self.device.write_all(text.as_bytes());
    }

    /// Asks for a line that may be seen.
    pub fn ask(&mut self, prompt: &str) -> Result<String, PromptError> {
        self.quiet = None;
        self.show(prompt);
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            if !self.may_read().map_err(PromptError::Io)? {
                return self.ended();
            }
            match self.device.read(&mut byte) {
                Ok(0) => return self.ended(),
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) if line.len() < LONGEST_LINE => line.push(byte[0]),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PromptError::Io(error)),
            }
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }

    fn may_read(&self) -> io::Result<bool> {
        self.signals.map_or(Ok(true), |signals| signals.wait_for(&self.device))
    }

    /// Asks for a secret: nothing of it appears.
    pub fn ask_hidden(&mut self, prompt: &str) -> Result<Zeroizing<String>, PromptError> {
        // Before the prompt: a password manager types the moment it sees it.
        if self.quiet.is_none() {
            self.quiet = self.device.try_clone().ok().and_then(QuietTerminal::silence);
        }
        self.show(prompt);
        match rpassword::read_password() {
            Ok(secret) => Ok(Zeroizing::new(secret)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended(),
            Err(error) => Err(PromptError::Io(error)),
        }
    }

    /// Asks a question that has a default: what Enter alone means is in capitals.
    pub fn confirm(&mut self, question: &str, default: bool) -> Result<bool, PromptError> {
        let choices = if default { "[Y/n]" } else { "[y/N]" };
        loop {
            match self.ask(&format!("{question} {choices} "))?.to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.show("please answer y or n\n"),
            }
        }
    }

    /// Asks a question that is too grave for a single key: only the whole word is a yes.
    pub fn confirm_in_full(&mut self, question: &str) -> Result<bool, PromptError> {
        let answer = self.ask(question)?;
        let answer = match answer.eq_ignore_ascii_case("y") {
            true => self.ask("The whole word, since much hangs on it: ")?,
            false => answer,
        };
        Ok(answer.eq_ignore_ascii_case("yes"))
    }

    fn ended<T>(&mut self) -> Result<T, PromptError> {
        self.show("\n");
        Err(PromptError::Ended)
    }
}
