//! Words about command lines that contradict themselves. What else is wrong with one, clap says well.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::escape::escape;

use super::{Report, Status};

/// Two arguments of which only one can be meant.
pub fn conflict(error: &clap::Error) -> Option<Report> {
    if error.kind() != ErrorKind::ArgumentConflict {
        return None;
    }
    let one = arguments(error, ContextKind::InvalidArg)?.pop()?;
    let others = arguments(error, ContextKind::PriorArg)?;
    let message = match others.contains(&one) {
        true => format!("{one} can be said only once"),
        false => format!("{one} does not go together with {}", others.join(", ")),
    };
    let help = format!("`vault help{}` says what each of them does", command(error));
    Some(Report::new(Status::Usage, message).hint(help))
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
    format!("`{}`", escape(positional))
}

/// As words after `vault`, from the line that says how it is used.
fn command(error: &clap::Error) -> String {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return String::new() };
    let usage = usage.to_string();
    let words = usage.split_whitespace().skip_while(|word| *word != "vault").skip(1);
    let named = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    named.map(|word| format!(" {word}")).collect()
}
