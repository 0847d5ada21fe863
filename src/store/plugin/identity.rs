//! A plugin that unwraps the key of a file.

use std::cell::RefCell;
use std::sync::MutexGuard;

use age_core::format::{FileKey, Stanza};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::protocol::Talk;
use super::{PluginError, Plugins, plugin_of_identity, stanza};
use crate::secret::IdentityText;

/// age's own size.
const FILE_KEY_BYTES: usize = 16;

pub struct PluginIdentity<'a> {
    plugins: &'a Plugins<'a>,
    plugin: String,
    identity: &'a IdentityText,
    /// age's errors have no room for ours.
    failed: RefCell<Option<PluginError>>,
}

/// The key of the file that was opened last, and by which identity. A vault that is put aside while a person types is opened
/// again with it: another touch would tell nothing new.
pub struct KnownKey {
    of: [u8; 32],
    key: Zeroizing<[u8; FILE_KEY_BYTES]>,
}

impl<'a> PluginIdentity<'a> {
    /// None where the text is not an identity of a plugin.
    pub fn of(identity: &'a IdentityText, plugins: &'a Plugins<'a>) -> Option<Self> {
        let plugin = plugin_of_identity(identity)?;
        Some(Self { plugins, plugin, identity, failed: RefCell::default() })
    }

    /// What went wrong with it, and its name.
    pub fn failure(self) -> Option<(String, PluginError)> {
        Some((self.plugin, self.failed.take()?))
    }

    fn unwrap(&self, stanzas: &[Stanza]) -> Result<Option<FileKey>, PluginError> {
        let digest = self.digest(stanzas);
        if let Some(known) = self.known().as_ref().filter(|known| known.of == digest) {
            return Ok(Some(file_key(&known.key)));
        }
        let Some(key) = self.unwrapped(stanzas)? else { return Ok(None) };
        let opened = file_key(&key);
        *self.known() = Some(KnownKey { of: digest, key });
        Ok(Some(opened))
    }

    fn known(&self) -> MutexGuard<'_, Option<KnownKey>> {
        self.plugins.known.lock().expect("nothing panics while it looks at the key")
    }

    fn unwrapped(&self, stanzas: &[Stanza]) -> Result<Option<Zeroizing<[u8; FILE_KEY_BYTES]>>, PluginError> {
        let program = self.plugins.find(&self.plugin)?;
        let mut talk = Talk::start(self.plugins, &self.plugin, &program, "identity-v1")?;
        talk.tell("add-identity", &[self.identity.expose()], b"")?;
        for one in stanzas {
            let arguments: Vec<&str> = ["0", &one.tag].into_iter().chain(one.args.iter().map(String::as_str)).collect();
            talk.tell("recipient-stanza", &arguments, &one.body)?;
        }
        let mut key = None;
        talk.listen(|command| match command.tag.as_str() {
            "file-key" => {
                let given = <[u8; FILE_KEY_BYTES]>::try_from(command.body.as_slice()).map(Zeroizing::new);
                let good = key.is_none() && command.args == ["0"];
                key = key.take().or(given.ok().filter(|_| good));
                Some(good && key.is_some())
            }
            _ => None,
        })?;
        match key {
            Some(key) => Ok(Some(key)),
            None => talk.why().map_or(Ok(None), Err),
        }
    }

    fn digest(&self, stanzas: &[Stanza]) -> [u8; 32] {
        let mut digest = Sha256::new_with_prefix(stanza::encode(self.identity.expose(), &[], b""));
        for one in stanzas {
            let arguments: Vec<&str> = one.args.iter().map(String::as_str).collect();
            digest.update(stanza::encode(&one.tag, &arguments, &one.body));
        }
        digest.finalize().into()
    }
}

fn file_key(bytes: &[u8; FILE_KEY_BYTES]) -> FileKey {
    FileKey::init_with_mut(|key| key.copy_from_slice(bytes))
}

impl age::Identity for PluginIdentity<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    /// All at once: a plugin is started once a file, and asks once.
    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        match self.unwrap(stanzas) {
            Ok(key) => key.map(Ok),
            Err(error) => {
                *self.failed.borrow_mut() = Some(error);
                Some(Err(age::DecryptError::DecryptionFailed))
            }
        }
    }
}
