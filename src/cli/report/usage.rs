//! Words about command lines that are not understood, where clap's own would lead astray.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::escape::{escape, without_secrets};
use crate::cli::names_given::ALIKE;

use super::{Report, Status};

pub fn told(error: &clap::Error) -> Option<Report> {
    match error.kind() {
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::UnknownArgument => unknown_option(error),
        ErrorKind::InvalidSubcommand => unknown_command(error),
        _ => None,
    }
}

/// Two arguments of which only one can be meant.
fn conflict(error: &clap::Error) -> Option<Report> {
    if let Some(action) = arguments(error, ContextKind::InvalidSubcommand).and_then(|mut action| action.pop()) {
        let report = Report::new(Status::Usage, format!("{action} comes before the name"));
        return Some(report.hint(format!("vault{} {} NAME", command(error), action.trim_matches('`'))));
    }
    let one = arguments(error, ContextKind::InvalidArg)?.pop()?;
    let others = arguments(error, ContextKind::PriorArg)?;
    let message = match others.contains(&one) {
        true => format!("{one} can be said only once"),
        false => format!("{one} does not go together with {}", others.join(", ")),
    };
    let command = command(error);
    let hint = match &others[..] {
        // It is about all, or about those that are due: a name is about one.
        [name] if name == "`NAME`" && one.starts_with("`-") && !one.contains('<') => {
            format!("`vault{command} {}`, or `vault{command} NAME`", one.trim_matches('`'))
        }
        _ => format!("`vault help{command}` says what each of them does"),
    };
    Some(Report::new(Status::Usage, message).hint(hint))
}

/// What clap would suggest is an option that looks a little like it, or to take it for a name.
fn unknown_option(error: &clap::Error) -> Option<Report> {
    let option = arguments(error, ContextKind::InvalidArg)?.pop()?;
    if !option.starts_with("`-") {
        return None;
    }
    let similar = arguments(error, ContextKind::SuggestedArg).and_then(|mut similar| similar.pop());
    let letters = |option: &str| option.trim_matches(['`', '-']).to_owned();
    let similar = similar.filter(|similar| strsim::jaro_winkler(&letters(similar), &letters(&option)) >= ALIKE);
    let meant = similar.map(|similar| format!("; did you mean {similar}?")).unwrap_or_default();
    let (command, message) = (command(error), format!("there is no option {option}{meant}"));
    Some(Report::new(Status::Usage, message).hint(format!("`vault help{command}` names those that there are")))
}

/// What other programs call it.
const ELSEWHERE: [(&str, &str); 6] = [
    ("`export`", "`env`"),
    ("`sessions`", "`status`"),
    ("`session`", "`status`"),
    ("`ls`", "`list`"),
    ("`rm`", "`remove`"),
    ("`delete`", "`remove`"),
];

fn unknown_command(error: &clap::Error) -> Option<Report> {
    let said = arguments(error, ContextKind::InvalidSubcommand)?.pop()?;
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == said).map(|(_, ours)| (*ours).to_owned());
    let alike = |one: &String| strsim::jaro_winkler(one, &said);
    let similar = arguments(error, ContextKind::SuggestedSubcommand).unwrap_or_default();
    let similar = similar.into_iter().filter(|one| alike(one) >= ALIKE);
    let meant = elsewhere.or_else(|| similar.max_by(|one, other| alike(one).total_cmp(&alike(other))));
    let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
    let report = Report::new(Status::Usage, format!("there is no command {said}{meant}"));
    Some(report.hint(format!("`vault help{}` names those that there are", command(error))))
}

fn arguments(error: &clap::Error, kind: ContextKind) -> Option<Vec<String>> {
    match error.get(kind)? {
        ContextValue::String(argument) => Some(vec![bare(argument)]),
        ContextValue::Strings(arguments) => Some(arguments.iter().map(|argument| bare(argument)).collect()),
        _ => None,
    }
}

/// Without what its value is called: `--grace <DURATION>`. What has no name but that is called by it: `[NAME]...`.
fn bare(argument: &str) -> String {
    let word = argument.split([' ', '=']).next().unwrap_or_default();
    let positional = word.trim_end_matches('.').trim_matches(['<', '>', '[', ']']);
    format!("`{}`", escape(&without_secrets(positional)))
}

/// As words after `vault`, from the line that says how it is used.
fn command(error: &clap::Error) -> String {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return String::new() };
    let usage = usage.to_string();
    let words = usage.split_whitespace().skip_while(|word| *word != "vault").skip(1);
    let named = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    named.map(|word| format!(" {word}")).collect()
}
