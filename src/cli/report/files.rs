//! Words for ~/.aws/config and ~/.aws/credentials. Each names file and line, since these are edited by hand.

use crate::aws_files::config::ConfigError;
use crate::aws_files::file::FileError;
use crate::cli::escape::{escape, shown_path};
use crate::export::error::ExportError;

use super::{Report, Status, process, trust};

pub fn file(error: &FileError) -> Report {
    let words = escape(&error.to_string());
    match error {
        FileError::OthersCanWrite { path, .. } => {
            Report::new(Status::NotTrusted, words).hint(format!("chmod go-w {}", shown_path(path)))
        }
        FileError::ForeignOwner { .. } => Report::new(Status::NotTrusted, words),
        FileError::Read { .. } | FileError::NotAFile { .. } | FileError::TooLarge { .. } => {
            Report::new(Status::State, words)
        }
    }
}

pub fn config(error: &ConfigError) -> Report {
    Report::new(Status::State, escape(&error.to_string())).hint("correct that line")
}

pub fn export(error: &ExportError) -> Report {
    let words = escape(&error.to_string());
    let state = || Report::new(Status::State, words.clone());
    match error {
        ExportError::File(error) => file(error),
        ExportError::Config(error) => config(error),
        ExportError::LockHeld { path, pid } => {
            let holder = process(*pid);
            Report::new(
                Status::State,
                format!("{} is being written by {holder}; it was left as it is", shown_path(path)),
            )
            .hint("try again")
        }
        ExportError::Lock { path } => trust::not_a_lock(path),
        ExportError::HoldsLongTermKey { path, line, name, id } => {
            let place = format!("{}:{line}", shown_path(path));
            Report::new(
                Status::State,
                format!(
                    "{place}: section [{}] holds the long-term key {}, which the session would overwrite",
                    escape(name),
                    id.short()
                ),
            )
            .hint("`--replace-long-term` saves that key in the vault first; `--profile OTHER` writes elsewhere")
        }
        ExportError::Outranked { path, line, section, name, key } => {
            let (section, name) = (escape(section), escape(name));
            let message = format!(
                "{}:{line}: AWS tools would take `{key}` of [{section}] before a session written for `{name}`",
                shown_path(path)
            );
            Report::new(Status::State, message).hint(format!(
                "`vault login {name} --profile {name}-session`; `vault set {name} destination_profile={name}-session` \
                     remembers it"
            ))
        }
        ExportError::Edit { .. } | ExportError::HoldsUnclearKey { .. } => {
            state().hint("correct it by hand, or `--profile OTHER`; the file was left as it is")
        }
        ExportError::CommittedNotDurable { .. } => state(),
        ExportError::NotCommitted { .. } | ExportError::ChangedMeanwhile { .. } => {
            state().hint("the file was left as it is; mend that and try again")
        }
        _ => state().hint("the file was left as it is; `--profile OTHER` writes elsewhere"),
    }
}
