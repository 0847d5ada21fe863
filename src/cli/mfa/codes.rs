//! Two codes that a device shows one after the other.

use crate::cli::failure::{Failure, Need};
use crate::cli::terminal::{PromptError, Terminal};
use crate::names::{MfaCode, NameError};

use super::subject::Subject;

/// `--codes 123456,234567`
pub fn parse(text: &str) -> Result<[MfaCode; 2], String> {
    let (first, second) = text.split_once(',').ok_or("two codes, with a comma between them")?;
    let parsed = |text: &str| text.parse().map_err(|error: NameError| error.to_string());
    let codes: [MfaCode; 2] = [parsed(first)?, parsed(second)?];
    if codes[0] == codes[1] { Err(SAME.to_owned()) } else { Ok(codes) }
}

/// What is shown where AWS refused both.
pub const WRONG_PAIR: &str = "AWS did not take these two codes (InvalidAuthenticationCode); take the next two.\n";

const SAME: &str = "that is the same code twice; the second is the one that the device shows next";

/// Asks for both.
pub fn ask(terminal: &mut Terminal, subject: &Subject, need: impl Fn() -> Need) -> Result<[MfaCode; 2], Failure> {
    let who = format!("{}, account {}", subject.user, subject.account);
    let failed = |error| Failure::prompt(error, need());
    let first = ask_one(terminal, &format!("First code ({who}): "), None).map_err(failed)?;
    let second = ask_one(terminal, "The code after it: ", Some(&first)).map_err(failed)?;
    Ok([first, second])
}

fn ask_one(terminal: &mut Terminal, prompt: &str, before: Option<&MfaCode>) -> Result<MfaCode, PromptError> {
    let prompt = crate::cli::escape::escape(prompt);
    loop {
        match terminal.ask(&prompt)?.parse::<MfaCode>() {
            Ok(code) if before == Some(&code) => terminal.show("That is the same code; wait for the next one.\n"),
            Ok(code) => return Ok(code),
            Err(_) => terminal.show("A code is six digits.\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_codes_are_six_digits_each_and_not_the_same() {
        let codes = parse("123456, 234 567").unwrap();
        assert_eq!((codes[0].as_str(), codes[1].as_str()), ("123456", "234567"));
        for bad in ["123456", "123456,12345", "123456,123456", "123456,234567,345678", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
