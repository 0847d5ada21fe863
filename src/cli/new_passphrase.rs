//! A new vault's passphrase: typed twice, generated, or given by a flag; strong enough, or refused.

use std::path::Path;

use crate::names::AccessKeyId;
use crate::secret::Passphrase;
use crate::store::passphrase;

use super::escape::shown_path;
use super::failure::{Failure, Need};
use super::random_words;
use super::secret_file;
use super::terminal::Terminal;
use super::world::World;

/// zxcvbn's scale is 0 to 4: below 3 an offline attack takes less than a day or so even behind Argon2.
const WEAKEST: u8 = 3;
const STRONG: u8 = 4;

/// Passphrases that everybody has read as an example of a good one (<https://xkcd.com/936/>).
const EXAMPLES: [&str; 4] = [
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "correct-horse-battery-staple",
    "correct_horse_battery_staple",
];

/// zxcvbn's time grows with the square of the length; beyond this a passphrase is judged by its start.
const JUDGED: usize = 100;

/// Where it comes from.
pub enum Origin<'a> {
    /// Six random words: shown, or written to this file, which must not exist yet.
    Generated(Option<&'a Path>),
    Given(Passphrase),
    /// Typed, twice.
    Typed,
}

/// Gets the passphrase for a vault that is about to be made, or for one that is to have another. `flag` names the file that
/// it may come from or, where it is generated, go to.
pub fn obtain(world: &World, origin: Origin, flag: &'static str) -> Result<Passphrase, Failure> {
    match origin {
        Origin::Generated(file) => generated(world, file, flag),
        Origin::Given(given) => accept(world, given),
        Origin::Typed => ask_twice(world, flag),
    }
}

/// Refuses early what [`obtain`] would refuse, as far as nobody has to be asked for it.
pub fn check(world: &World, origin: &Origin, flag: &'static str) -> Result<(), Failure> {
    let terminal = |need| Terminal::open().map(drop).map_err(|error| Failure::prompt(error, need));
    match origin {
        Origin::Generated(Some(file)) => secret_file::check_free(world, file),
        Origin::Generated(None) => terminal(Need::GeneratedPassphrase { flag }),
        Origin::Given(given) => judge(given).map(drop),
        Origin::Typed => terminal(Need::NewPassphrase { flag }),
    }
}

fn accept(world: &World, given: Passphrase) -> Result<Passphrase, Failure> {
    if judge(&given)? < STRONG {
        world.warn("this passphrase is not strong; a stolen vault file is only as safe as it");
    }
    Ok(given)
}

/// Gives its strength.
fn judge(given: &Passphrase) -> Result<u8, Failure> {
    passphrase::check_new(given)?;
    if is_of_a_key(given) {
        return Err(Failure::PassphraseOfAKey);
    }
    let strength = strength(given);
    if strength < WEAKEST { Err(Failure::PassphraseWeak) } else { Ok(strength) }
}

fn ask_twice(world: &World, flag: &'static str) -> Result<Passphrase, Failure> {
    let prompt_failed = |error| Failure::prompt(error, Need::NewPassphrase { flag });
    let mut terminal = Terminal::open().map_err(prompt_failed)?;
    terminal.show(&format!("The vault {} will be opened by a passphrase.\n", world.vault_shown()));
    terminal
        .show("Four or more unrelated words are good. Nothing can open the vault without it but the recovery key.\n");
    loop {
        let first = Passphrase::new(terminal.ask_hidden("New passphrase: ").map_err(prompt_failed)?.to_string());
        if let Err(error) = passphrase::check_new(&first) {
            terminal.show(&format!("{error}; choose another.\n"));
            continue;
        }
        if is_of_a_key(&first) {
            terminal.show("That is a part of an access key; the vault's own passphrase is asked for here.\n");
            continue;
        }
        let strength = strength(&first);
        if strength < WEAKEST {
            terminal.show(&format!("Too easy to guess. {} Choose another.\n", why_easy(&first)));
            continue;
        }
        if strength < STRONG {
            terminal.show("Not strong: a stolen vault file is only as safe as this passphrase.\n");
        }
        let second = terminal.ask_hidden("The same again: ").map_err(prompt_failed)?;
        if second.as_str() == first.expose() {
            return Ok(first);
        }
        terminal.show("The two differ; try again.\n");
    }
}

