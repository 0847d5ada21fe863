//! What a client shows: without it, no other user of the machine and no page in a browser gets an answer.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// As many bytes as nobody guesses.
const LENGTH: usize = 32;

/// One server's, in text that a header takes as it is. No Debug: who has it has the session.
pub struct Token(Zeroizing<String>);

impl Token {
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes))))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// In a time that depends on the length alone, which is everybody's knowledge.
    pub fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_text_for_a_header_and_never_the_same_twice() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert!(one.expose() != other.expose());
        assert_eq!(one.expose().len(), 43);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }

    #[test]
    fn only_the_whole_token_is_it() {
        let token = Token::generate().unwrap();
        let text = token.expose().to_owned();
        assert!(token.is(text.as_bytes()));
        let mut last_changed = text.clone().into_bytes();
        last_changed[42] ^= 1;
        for other in [&last_changed, &text.as_bytes()[..42].to_vec(), &[text.as_bytes(), b"x"].concat(), &Vec::new()] {
            assert!(!token.is(other));
        }
    }
}
