//! Whatever comes over the agent's socket, in whatever pieces: a frame is taken as it was sent or refused, and a message that
//! makes sense says the same after it was written again.
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use vault::agent::frame::{self, Incoming, LONGEST};
use vault::agent::protocol::{decode_reply, decode_request, encode_reply, encode_request};

/// Gives a few bytes at a time, and now and then none for the moment.
struct InPieces<'a> {
    rest: &'a [u8],
    size: usize,
    waits: bool,
}

impl Read for InPieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.waits = !self.waits;
        if self.waits {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let size = self.size.min(room.len());
        (&mut self.rest).take(size as u64).read(room)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else { return };
    let mut pieces = InPieces { rest: stream, size: usize::from(*size) + 1, waits: false };
    let mut incoming = Incoming::default();
    loop {
        let before = pieces.rest;
        match incoming.read(&mut pieces) {
            Ok(None) if pieces.rest.len() < before.len() || !pieces.rest.is_empty() => {}
            Ok(Some(message)) => {
                assert!((1..=LONGEST).contains(&message.len()));
                let sent = frame::of(&message).expect("what was read can be sent");
                let taken = stream.len() - pieces.rest.len();
                assert!(stream[..taken].ends_with(&sent), "not the frame that was sent");
                makes_sense_or_not(&message);
            }
            Ok(None) | Err(_) => return,
        }
    }
});

fn makes_sense_or_not(message: &[u8]) {
    if let Some(request) = decode_request(message) {
        // Written without blanks and escapes, it may only be shorter.
        let written = encode_request(&request).expect("shorter than it came");
        let again = encode_request(&decode_request(&written).expect("our own words")).expect("as long");
        assert!(*written == *again);
    }
    if let Some(reply) = decode_reply(message) {
        let written = encode_reply(&reply).expect("shorter than it came");
        let again = encode_reply(&decode_reply(&written).expect("our own words")).expect("as long");
        assert!(*written == *again);
    }
}