/// Whether an access key, which is asked for next, was pasted too early: its id, or a secret's 40 characters.
fn is_of_a_key(passphrase: &Passphrase) -> bool {
    let text = passphrase.expose();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    text.parse::<AccessKeyId>().is_ok() || text.len() == 40 && text.bytes().all(base64)
}

fn strength(passphrase: &Passphrase) -> u8 {
    guessed(passphrase).score().into()
}

/// Why it is easy to guess, in a sentence or two. It says something of the passphrase, so it is for the one who types it and
/// for no log.
fn why_easy(passphrase: &Passphrase) -> String {
    if EXAMPLES.iter().any(|example| example.eq_ignore_ascii_case(passphrase.expose())) {
        return "Everybody knows this one as an example of a good passphrase.".to_owned();
    }
    let guessed = guessed(passphrase);
    let warning = guessed.feedback().and_then(|feedback| feedback.warning());
    warning
        .map_or_else(|| "Add a word or two that nobody would expect there.".to_owned(), |warning| warning.to_string())
}

fn guessed(passphrase: &Passphrase) -> zxcvbn::Entropy {
    let start: String = passphrase.expose().chars().take(JUDGED).collect();
    zxcvbn::zxcvbn(&start, &EXAMPLES)
}

fn generated(world: &World, file: Option<&Path>, flag: &'static str) -> Result<Passphrase, Failure> {
    let passphrase = Passphrase::new(random_words::generate()?);
    if let Some(path) = file {
        secret_file::write(world, path, passphrase.expose())?;
        world.say(&format!("wrote the new passphrase to {}", shown_path(path)));
        return Ok(passphrase);
    }
    let prompt_failed = |error| Failure::prompt(error, Need::GeneratedPassphrase { flag });
    let mut terminal = Terminal::open().map_err(prompt_failed)?;
    terminal.show(&format!("The new passphrase is\n\n    {}\n\nWrite it down now.\n", passphrase.expose()));
    loop {
        let typed = terminal.ask_hidden("Type it once, to show that you have it: ").map_err(prompt_failed)?;
        if typed.split_whitespace().eq(passphrase.expose().split_whitespace()) {
            return Ok(passphrase);
        }
        terminal.show("That is not it; try again.\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passphrases_are_strong() {
        assert!(strength(&Passphrase::new(random_words::generate().ok().unwrap())) == STRONG);
    }

    #[test]
    fn a_key_that_was_pasted_too_early_is_no_passphrase() {
        for part in ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
            assert!(is_of_a_key(&Passphrase::new(part.to_owned())), "{part}");
        }
        assert!(!is_of_a_key(&Passphrase::new("correct horse battery staple mountain".to_owned())));
    }

    #[test]
    fn what_everybody_tries_first_is_too_weak() {
        for weak in ["password", "12345678", "qwertyuiop", "letmein2026", "Correct horse battery staple", EXAMPLES[2]] {
            assert!(strength(&Passphrase::new(weak.to_owned())) < WEAKEST, "{weak}");
        }
        assert!(strength(&Passphrase::new("marmot kettle orbit Thursday".to_owned())) >= WEAKEST);
    }

    #[test]
    fn who_chose_a_weak_one_is_told_why() {
        let told = |weak: &str| why_easy(&Passphrase::new(weak.to_owned()));
        assert_eq!(told("password"), "This is a top-10 common password.");
        assert_eq!(told("short"), "A word by itself is easy to guess.");
        assert_eq!(told("2024-05-17"), "Dates are often easy to guess.");
        assert_eq!(told("xk7q"), "Add a word or two that nobody would expect there.");
        for example in ["Correct horse battery staple", EXAMPLES[2]] {
            assert_eq!(told(example), "Everybody knows this one as an example of a good passphrase.");
        }
    }

    #[test]
    fn a_very_long_passphrase_is_judged_in_no_time() {
        let started = std::time::Instant::now();
        strength(&Passphrase::new("a1".repeat(50_000)));
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    }
}
