//! Where a message begins and ends: its length in four bytes, the most significant first, then that many bytes.

use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::secret::SecretBytes;

/// Far above any message of ours; what a stranger claims is refused before memory is set aside for it.
pub const LONGEST: usize = 64 * 1024;

const HEADER: usize = 4;

/// The message as it is sent. None where it is empty or too long.
pub fn of(message: &[u8]) -> Option<SecretBytes> {
    let length = u32::try_from(message.len()).ok().filter(|_| is_a_length(message.len()))?;
    let mut frame = Zeroizing::new(Vec::with_capacity(HEADER + message.len()));
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    Some(frame)
}

fn is_a_length(length: usize) -> bool {
    (1..=LONGEST).contains(&length)
}

/// A message that is being read, as far as it has come. Holds no memory before the length is known, and none after.
#[derive(Default)]
pub struct Incoming {
    header: [u8; HEADER],
    body: SecretBytes,
    filled: usize,
}

impl Incoming {
    pub fn has_begun(&self) -> bool {
        self.filled > 0
    }

    /// Reads on, never beyond this message. None while the stream has no more to give; an end within or before a message is
    /// an error, as is a length that none of ours has.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<Option<SecretBytes>> {
        loop {
            let room = match self.filled {
                filled @ 0..HEADER => &mut self.header[filled..],
                filled => &mut self.body[filled - HEADER..],
            };
            match stream.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.filled == HEADER {
                let length = usize::try_from(u32::from_be_bytes(self.header)).unwrap_or(usize::MAX);
                if !is_a_length(length) {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                // At once and never grown: what grows leaves copies behind.
                self.body = Zeroizing::new(vec![0; length]);
            } else if self.filled == HEADER + self.body.len() {
                return Ok(Some(std::mem::take(self).body));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it has byte by byte, and then has no more for now.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Err(io::ErrorKind::WouldBlock.into()) };
            room[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn a_message_arrives_whole_however_it_is_cut_and_the_next_one_stays_where_it_is() {
        let sent = [&of(b"first").unwrap()[..], &of(b"second").unwrap()].concat();
        for cut in 0..sent.len() {
            let mut incoming = Incoming::default();
            let mut arrived = Vec::new();
            for part in [&sent[..cut], &sent[cut..]] {
                let mut stream = Dribble(part);
                while let Some(message) = incoming.read(&mut stream).unwrap() {
                    arrived.push(message.to_vec());
                }
            }
            assert_eq!(arrived, [&b"first"[..], b"second"], "cut at {cut}");
            assert!(!incoming.has_begun());
        }
    }

    #[test]
    fn a_length_that_none_of_ours_has_is_refused_before_memory_is_set_aside() {
        for claimed in [0, LONGEST as u32 + 1, u32::MAX] {
            let mut incoming = Incoming::default();
            let error = incoming.read(&mut Dribble(&claimed.to_be_bytes())).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{claimed}");
            assert_eq!(incoming.body.capacity(), 0);
        }
        assert!(of(&[0; LONGEST + 1]).is_none());
        assert!(of(b"").is_none());
        let longest = of(&[7; LONGEST]).unwrap();
        assert_eq!(Incoming::default().read(&mut &longest[..]).unwrap().unwrap().len(), LONGEST);
    }

    #[test]
    fn an_end_before_or_within_a_message_is_an_error() {
        let frame = of(b"message").unwrap();
        for cut in 0..frame.len() {
            let error = Incoming::default().read(&mut &frame[..cut]).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }
}
