//! One caller of the agent. Nothing waits for it: what it has not sent or taken yet comes another time.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::frame::Incoming;
use crate::secret::SecretBytes;

/// For a request that was begun, and for a reply that is to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Connection {
    stream: UnixStream,
    incoming: Incoming,
    outgoing: SecretBytes,
    sent: usize,
    /// When it last sent something, or connected.
    pub heard: Instant,
    /// When it has to be done with what it began.
    pub due: Option<Instant>,
}

impl Connection {
    pub fn new(stream: UnixStream, now: Instant) -> Self {
        let (incoming, outgoing) = (Incoming::default(), SecretBytes::default());
        Self { stream, incoming, outgoing, sent: 0, heard: now, due: None }
    }

    /// What it is waited for: its next request, or that it takes the reply to the last one.
    pub fn awaited(&self) -> PollFlags {
        if self.outgoing.is_empty() { PollFlags::IN } else { PollFlags::OUT }
    }

    pub fn is_late(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Goes on with what is awaited, and gives a request that is complete. An error is the end.
    pub fn go_on(&mut self, now: Instant) -> io::Result<Option<SecretBytes>> {
        if !self.outgoing.is_empty() {
            self.write(now)?;
            return Ok(None);
        }
        let message = self.incoming.read(&mut self.stream)?;
        self.heard = now;
        self.due = match self.incoming.has_begun() {
            true => self.due.or(Some(now + PATIENCE)),
            false => None,
        };
        Ok(message)
    }

    /// Sends a frame, as far as it is taken now.
    pub fn send(&mut self, frame: SecretBytes, now: Instant) -> io::Result<()> {
        (self.outgoing, self.sent) = (frame, 0);
        self.due = Some(now + PATIENCE);
        self.write(now)
    }

    fn write(&mut self, now: Instant) -> io::Result<()> {
        while self.sent < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        (self.outgoing, self.due, self.heard) = (SecretBytes::default(), None, now);
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
