//! A plugin that wraps the key of a file.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use age_core::format::{FileKey, Stanza};
use secrecy::ExposeSecret;

use super::protocol::Talk;
use super::{PluginError, Plugins, plugin_of_recipient};
use crate::store::document::Recipient;

pub struct PluginRecipient<'a> {
    plugins: &'a Plugins<'a>,
    name: &'a str,
    plugin: String,
    recipient: &'a str,
    program: &'a Path,
    /// age's errors have no room for ours.
    trouble: &'a Trouble,
}

/// What plugins did wrong while one file was sealed, by the recipient's name.
#[derive(Default)]
pub struct Trouble {
    pub failed: RefCell<Option<Failed>>,
    /// The first that has labels: age refuses to mix it with one that has others, or none.
    pub labelled: RefCell<Option<String>>,
}

pub struct Failed {
    pub recipient: String,
    pub program: PathBuf,
    pub error: PluginError,
}

impl<'a> PluginRecipient<'a> {
    /// None where the entry is not one of a plugin, or no path was shown and kept when it was added.
    pub fn of(entry: &'a Recipient, plugins: &'a Plugins<'a>, trouble: &'a Trouble) -> Option<Self> {
        let plugin = plugin_of_recipient(&entry.recipient)?;
        let program = entry.plugin.as_deref()?;
        Some(Self { plugins, name: &entry.name, plugin, recipient: &entry.recipient, program, trouble })
    }

    fn wrap(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), PluginError> {
        let mut talk = Talk::start(self.plugins, &self.plugin, self.program, "recipient-v1")?;
        talk.tell("add-recipient", &[self.recipient], b"")?;
        talk.tell("extension-labels", &[], b"")?;
        talk.tell("wrap-file-key", &[], file_key.expose_secret())?;
        let (mut stanzas, mut labels) = (Vec::new(), None);
        talk.listen(|command| match (command.tag.as_str(), command.args.as_slice()) {
            // We gave it one file, and count from zero.
            ("recipient-stanza", [file, tag, arguments @ ..]) if file == "0" => {
                stanzas.push(Stanza { tag: tag.clone(), args: arguments.to_vec(), body: command.body.clone() });
                Some(true)
            }
            ("labels", given) => {
                let first = labels.is_none();
                labels.get_or_insert_with(|| given.iter().cloned().collect::<HashSet<_>>());
                Some(first)
            }
            ("recipient-stanza", _) => Some(false),
            _ => None,
        })?;
        match (talk.why_refused(), stanzas.is_empty()) {
            (Some(error), _) => Err(error),
            (None, true) => Err(talk.why().unwrap_or(PluginError::Nonsense)),
            (None, false) => Ok((stanzas, labels.unwrap_or_default())),
        }
    }
}

impl age::Recipient for PluginRecipient<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let wrapped = self.wrap(file_key).map_err(|error| {
            let failed = Failed { recipient: self.name.to_owned(), program: self.program.to_owned(), error };
            *self.trouble.failed.borrow_mut() = Some(failed);
            io::Error::other("a plugin failed")
        })?;
        if !wrapped.1.is_empty() {
            self.trouble.labelled.borrow_mut().get_or_insert_with(|| self.name.to_owned());
        }
        Ok(wrapped)
    }
}
