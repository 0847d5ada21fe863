//! Makes text that is not our own literal safe to show: a profile named by somebody else, AWS's messages, a plugin's words
//! must not be able to move the cursor, recolour a warning or swap letters around. Nor must a secret get there that somebody
//! gave where its file's path belongs.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// The text with every character that acts on a terminal, or can't be seen, written as `\u{..}`.
pub fn escape(text: &str) -> String {
    let text = &*without_identities(text);
    // Nearly all text is of this kind.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_or_hides(character) {
            // Writing to a String can't fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// What every age identity begins with, in whichever case.
const IDENTITY: &str = "AGE-SECRET-KEY-1";

/// Whether an age identity stands in it.
pub fn holds_identity(text: &str) -> bool {
    identity_at(text).is_some()
}

fn identity_at(text: &str) -> Option<usize> {
    text.as_bytes().windows(IDENTITY.len()).position(|window| window.eq_ignore_ascii_case(IDENTITY.as_bytes()))
}

/// The text with nothing of an age identity but how it begins.
pub fn without_identities(text: &str) -> Cow<'_, str> {
    let Some(start) = identity_at(text) else { return Cow::Borrowed(text) };
    let (before, identity) = text.split_at(start);
    let rest = identity[IDENTITY.len()..].trim_start_matches(|character: char| character.is_ascii_alphanumeric());
    Cow::Owned(format!("{before}{IDENTITY}...{}", without_identities(rest)))
}

/// So long AWS's secret access keys are, of base64's characters.
const SECRET_LENGTH: usize = 40;

/// The same, and without what could be a secret access key: for words of a command line, among which a path of that very length
/// is not worth showing one. Styles may stand between the words.
pub fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = &*without_identities(text);
    while let Some(character) = rest.chars().next() {
        let is_style = |style: &&str| style.bytes().all(|byte| byte.is_ascii_digit() || b"[;".contains(&byte));
        let style =
            rest.strip_prefix('\x1b').and_then(|rest| rest.split_once('m')).map(|(style, _)| style).filter(is_style);
        let word = rest.len() - rest.trim_start_matches(is_base64).len();
        let taken = style.map_or(word.max(character.len_utf8()), |style| style.len() + 2);
        let (next, after) = rest.split_at(taken);
        shown.push_str(if is_like_a_secret(next) { "(a secret access key)" } else { next });
        rest = after;
    }
    shown
}

/// A hash has small letters and digits alone, and a word of prose no digits.
fn is_like_a_secret(word: &str) -> bool {
    let has = |of: fn(&char) -> bool| word.chars().any(|character| of(&character));
    let kinds = [has(char::is_ascii_uppercase), has(char::is_ascii_lowercase), has(char::is_ascii_digit)];
    word.len() == SECRET_LENGTH && word.chars().all(is_base64) && !kinds.contains(&false)
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/')
}

/// A path as shown to people.
pub fn shown_path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// The same as a shell takes it, whatever is in its name.
pub fn typed_path(path: &Path) -> String {
    escape(&shell_words::quote(&path.to_string_lossy()))
}

/// Control characters, bidirectional controls, zero-width characters and other invisible ones (Unicode TR36, TR9).
fn acts_or_hides(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_the_terminal_is_shown_as_a_number() {
        assert_eq!(escape("a\x1b[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(escape("x\u{202e}y\u{200b}z"), "x\\u{202e}y\\u{200b}z");
    }

    #[test]
    fn of_an_age_identity_nothing_is_shown_but_how_it_begins() {
        let identity = "AGE-SECRET-KEY-1QQPZRY9X8";
        for (text, shown) in [
            (identity.to_owned(), "AGE-SECRET-KEY-1..."),
            (format!("can't read `{}`: it", identity.to_lowercase()), "can't read `AGE-SECRET-KEY-1...`: it"),
            (format!("/a/{identity}/{identity}\n"), "/a/AGE-SECRET-KEY-1.../AGE-SECRET-KEY-1...\\u{a}"),
        ] {
            assert_eq!(escape(&text), shown);
            assert_eq!(shown_path(Path::new(&text)), shown);
            assert!(holds_identity(&text));
        }
        assert!(!holds_identity("AGE-SECRET-KEY"));
    }

    #[test]
    fn of_a_command_line_nothing_is_shown_that_could_be_a_secret_access_key() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for (text, shown) in [
            (format!("'{secret}' for"), "'(a secret access key)' for".to_owned()),
            (format!("\x1b[1;33m{secret}\x1b[0m"), "\x1b[1;33m(a secret access key)\x1b[0m".to_owned()),
            (format!("é{secret}\x1b"), "é(a secret access key)\x1b".to_owned()),
            (format!("--secret={secret}\n"), "--secret=(a secret access key)\n".to_owned()),
        ] {
            assert_eq!(without_secrets(&text), shown);
        }
        let hash = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        for text in [hash, &secret[1..], &format!("{secret}A"), "\x1b[", "\x1b[é", ""] {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        assert_eq!(escape("José, 東京, `prod` — ok"), "José, 東京, `prod` — ok");
    }
}
