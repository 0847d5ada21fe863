//! age plugins: other people's programs that wrap a file's key for hardware and unwrap it again.
//!
//! The age crate can start plugins, but looks for them by itself, on the whole PATH, gives them our environment and waits
//! for ever. Here a recipient's plugin is started by the path that was shown when it was added, and every plugin in the
//! surroundings of a configured command.

mod identity;
mod protocol;
mod recipient;
mod stanza;

use std::any::Any;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use age_core::primitives::bech32_decode;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::paths::Environment;
use crate::process::{ProgramError, find_program};
use crate::secret::IdentityText;

use identity::KnownKey;
pub(super) use identity::PluginIdentity;
pub(super) use recipient::{Failed, PluginRecipient, Trouble};

/// What plugins are started in, and the person they talk with. A plugin is named as its program is, `age-plugin-...`.
pub trait PluginHost: Sync {
    /// None where no plugins are to be started.
    fn environment(&self) -> Option<&Environment>;

    /// What is to live as long as a plugin is spoken with: it may wait for a touch, with what opens the vault at hand.
    fn talking(&self) -> Box<dyn Any>;

    /// The plugin has something to tell.
    fn hear(&self, plugin: &str, text: &str);

    /// It is about to open what was just sealed: it may ask for a touch a second time.
    fn proving(&self, plugin: &str);

    /// It wants a text, to be typed unseen if it is hidden.
    fn ask(&self, plugin: &str, question: &str, hidden: bool) -> Result<Zeroizing<String>, Unanswered>;

    /// It wants one of two answers, or, without a second one, just that the person goes on.
    fn confirm(&self, plugin: &str, question: &str, yes: &str, no: Option<&str>) -> Result<bool, Unanswered>;
}

/// Why a plugin's question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    NoTerminal,
    /// The person ended the input.
    Ended,
}

/// Why a plugin did not do what it is for.
#[derive(Debug, Error)]
pub enum PluginError {
    #[error("plugins are not started here")]
    NotHere,
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("could not be started: {0}")]
    Start(io::Error),
    #[error("it neither said anything nor ended in time")]
    TimedOut,
    /// Before it was done.
    #[error("it ended too early")]
    Died,
    #[error("what it said is not the language of age plugins")]
    Nonsense,
    #[error("talking with it failed: {0}")]
    Talk(io::Error),
    /// In its own words, which may hold anything.
    #[error("it refused")]
    Refused(String),
    #[error("its question has no answer")]
    Unanswered(Unanswered),
}

/// Where there are none: the library alone, and tests that are about other things.
pub struct NoPlugins;

impl PluginHost for NoPlugins {
    fn environment(&self) -> Option<&Environment> {
        None
    }

    fn talking(&self) -> Box<dyn Any> {
        Box::new(())
    }

    fn hear(&self, _: &str, _: &str) {}

    fn proving(&self, _: &str) {}

    fn ask(&self, _: &str, _: &str, _: bool) -> Result<Zeroizing<String>, Unanswered> {
        Err(Unanswered::NoTerminal)
    }

    fn confirm(&self, _: &str, _: &str, _: &str, _: Option<&str>) -> Result<bool, Unanswered> {
        Err(Unanswered::NoTerminal)
    }
}

/// How a vault's place comes by plugins, and the last file key that one of them unwrapped.
#[derive(Clone)]
pub struct Plugins<'d> {
    host: &'d dyn PluginHost,
    known: Arc<Mutex<Option<KnownKey>>>,
}

impl<'d> Plugins<'d> {
    pub fn new(host: &'d dyn PluginHost) -> Self {
        Self { host, known: Arc::default() }
    }

    pub fn none() -> Self {
        Self::new(&NoPlugins)
    }

    /// A person may have to touch something for a second time, and should know why.
    pub(super) fn announce_proof(&self, identity: &IdentityText) {
        if let Some(plugin) = plugin_of_identity(identity) {
            self.host.proving(&plugin);
        }
    }

    fn environment(&self) -> Result<&Environment, PluginError> {
        self.host.environment().ok_or(PluginError::NotHere)
    }

    fn find(&self, plugin: &str) -> Result<PathBuf, PluginError> {
        Ok(find_program(plugin, self.environment()?)?)
    }
}

/// The program that a recipient `age1NAME1...` belongs to; None where it belongs to none.
pub fn plugin_of_recipient(text: &str) -> Option<String> {
    plugin_name(text, |prefix| prefix.strip_prefix("age1").map(str::to_owned))
}

/// The program that an identity `AGE-PLUGIN-NAME-1...` belongs to.
pub fn plugin_of_identity(identity: &IdentityText) -> Option<String> {
    plugin_name(identity.expose(), |prefix| {
        Some(prefix.strip_prefix("AGE-PLUGIN-")?.strip_suffix('-')?.to_ascii_lowercase())
    })
}

fn plugin_name(text: &str, name: impl FnOnce(&str) -> Option<String>) -> Option<String> {
    let name = bech32_decode(text, drop, |_| Ok(()), |prefix, _| name(prefix.as_str()).ok_or(())).ok()?;
    // It becomes a part of a file's name: age's own rule, which leaves no way out of a folder.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    (!name.is_empty() && name.bytes().all(fits)).then(|| format!("age-plugin-{name}"))
}

#[cfg(test)]
mod tests;
