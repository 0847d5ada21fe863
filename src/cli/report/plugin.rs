//! Words for what goes wrong with age plugins.

use std::path::Path;

use crate::cli::escape::{escape, shown_path};
use crate::process::ProgramError;
use crate::store::plugin::{PluginError, Unanswered};

use super::{Report, Status};

/// The plugin of an identity.
pub fn of_identity(plugin: &str, error: &PluginError) -> Report {
    named(plugin, error, Status::Locked)
}

/// The plugin of a recipient that is to be added.
pub fn to_add(plugin: &str, error: &PluginError) -> Report {
    named(plugin, error, Status::State)
}

fn named(plugin: &str, error: &PluginError, otherwise: Status) -> Report {
    let report = Report::new(status(error, otherwise), format!("`{}` {}", escape(plugin), what(error)));
    match error {
        PluginError::Program(ProgramError::NotFound) => {
            report.hint("install it into a folder of PATH that nobody else can change")
        }
        _ => with_hint(report, error),
    }
}

/// The plugin of a recipient, at the path that was shown when it was added.
pub fn of_recipient(recipient: &str, program: &Path, error: &PluginError) -> Report {
    let (recipient, program) = (escape(recipient), shown_path(program));
    let message = format!("the vault was not saved: recipient `{recipient}`: `{program}` {}", what(error));
    let report = Report::new(status(error, Status::State), message);
    match error {
        PluginError::Program(ProgramError::Untrusted { path }) => report.hint(format!(
            "chmod go-w {}, or do without this recipient: `vault recipient remove {recipient}`",
            shown_path(path)
        )),
        PluginError::Program(ProgramError::NotFound) | PluginError::Start(_) => {
            report.hint(format!("put it back, or do without this recipient: `vault recipient remove {recipient}`"))
        }
        _ => with_hint(report, error),
    }
}

pub fn cannot_mix(recipient: &str) -> Report {
    let recipient = escape(recipient);
    let message = format!(
        "recipient `{recipient}` can't be mixed with the vault's other recipients, as its plugin says; nothing was saved"
    );
    Report::new(Status::State, message)
        .hint("its protection, as from quantum computers, would end where the others open the vault; use another kind")
}

fn with_hint(report: Report, error: &PluginError) -> Report {
    match error {
        PluginError::Program(ProgramError::Untrusted { path }) => {
            report.hint(format!("chmod go-w {}", shown_path(path)))
        }
        PluginError::Unanswered(Unanswered::NoTerminal) => {
            report.hint("run it at a terminal, or open the vault by another identity or its passphrase")
        }
        _ => report,
    }
}

fn status(error: &PluginError, otherwise: Status) -> Status {
    match error {
        PluginError::Program(ProgramError::Untrusted { .. }) => Status::NotTrusted,
        PluginError::Unanswered(_) => Status::PersonNeeded,
        _ => otherwise,
    }
}

/// What follows the plugin's name.
fn what(error: &PluginError) -> String {
    match error {
        PluginError::NotHere => "can't be started here".into(),
        PluginError::Program(ProgramError::NotFound) => "is not there".into(),
        PluginError::Program(ProgramError::Untrusted { path }) => {
            format!("is not to be trusted: others can change {}", shown_path(path))
        }
        PluginError::Start(error) => format!("could not be started: {error}"),
        PluginError::TimedOut => "said nothing for a minute and was ended".into(),
        PluginError::Died => "ended in the middle of its work".into(),
        PluginError::Nonsense => "does not speak as an age plugin does".into(),
        PluginError::Talk(error) => format!("can't be talked with: {error}"),
        PluginError::Refused(words) => format!("says: {}", escape(words)),
        PluginError::Unanswered(Unanswered::NoTerminal) => {
            "asks for something and there is no terminal to answer on".into()
        }
        PluginError::Unanswered(Unanswered::Ended) => "got no answer".into(),
    }
}
