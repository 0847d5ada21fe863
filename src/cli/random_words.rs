//! A passphrase of random words.

use diceware_wordlists::EFF_LONG_WORDLIST;

use super::failure::Failure;

/// Six words of 7,776 are 77 bits: out of reach even for somebody who has the file and many machines.
const WORDS: usize = 6;

/// The list as text, put together when this is compiled. As the table of pointers that it comes as, each start of the
/// program, whatever it is for, would adjust every one of them to where it was loaded: thirty pages to copy.
static LINES: [u8; length()] = lines();

/// Each word and the end of its line.
const fn length() -> usize {
    let (mut at, mut length) = (0, 0);
    while at < EFF_LONG_WORDLIST.len() {
        length += EFF_LONG_WORDLIST[at].len() + 1;
        at += 1;
    }
    length
}

const fn lines() -> [u8; length()] {
    let mut lines = [b'\n'; length()];
    let (mut at, mut end) = (0, 0);
    while at < EFF_LONG_WORDLIST.len() {
        let word = EFF_LONG_WORDLIST[at].as_bytes();
        let (_, rest) = lines.split_at_mut(end);
        rest.split_at_mut(word.len()).0.copy_from_slice(word);
        end += word.len() + 1;
        at += 1;
    }
    lines
}

fn list() -> Vec<&'static str> {
    std::str::from_utf8(&LINES).expect("words are text").lines().collect()
}

pub fn generate() -> Result<String, Failure> {
    let list = list();
    let mut words = Vec::with_capacity(WORDS);
    while words.len() < WORDS {
        let random = getrandom::u32().map_err(Failure::Randomness)?;
        // Values past the last whole multiple of the list's length would favour its first words.
        let count = list.len() as u32;
        if random < u32::MAX - u32::MAX % count {
            words.push(list[(random % count) as usize]);
        }
    }
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_list_may_come_up() {
        assert_eq!(list(), EFF_LONG_WORDLIST);
    }

    #[test]
    fn passphrases_are_six_words_and_never_the_same() {
        let (first, second) = (generate().ok().unwrap(), generate().ok().unwrap());
        assert_eq!(first.split(' ').count(), 6);
        assert!(first != second);
    }
}
