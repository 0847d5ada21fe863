//! Asks which profile is meant, where a command was given none.

use crate::aws_files::config::ConfigFile;
use crate::names::{ProfileName, arn_account, arn_user_name};
use crate::session::{Chain, Sources};
use crate::store::document::Document;

use super::failure::{Failure, Need};
use super::table;
use super::terminal::{PromptError, Terminal};
use super::world::World;

/// More lines than a terminal shows at once are no list to choose from.
const MOST_SHOWN: usize = 40;

/// None where there is nobody to ask.
pub fn pick(document: &Document, world: &World) -> Result<Option<ProfileName>, Failure> {
    let Ok(mut terminal) = Terminal::open() else { return Ok(None) };
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    let profiles = profiles(document, &config);
    if profiles.is_empty() {
        return Ok(None);
    }
    let mut shown: Vec<&Choice> = profiles.iter().collect();
    loop {
        terminal.show(&question(&shown));
        let answer = terminal.ask("Profile: ").map_err(|error| match error {
            PromptError::NoTerminal | PromptError::Ended => Failure::NoAnswer(Need::Confirmation { flag: "NAME" }),
            PromptError::Io(error) => Failure::Terminal(error),
        })?;
        match chosen(&answer, &shown, &profiles) {
            Answer::One(choice) => return Ok(Some(choice.name.clone())),
            Answer::Several(found) => shown = found,
            Answer::None => terminal.show("No profile has that in its name.\n"),
        }
    }
}

struct Choice {
    name: ProfileName,
    what: String,
}

/// Those that lead to an access key in the vault.
fn profiles(document: &Document, config: &ConfigFile) -> Vec<Choice> {
    let of_config = config.names().filter_map(|name| name.parse().ok());
    let mut names: Vec<ProfileName> = document.profiles.keys().cloned().chain(of_config).collect();
    names.sort();
    names.dedup();
    let sources = Sources::new(document, config);
    let choice = |name: ProfileName| {
        let chain = Chain::of(&name, &sources).ok()?;
        Some(Choice { what: what(&chain), name })
    };
    names.into_iter().filter_map(choice).collect()
}

fn what(chain: &Chain) -> String {
    let (who, account) = match chain.roles.last() {
        Some(role) => {
            (format!("role {}", role.role_arn.value.role_name()), Some(role.role_arn.value.account().to_owned()))
        }
        None => {
            let arn = chain.user.user_arn.as_deref();
            let user = arn.and_then(arn_user_name).map_or_else(|| "a user".to_owned(), |user| format!("user {user}"));
            (user, arn.and_then(arn_account).map(str::to_owned))
        }
    };
    match account {
        Some(account) => format!("{who} in account {account}"),
        None => who,
    }
}

fn question(shown: &[&Choice]) -> String {
    if shown.len() > MOST_SHOWN {
        return format!("{} profiles; type a part of the name.\n", shown.len());
    }
    let row =
        |(index, choice): (usize, &&Choice)| [(index + 1).to_string(), choice.name.to_string(), choice.what.clone()];
    let mut text = table::render(&["", "NAME", "IS"], shown.iter().enumerate().map(row));
    text.push_str("A number, or a part of the name.\n");
    text
}

enum Answer<'a> {
    One(&'a Choice),
    Several(Vec<&'a Choice>),
    None,
}

/// A number of the list, a name, or a part of exactly one. A part of several narrows the list: a tie is no choice.
fn chosen<'a>(answer: &str, shown: &[&'a Choice], all: &'a [Choice]) -> Answer<'a> {
    if let Some(choice) = all.iter().find(|choice| choice.name.as_str() == answer) {
        return Answer::One(choice);
    }
    let listed = answer.parse::<usize>().ok().filter(|_| shown.len() <= MOST_SHOWN);
    if let Some(choice) = listed.and_then(|number| shown.get(number.checked_sub(1)?)) {
        return Answer::One(choice);
    }
    let wanted = answer.to_lowercase();
    let found: Vec<&Choice> =
        all.iter().filter(|choice| choice.name.as_str().to_lowercase().contains(&wanted)).collect();
    match found[..] {
        [] => Answer::None,
        [only] if !wanted.is_empty() => Answer::One(only),
        _ => Answer::Several(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(names: &[&str]) -> Vec<Choice> {
        names.iter().map(|name| Choice { name: name.parse().unwrap(), what: String::new() }).collect()
    }

    fn told(answer: &str, all: &[Choice]) -> String {
        match chosen(answer, &all.iter().collect::<Vec<_>>(), all) {
            Answer::One(choice) => choice.name.to_string(),
            Answer::Several(found) => format!("{} left", found.len()),
            Answer::None => "none".to_owned(),
        }
    }

    #[test]
    fn a_number_a_name_or_a_part_of_one_name_chooses_and_a_tie_does_not() {
        let all = choices(&["prod", "prod-admin", "staging", "2"]);
        for (answer, profile) in [
            ("1", "prod"),
            ("3", "staging"),
            ("prod", "prod"),
            ("ADM", "prod-admin"),
            // A name goes before a number.
            ("2", "2"),
            ("pr", "2 left"),
            ("", "4 left"),
            ("0", "none"),
            ("5", "none"),
            ("x", "none"),
        ] {
            assert_eq!(told(answer, &all), profile, "`{answer}`");
        }
    }

    #[test]
    fn a_number_chooses_nothing_from_a_list_that_was_not_shown() {
        let names: Vec<String> = (0..41).map(|number| format!("account-{number}x")).collect();
        let all = choices(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(told("40", &all), "account-40x");
        assert_eq!(told("4", &all), "5 left");
        assert!(question(&all.iter().collect::<Vec<_>>()).starts_with("41 profiles; "));
    }
}
