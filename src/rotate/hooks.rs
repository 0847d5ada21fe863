//! Runs a profile's hook: a command that tells another consumer of the new key.

use super::run::Hook;
use crate::paths::Environment;
use crate::process::{self, RunError};

/// The ids are in its arguments; the secret only where it asks for that, by a `-` as its last word, and through a pipe.
pub fn run(hook: &Hook, environment: &Environment, hear: &mut dyn FnMut(&str)) -> Result<(), RunError> {
    let asks = shell_words::split(&hook.words).is_ok_and(|words| words.last().is_some_and(|last| last == "-"));
    let input = asks.then(|| hook.new.secret.expose().as_bytes());
    let more = [hook.profile.as_str(), hook.old.as_str(), hook.new.id.as_str()];
    process::run_with(&hook.words, &more, input, environment, hear)
}
