//! The keys of the session files that were opened last. AWS tools ask for one session again and again, and to compute its
//! file's key anew takes longer than all else the agent does for them. Who is handed such a key could have it by the session
//! identity as well; it goes with that.

use age_core::format::Stanza;
use zeroize::Zeroizing;

/// More sessions than a person has in use at a time.
const MOST: usize = 32;

/// Of an X25519 stanza of age's format: the ephemeral share in base64, and the wrapped file key with its tag.
const SHARE: usize = 43;
const BODY: usize = 32;
const KEY: usize = 16;
const STANZA: usize = SHARE + BODY;
const ENTRY: usize = STANZA + KEY;

/// What all of them take. The memory is the caller's, who wipes it.
pub const SIZE: usize = MOST * ENTRY;

/// How many entries were written; the next one takes the oldest's place once all are taken.
#[derive(Default)]
pub struct Opened(usize);

impl Opened {
    /// The key of the file with these stanzas, if it was opened lately.
    pub fn find(&self, memory: &[u8], stanzas: &[Stanza]) -> Option<Zeroizing<[u8; KEY]>> {
        let entry = memory.chunks_exact(ENTRY).take(self.0).find(|entry| is_of(entry, stanzas))?;
        let mut key = Zeroizing::new([0; KEY]);
        key.copy_from_slice(&entry[STANZA..]);
        Some(key)
    }

    /// A file with another number of recipients than one is no session's, and is opened anew each time.
    pub fn note(&mut self, memory: &mut [u8], stanzas: &[Stanza], key: &[u8; KEY]) {
        let [stanza] = stanzas else { return };
        let (share, body) = parts(stanza);
        if (share.len(), body.len()) == (SHARE, BODY) {
            let entry = &mut memory[self.0 % MOST * ENTRY..][..ENTRY];
            entry[..SHARE].copy_from_slice(share);
            entry[SHARE..STANZA].copy_from_slice(body);
            entry[STANZA..].copy_from_slice(key);
            self.0 += 1;
        }
    }
}

fn is_of(entry: &[u8], stanzas: &[Stanza]) -> bool {
    stanzas.iter().map(parts).any(|(share, body)| (share, body) == (&entry[..SHARE], &entry[SHARE..STANZA]))
}

fn parts(stanza: &Stanza) -> (&[u8], &[u8]) {
    (stanza.args.first().map_or(&[][..], |share| share.as_bytes()), &stanza.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(number: usize) -> Stanza {
        Stanza { tag: "X25519".to_owned(), args: vec![format!("{number:0SHARE$}")], body: vec![7; BODY] }
    }

    fn key(number: usize) -> [u8; KEY] {
        [u8::try_from(number).unwrap(); KEY]
    }

    #[test]
    fn the_last_ones_are_found_and_the_oldest_make_room() {
        let (mut opened, mut memory) = (Opened::default(), vec![0; SIZE]);
        for number in 0..=MOST {
            assert!(opened.find(&memory, &[stanza(number)]).is_none(), "{number}");
            opened.note(&mut memory, &[stanza(number)], &key(number));
        }
        assert!(opened.find(&memory, &[stanza(0)]).is_none());
        for number in 1..=MOST {
            assert_eq!(*opened.find(&memory, &[stanza(number)]).unwrap(), key(number));
        }
        let other = Stanza { body: vec![8; BODY], ..stanza(1) };
        assert!(opened.find(&memory, &[other]).is_none());
    }

    #[test]
    fn what_is_no_session_files_stanza_is_not_kept() {
        let (mut opened, mut memory) = (Opened::default(), vec![0; SIZE]);
        let short = Stanza { body: vec![7; BODY - 1], ..stanza(0) };
        let bare = Stanza { args: vec![], ..stanza(0) };
        for stanzas in [vec![], vec![short], vec![bare], vec![stanza(0), stanza(1)]] {
            opened.note(&mut memory, &stanzas, &key(1));
            assert!(opened.find(&memory, &stanzas).is_none());
        }
        assert!(memory.iter().all(|byte| *byte == 0));
    }
}
