//! Words about what opens the vault where nobody is asked: files, descriptors, commands, identities.

use crate::cli::escape::{escape, holds_identity, shown_path};
use crate::cli::failure::Failure;
use crate::cli::passphrase_source::SecretSource;

use super::{Report, Status, internal};

/// What flags and variables lead to.
pub fn report(failure: &Failure) -> Report {
    use Failure::*;
    let locked = |message: String| Report::new(Status::Locked, message);
    match failure {
        PassphraseCommand { flag, error } => locked(format!("{flag}: {}", escape(&error.to_string()))),
        PassphraseDescriptor { number, error } => locked(format!("can't read file descriptor {number}: {error}")),
        PassphraseNotText(source) => locked(format!("{} is not text in UTF-8", source_words(source))),
        PassphraseEmpty(source) => locked(format!("{} is empty", source_words(source))),
        NamedFile { path, error } => Report::new(Status::State, format!("can't use {}: {error}", shown_path(path))),
        UnlockFile { path, .. } if holds_identity(&path.to_string_lossy()) => {
            locked("an age identity was given where the path of its file belongs".into()).hint(SECRET_ITSELF)
        }
        UnlockFile { path, error } => locked(format!("can't read {}: {error}", shown_path(path))),
        NoPathInVariable { variable } => locked(no_path_in(variable)).hint(SECRET_ITSELF),
        PassphraseSeveralLines(source) => locked(format!("{} has more than one line", source_words(source))),
        OneInputForTwo => {
            Report::new(Status::Usage, "standard input can't be both the passphrase and the secret access key")
                .hint("pass the passphrase by `--passphrase-file`, or another descriptor")
        }
        SecretFileOpen { path, mode } => {
            let path = shown_path(path);
            Report::new(Status::NotTrusted, format!("{path} can be read by others (mode {mode:03o})"))
                .hint(format!("chmod 600 {path}"))
        }
        NoIdentityIn { path } => locked(format!("no age identity in {}", shown_path(path))),
        Failure::FileExists { path } => Report::new(Status::State, format!("{} exists already", shown_path(path))),
        _ => internal(),
    }
}

const SECRET_ITSELF: &str = "write the secret into a file of yours alone (`chmod 600 FILE`), and give that file's path";

/// What is there instead is not shown.
pub fn no_path_in(variable: &str) -> String {
    format!("{variable} leads to no file; it is not shown, since it may be the secret itself")
}

fn source_words(source: &SecretSource) -> String {
    match source {
        SecretSource::File(path) => format!("the passphrase in {}", shown_path(path)),
        SecretSource::Descriptor(number) => format!("the passphrase from file descriptor {number}"),
        SecretSource::Command(flag) => format!("what {flag} printed"),
    }
}
