//! The bytes of an edited file: what is kept, and lines of ours that end as those around them.

use zeroize::Zeroizing;

use crate::secret::SecretBytes;

/// More than the lines of a session take.
const ROOM: usize = 8192;

/// The new bytes as they grow.
pub(super) struct Output {
    pub(super) bytes: SecretBytes,
    /// How the file ends its first line.
    line_end: &'static [u8],
}

impl Output {
    pub(super) fn new(old: &[u8]) -> Self {
        let first_end = old.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(old.len());
        let line_end: &[u8] = if old[first_end..].starts_with(b"\r\n") { b"\r\n" } else { b"\n" };
        // Room for all of it at once: growing would leave copies of secrets behind.
        let bytes = SecretBytes::new(Vec::with_capacity(old.len() + ROOM));
        Self { bytes, line_end }
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A line of ours, ended as the line before it is.
    pub(super) fn add(&mut self, line: &str) {
        let line_end: &[u8] = match &self.bytes[..] {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            _ => self.line_end,
        };
        self.end_line();
        self.keep(line.as_bytes());
        self.keep(line_end);
    }

    /// A line that may be the last, which needs no end.
    pub(super) fn put_back(&mut self, line: impl AsRef<[u8]>) {
        self.end_line();
        self.keep(line.as_ref());
    }

    /// Ends the last line, if it is still open.
    pub(super) fn end_line(&mut self) {
        match &self.bytes[..] {
            [] | [0xef, 0xbb, 0xbf] | [.., b'\n'] => {}
            // The end of a line to Python alone.
            [.., b'\r'] => self.keep(b"\n"),
            _ => self.keep(self.line_end),
        }
    }

    pub(super) fn add_entry(&mut self, key: &str, value: &str) {
        self.add(&Zeroizing::new(format!("{key} = {value}")));
    }

    /// Keeps how the line ends, or that it doesn't.
    pub(super) fn replace(&mut self, line: &[u8], key: &str, value: &str) {
        self.keep(Zeroizing::new(format!("{key} = {value}")).as_bytes());
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        self.keep(&line[end..]);
    }
}
